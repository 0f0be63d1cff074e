"""What the demo tells the person who started it."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from .errors import DemoError


def say(text: str = "") -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)  # noqa: T201 - what the demo is for


@contextmanager
def step(text: str) -> Iterator[None]:
    """Time one step of the check and report it, done or failed."""
    started = perf_counter()
    try:
        yield
    except DemoError:
        report(f"FAILED: {text}", perf_counter() - started)
        raise
    report(text, perf_counter() - started)


def report(text: str, seconds: float) -> None:
    """Print a line of the check with its time."""
    say(f"{seconds * 1000:8.1f} ms  {text}")
