"""Whether the event loop itself stood still: what came in meanwhile is out of date."""

import asyncio
import time
from typing import ClassVar, Final, Self

# A sender is told after 5 s that the command failed (protocol.md §5). A tick's length
# less, since a stall may begin just before the next tick.
LONGEST_STALL: Final = 4.0

_TICK: Final = 1.0
_CLOCK: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)


def boot_time() -> float:
    """Return the seconds since the machine was started, those in suspend included.

    The loop's own clock stands still in suspend. Where the system has no better one it
    has to do.
    """
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


class StallWatch:
    """Notices that the loop stood still, by one tick a second for all connections.

    A loop that wakes up reads from its sockets before it runs the timers that are due.
    So whoever reads finds the last tick as it was before.
    """

    _watches: ClassVar[dict[asyncio.AbstractEventLoop, StallWatch]] = {}

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Use `join` instead."""
        self._loop = loop
        self._users = 0
        self._seen = boot_time()
        self._ended = float("-inf")
        self._timer = loop.call_later(_TICK, self._tick)

    @classmethod
    def join(cls) -> Self:
        """Return the running loop's watch, which the first user starts."""
        loop = asyncio.get_running_loop()
        watch = cls._watches.get(loop)
        if watch is None:
            watch = cls._watches[loop] = cls(loop)
        watch._users += 1
        return watch  # type: ignore[return-value]  # there are no subclasses

    def leave(self) -> None:
        """Do without the watch; the last user ends it."""
        self._users -= 1
        if not self._users:
            self._timer.cancel()
            del self._watches[self._loop]

    def makes_stale(self, since: float) -> bool:
        """Tell whether what is read now may have waited while the loop stood still.

        Args:
            since: when the connection was made, by `boot_time`.
        """
        now = boot_time()
        if now - max(self._seen, since) > LONGEST_STALL:
            return True
        # What lay in the socket may take more reads than one, in more than one turn.
        return since < self._ended and now - self._ended < _TICK

    def _tick(self) -> None:
        now = boot_time()
        if now - self._seen > LONGEST_STALL:
            self._ended = now
        self._seen = now
        self._timer = self._loop.call_later(_TICK, self._tick)
