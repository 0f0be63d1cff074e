"""Tests of the cloud's client, against a real local cloud."""
