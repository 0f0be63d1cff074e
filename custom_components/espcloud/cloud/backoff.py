"""When to try again: each device's own back-off, and one pace for all of them."""

import asyncio
from dataclasses import dataclass, field
import random


@dataclass(slots=True)
class Backoff:
    """Exponential back-off with jitter, in seconds.

    Full jitter keeps clients that were thrown out together from coming back together.

    Attributes:
        first: the first delay; each is twice the one before.
        limit: what no delay grows beyond.
        jitter: the least and the greatest part of it that is waited.
        failures: how many delays there were since the last reset.
    """

    first: float = 1.0
    limit: float = 60.0
    jitter: tuple[float, float] = (0.0, 1.0)
    failures: int = field(default=0, init=False)

    def next_delay(self) -> float:
        """Return how long to wait before the next attempt, and count a failure."""
        # The exponent is capped so that years of failures cannot overflow a float.
        ceiling = min(self.limit, self.first * 2 ** min(self.failures, 30))
        self.failures += 1
        least, greatest = self.jitter
        return random.uniform(least * ceiling, greatest * ceiling)

    def reset(self) -> None:
        """Start over: the last connection proved stable."""
        self.failures = 0


def refusal_backoff() -> Backoff:
    """Return the back-off of a refused key: 1, 2, 4, 8, 15 minutes, or a little more.

    Trying again and again would look like an attack, never again would leave a device
    behind whose cloud only forgot it for a moment.
    """
    return Backoff(first=60.0, limit=900.0, jitter=(1.0, 1.2))


class ConnectPacer:
    """Spaces out the connection attempts of all devices of an account.

    Jitter alone would still send a thousand first attempts within the first second.
    """

    def __init__(self, attempts_per_second: float = 50.0) -> None:
        """Allow at most this many attempts a second."""
        self._spacing = 1 / attempts_per_second
        self._next_turn = 0.0
        self._queue = asyncio.Lock()

    async def turn(self) -> None:
        """Wait for the next free turn.

        Turns that a busy loop has missed are not made up for: that would be a burst.
        """
        loop = asyncio.get_running_loop()
        async with self._queue:
            if (wait := self._next_turn - loop.time()) > 0:
                await asyncio.sleep(wait)
            self._next_turn = loop.time() + self._spacing
