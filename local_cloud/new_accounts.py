"""A limit on making accounts, which anybody may."""

from collections.abc import Callable

from .errors import ApiError
from .windows import Windows

WINDOW = 3600.0
"""Seconds in which new accounts count."""
PER_PEER = 20
"""New accounts of one address."""
IN_ALL = 200
"""New accounts from wherever: more addresses do not fill the memory faster."""


class NewAccounts:
    """Counts the accounts that strangers make, in windows of an hour."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Read the time, in seconds, from `now`."""
        self._windows = Windows(now, WINDOW)

    def add(self, peer: str) -> None:
        """Count an account that is about to be made. Raises ApiError 429 beyond a limit."""
        counters = ((peer,), PER_PEER), ((), IN_ALL)
        for counter, limit in counters:
            if seconds := self._windows.wait(counter, limit):
                raise ApiError(
                    429, f"too many new accounts, try again in {seconds} seconds"
                )
        for counter, _ in counters:
            self._windows.count(counter)
