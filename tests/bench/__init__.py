"""Tests of the benchmark itself: it measures what it says, on the smallest scale."""
