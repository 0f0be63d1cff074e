"""A time in which fifteen minutes pass at once, for what is timed by Home Assistant's timers."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
import heapq
from itertools import count

from homeassistant.core import HassJob, HomeAssistant


class FakeTime:
    """Stands still until it is moved on.

    Attributes:
        now: seconds.
    """

    def __init__(self) -> None:
        """Begin at a time at which a machine has been up for a while."""
        self.now = 1000.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def monotonic(self) -> float:
        """Return the time."""
        return self.now

    def call_later(
        self, _hass: HomeAssistant, seconds: float, job: HassJob[[datetime], None]
    ) -> Callable[[], None]:
        """Do what `async_call_later` does."""
        is_cancelled = False

        def cancel() -> None:
            nonlocal is_cancelled
            is_cancelled = True

        def fire() -> None:
            if not is_cancelled:
                job.target(datetime.fromtimestamp(self.now, UTC))

        self._at(seconds, fire)
        return cancel

    async def sleep(self, seconds: float) -> None:
        """Return so many seconds later."""
        woken = asyncio.get_running_loop().create_future()
        self._at(seconds, lambda: woken.done() or woken.set_result(None))
        await woken

    async def advance(self, seconds: float) -> None:
        """Move on, and let happen what is due, each at its moment."""
        end = self.now + seconds
        await _settle()
        while self._due and self._due[0][0] <= end:
            self.now, _, fire = heapq.heappop(self._due)
            fire()
            await _settle()
        self.now = end

    def _at(self, seconds: float, fire: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.now + seconds, next(self._numbers), fire))


async def _settle() -> None:
    for _ in range(4):
        await asyncio.sleep(0)
