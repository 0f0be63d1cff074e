"""How a light goes from one setting to the next (protocol.md §10.2, 1)."""

from collections.abc import Mapping

from .clock import Clock

FADE = 1.8
"""Seconds that it takes at most; [I] that it is even, and always takes them."""


class Fade:
    """Channels on their way."""

    def __init__(self, start: Mapping[str, int], clock: Clock, seconds: float) -> None:
        """Begin where they stay."""
        self._from = dict(start)
        self.goal = dict(start)
        self._clock = clock
        self._seconds = seconds
        self._began = clock.now() - seconds

    def begin(self, goal: Mapping[str, int]) -> None:
        """Go from where they are to a goal; a channel without one stays."""
        self._from = self.now()
        self.goal = {**self._from, **goal}
        self._began = self._clock.now()

    def now(self) -> dict[str, int]:
        """Return where they are."""
        passed = self._clock.now() - self._began
        if passed >= self._seconds:
            return dict(self.goal)
        part = passed / self._seconds
        return {
            name: round(start + (self.goal[name] - start) * part)
            for name, start in self._from.items()
        }
