"""What the benchmark cannot go on from."""


class BenchError(Exception):
    """A failure with a text that tells a person what happened."""
