"""The fuzzer's targets, for a moment on every run."""
