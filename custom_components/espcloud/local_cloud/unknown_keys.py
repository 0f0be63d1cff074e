"""Keys that nobody has: told to listeners, and logged so that nobody floods the log."""

from collections.abc import Callable
import logging

from .listeners import Listeners, UnknownKey
from .rate_limits import MAX_REMEMBERED, RecentEvents

_LOGGER = logging.getLogger(__name__)

_QUIET = 600.0
"""Seconds in which an address and a key are logged once."""
_LINES_A_MINUTE = 10
"""Lines in the log, however many keys are made up."""
_ENDS = 4
"""Characters at either end of a key that are logged; it is no secret of ours, but of somebody."""


class UnknownKeys:
    """Hears of every unknown key that a device's path was asked with."""

    def __init__(self, listeners: Listeners, now: Callable[[], float]) -> None:
        """Tell `listeners`; read the time, in seconds, from `now`."""
        self._listeners = listeners
        self._each = RecentEvents(now, _QUIET, 1, MAX_REMEMBERED)
        self._in_all = RecentEvents(now, 60.0, _LINES_A_MINUTE)

    def note(self, address: str, key: str) -> None:
        """Note that somebody at this address has presented this key."""
        if self._listeners:
            self._listeners.tell(UnknownKey(address, key))
        name = (address, _ends(key))
        if not self._each.wait(name) and not self._in_all.wait(""):
            self._each.count(name)
            self._in_all.count("")
            _LOGGER.info("Unknown key %s from %s", _ends(key), address)


def _ends(key: str) -> str:
    """Return the first and the last characters of a key, none of one that has few or odd ones."""
    if len(key) < 5 * _ENDS or not (key.isascii() and key.isalnum()):
        return "…"
    return f"{key[:_ENDS]}…{key[-_ENDS:]}"
