"""Time for the simulated devices: the machine's, or one that a test moves on."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What fades, timers and sleep are measured with; connections go by the machine's time."""

    def now(self) -> float:
        """Return the seconds since some moment."""

    async def sleep(self, seconds: float) -> None:
        """Return so many seconds later."""


class MachineClock:
    """The time that passes."""

    def now(self) -> float:
        """Return the monotonic time."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await asyncio.sleep(seconds)


class ManualClock:
    """A time that stands still until it is moved on.

    Attributes:
        sleepers: for how many seconds from now on each that waits is still asleep.
    """

    def __init__(self) -> None:
        """Begin at 0."""
        self._now = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        """Return how far it was moved."""
        return self._now

    @property
    def sleepers(self) -> list[float]:
        """The soonest first."""
        return sorted(until - self._now for until, _ in self._sleepers)

    async def sleep(self, seconds: float) -> None:
        """Return once it was moved so far."""
        if seconds <= 0:
            return
        sleeper = self._now + seconds, asyncio.get_running_loop().create_future()
        self._sleepers.append(sleeper)
        try:
            await sleeper[1]
        finally:
            self._sleepers.remove(sleeper)

    def advance(self, seconds: float) -> None:
        """Move it on, and wake whose time has come."""
        self._now += seconds
        for until, sleeper in self._sleepers:
            if until <= self._now and not sleeper.done():
                sleeper.set_result(None)


MACHINE_CLOCK = MachineClock()
