"""Clients that throw each other out with one master key: they are slowed down (protocol.md §10)."""

from collections.abc import Callable

_WINDOW = 10.0
"""Two exchanges within so many seconds are a contest; one is a device that came back."""
_MEMORY = 60.0
"""A contest is over when nobody has tried for so many seconds."""
_HOLDS = (1.0, 2.0, 4.0, 8.0)
"""How long the newcomer waits, exchange after exchange; clients give up after 10 s."""
_REFUSAL = 30.0
"""How long newcomers are refused after the longest wait did not help."""


class _Contest:
    """The exchanges of one device's connection, as far as they are remembered."""

    __slots__ = ("exchanges", "is_known", "last_exchange", "until")

    def __init__(self) -> None:
        self.exchanges = 0
        self.last_exchange = 0.0
        self.until = 0.0
        self.is_known = False


class Rivals:
    """Says how long a newcomer waits before it takes a device's place from another connection."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Tell the time, in seconds, by `clock`."""
        self._clock = clock
        self._contests: dict[int, _Contest] = {}

    def exchanged(self, device_id: int) -> None:
        """Note that a connection has thrown another one out."""
        now = self._clock()
        contest = self._contest(device_id, now)
        contest.exchanges += 1
        contest.last_exchange = now
        contest.until = now + (_WINDOW if contest.exchanges == 1 else _MEMORY)

    def wait(self, device_id: int) -> float | None:
        """Return how many seconds the next newcomer waits, and None if it is refused."""
        now = self._clock()
        contest = self._contest(device_id, now)
        if contest.exchanges < 2:
            return 0.0
        contest.until = now + _MEMORY
        step = contest.exchanges - 2
        if step >= len(_HOLDS) and now < contest.last_exchange + _REFUSAL:
            return None
        return _HOLDS[min(step, len(_HOLDS) - 1)]

    def is_news(self, device_id: int) -> bool:
        """Say, once for each contest, that it has not been told yet."""
        contest = self._contest(device_id, self._clock())
        is_news, contest.is_known = not contest.is_known, True
        return is_news

    def _contest(self, device_id: int, now: float) -> _Contest:
        contest = self._contests.get(device_id)
        if contest is None or now > contest.until:
            contest = self._contests[device_id] = _Contest()
        return contest
