"""A limit on guessing passwords."""

from collections.abc import Callable

from .errors import ApiError

WINDOW = 300.0
"""Seconds in which failures count; then they are forgotten."""
PER_PAIR = 10
"""Failures of one address at one e-mail."""
PER_PEER = 50
"""Failures of one address, whatever the e-mail."""
PER_EMAIL = 50
"""Failures at one e-mail, from wherever: more addresses do not buy more guesses."""
_MAX_REMEMBERED = 30_000
"""Counters kept; beyond it the oldest go, so that made-up e-mails do not fill the memory."""


class FailedSignIns:
    """Counts failed sign-ins per e-mail and per peer address, in windows of five minutes."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Read the time, in seconds, from `now`."""
        self._now = now
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}
        """(peer or "", e-mail or "") → (end, failures); equal windows, so the oldest ends first."""

    def check(self, peer: str, email: str) -> None:
        """Raise ApiError 429 where this peer or this e-mail has had too many failures.

        Asked before a password is checked, and again before the outcome is told: guesses that were
        under way when the limit was reached learn nothing.
        """
        now = self._now()
        for counter, limit in self._counters(peer, email):
            end, failures = self._windows.get(counter, (0.0, 0))
            if failures >= limit and now < end:
                raise ApiError(
                    429,
                    f"too many failed sign-ins, try again in {int(end - now) + 1} seconds",
                )

    def add(self, peer: str, email: str) -> None:
        """Count one failure."""
        now = self._now()
        while self._windows:
            oldest = next(iter(self._windows))
            if now < self._windows[oldest][0] and len(self._windows) < _MAX_REMEMBERED:
                break
            del self._windows[oldest]
        for counter, _ in self._counters(peer, email):
            end, failures = self._windows.get(counter, (now + WINDOW, 0))
            self._windows[counter] = (end, failures + 1)

    def forgive(self, peer: str, email: str) -> None:
        """Forget this peer's failures at this e-mail, whose password it knows after all."""
        self._windows.pop((peer, email), None)

    @staticmethod
    def _counters(peer: str, email: str) -> tuple[tuple[tuple[str, str], int], ...]:
        return (
            ((peer, email), PER_PAIR),
            ((peer, ""), PER_PEER),
            (("", email), PER_EMAIL),
        )
