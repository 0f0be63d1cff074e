"""Tests of espcloud and of its local cloud."""
