"""A limit on guessing passwords."""

from collections.abc import Callable

from .errors import ApiError
from .windows import Windows

WINDOW = 300.0
"""Seconds in which failures count; then they are forgotten."""
PER_PAIR = 10
"""Failures of one address at one e-mail."""
PER_PEER = 50
"""Failures of one address, whatever the e-mail."""
PER_EMAIL = 50
"""Failures at one e-mail, from wherever: more addresses do not buy more guesses."""


class FailedSignIns:
    """Counts failed sign-ins per e-mail and per peer address, in windows of five minutes."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Read the time, in seconds, from `now`."""
        self._windows = Windows(now, WINDOW)

    def check(self, peer: str, email: str) -> None:
        """Raise ApiError 429 where this peer or this e-mail has had too many failures.

        Asked before a password is checked, and again before the outcome is told: guesses that were
        under way when the limit was reached learn nothing.
        """
        for counter, limit in self._counters(peer, email):
            if seconds := self._windows.wait(counter, limit):
                raise ApiError(
                    429, f"too many failed sign-ins, try again in {seconds} seconds"
                )

    def add(self, peer: str, email: str) -> None:
        """Count one failure."""
        for counter, _ in self._counters(peer, email):
            self._windows.count(counter)

    def forgive(self, peer: str, email: str) -> None:
        """Forget this peer's failures at this e-mail, whose password it knows after all."""
        self._windows.forget((peer, email))

    @staticmethod
    def _counters(peer: str, email: str) -> tuple[tuple[tuple[str, str], int], ...]:
        return (
            ((peer, email), PER_PAIR),
            ((peer, ""), PER_PEER),
            (("", email), PER_EMAIL),
        )
