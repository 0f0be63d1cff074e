"""When a key that is refused is no longer valid, rather than unknown for a moment."""

from time import monotonic

LEAST_APART = 60.0
"""Seconds. A cloud that comes back without its state may have it again soon."""


class Refusals:
    """Tells one refusal from a key that is gone."""

    def __init__(self) -> None:
        """Begin with a key that is taken to be good."""
        self._first: float | None = None

    def note(self) -> bool:
        """Note a refusal; return whether a person has to be asked.

        That is from the second one on, at least a minute after the first.
        """
        now = monotonic()
        if self._first is None:
            self._first = now
        return now - self._first >= LEAST_APART

    def clear(self) -> None:
        """Note that the key works."""
        self._first = None
