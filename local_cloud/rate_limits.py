"""Limits on what strangers may do: guess passwords, and make accounts."""

from collections.abc import Callable

from .errors import ApiError

_MAX_REMEMBERED = 30_000
"""Counters kept; beyond it the oldest go, so that made-up names do not fill the memory."""

SIGN_IN_WINDOW = 300.0
"""Seconds in which failures count; then they are forgotten."""
FAILURES_PER_PAIR = 10
"""Failures of one address at one e-mail."""
FAILURES_PER_PEER = 50
"""Failures of one address, whatever the e-mail."""
FAILURES_PER_EMAIL = 50
"""Failures at one e-mail, from wherever: more addresses do not buy more guesses."""

NEW_ACCOUNT_WINDOW = 3600.0
"""Seconds in which new accounts count."""
ACCOUNTS_PER_PEER = 20
"""New accounts of one address."""
ACCOUNTS_IN_ALL = 200
"""New accounts from wherever: more addresses do not fill the memory faster."""


class RateCounters:
    """Counters that each start with their first event and end a fixed time later."""

    def __init__(self, now: Callable[[], float], length: float) -> None:
        """Read the time from `now`; a counter lives `length`; both in seconds."""
        self._now = now
        self._length = length
        self._counts: dict[tuple[str, ...], tuple[float, int]] = {}
        """Name → (end, count); all live equally long, so the oldest one ends first."""

    def __len__(self) -> int:
        """Return how many counters are remembered."""
        return len(self._counts)

    def wait(self, name: tuple[str, ...], limit: int) -> int:
        """Return in how many seconds this is below the limit again, 0 where it is now."""
        end, count = self._counts.get(name, (0.0, 0))
        left = end - self._now()
        return int(left) + 1 if count >= limit and left > 0 else 0

    def count(self, name: tuple[str, ...]) -> None:
        """Count an event."""
        now = self._now()
        while self._counts:
            oldest = next(iter(self._counts))
            if now < self._counts[oldest][0] and len(self._counts) < _MAX_REMEMBERED:
                break
            del self._counts[oldest]
        end, count = self._counts.get(name, (now + self._length, 0))
        self._counts[name] = (end, count + 1)

    def forget(self, name: tuple[str, ...]) -> None:
        """Start this counter anew."""
        self._counts.pop(name, None)

    def clear(self) -> None:
        """Start all of them anew."""
        self._counts.clear()


class FailedSignIns:
    """Counts failed sign-ins per e-mail and per peer address, in windows of five minutes."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Read the time, in seconds, from `now`."""
        self._counters = RateCounters(now, SIGN_IN_WINDOW)

    def check(self, peer: str, email: str) -> None:
        """Raise ApiError 429 where this peer or this e-mail has had too many failures.

        Asked before a password is checked, and again before the outcome is told: guesses that were
        under way when the limit was reached learn nothing.
        """
        for counter, limit in self._limits(peer, email):
            if seconds := self._counters.wait(counter, limit):
                raise ApiError(
                    429, f"too many failed sign-ins, try again in {seconds} seconds"
                )

    def add(self, peer: str, email: str) -> None:
        """Count one failure."""
        for counter, _ in self._limits(peer, email):
            self._counters.count(counter)

    def forgive(self, peer: str, email: str) -> None:
        """Forget this peer's failures at this e-mail, whose password it knows after all."""
        self._counters.forget((peer, email))

    @staticmethod
    def _limits(peer: str, email: str) -> tuple[tuple[tuple[str, str], int], ...]:
        return (
            ((peer, email), FAILURES_PER_PAIR),
            ((peer, ""), FAILURES_PER_PEER),
            (("", email), FAILURES_PER_EMAIL),
        )


class NewAccounts:
    """Counts the accounts that strangers make, in windows of an hour."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Read the time, in seconds, from `now`."""
        self._counters = RateCounters(now, NEW_ACCOUNT_WINDOW)

    def add(self, peer: str) -> None:
        """Count an account that is about to be made. Raises ApiError 429 beyond a limit."""
        counters = ((peer,), ACCOUNTS_PER_PEER), ((), ACCOUNTS_IN_ALL)
        for counter, limit in counters:
            if seconds := self._counters.wait(counter, limit):
                raise ApiError(
                    429, f"too many new accounts, try again in {seconds} seconds"
                )
        for counter, _ in counters:
            self._counters.count(counter)
