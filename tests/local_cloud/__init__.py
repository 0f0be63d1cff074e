"""Tests of the local cloud, over real sockets on loopback."""
