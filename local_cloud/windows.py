"""Counting what strangers do, for a while."""

from collections.abc import Callable

_MAX_REMEMBERED = 30_000
"""Counters kept; beyond it the oldest go, so that made-up names do not fill the memory."""


class Windows:
    """Counters that each start with their first event and end a fixed time later."""

    def __init__(self, now: Callable[[], float], length: float) -> None:
        """Read the time from `now`; a counter lives `length`; both in seconds."""
        self._now = now
        self._length = length
        self._windows: dict[tuple[str, ...], tuple[float, int]] = {}
        """Name → (end, count); all live equally long, so the oldest one ends first."""

    def __len__(self) -> int:
        """Return how many counters are remembered."""
        return len(self._windows)

    def wait(self, name: tuple[str, ...], limit: int) -> int:
        """Return in how many seconds this is below the limit again, 0 where it is now."""
        end, count = self._windows.get(name, (0.0, 0))
        left = end - self._now()
        return int(left) + 1 if count >= limit and left > 0 else 0

    def count(self, name: tuple[str, ...]) -> None:
        """Count an event."""
        now = self._now()
        while self._windows:
            oldest = next(iter(self._windows))
            if now < self._windows[oldest][0] and len(self._windows) < _MAX_REMEMBERED:
                break
            del self._windows[oldest]
        end, count = self._windows.get(name, (now + self._length, 0))
        self._windows[name] = (end, count + 1)

    def forget(self, name: tuple[str, ...]) -> None:
        """Start this counter anew."""
        self._windows.pop(name, None)

    def clear(self) -> None:
        """Start all of them anew."""
        self._windows.clear()
