"""Pings while a connection is idle, and the notice that it has died."""

import asyncio
from collections.abc import Callable

# Pings of all connections go out together, at so many moments within `ping_after`.
MOMENTS = 25


class Heartbeat:
    """Watches over one connection with one lazy timer.

    Traffic costs no timer at all. The timer's moments are common to all connections, for
    waking up costs a loop more than what it then does.

    Attributes:
        heard_at: when anything was last received, as the loop tells the time.
    """

    __slots__ = (
        "_answer",
        "_loop",
        "_on_silence",
        "_ping",
        "_ping_after",
        "_timer",
        "heard_at",
    )

    def __init__(
        self,
        ping_after: float,
        answer: float,
        *,
        ping: Callable[[], None],
        on_silence: Callable[[], None],
    ) -> None:
        """Begin to watch.

        Args:
            ping_after: seconds without a byte until a ping is sent, a 25th less at least.
            answer: seconds that anything may take to arrive after that.
            ping: sends a ping.
            on_silence: called once when nothing has arrived.
        """
        self._loop = asyncio.get_running_loop()
        self._ping_after = ping_after
        self._answer = answer
        self._ping = ping
        self._on_silence = on_silence
        self.heard_at = self._loop.time()
        self._timer: asyncio.TimerHandle
        self._ping_if_idle()

    def stop(self) -> None:
        """Leave no timer behind."""
        self._timer.cancel()

    def _ping_if_idle(self) -> None:
        now = self._loop.time()
        due = self._moment(self.heard_at + self._ping_after)
        if due > now:
            self._timer = self._loop.call_at(due, self._ping_if_idle)
            return
        self._timer = self._loop.call_at(
            self._moment(now) + self._answer, self._end_if_silent, self.heard_at
        )
        self._ping()

    def _end_if_silent(self, since: float) -> None:
        if self.heard_at == since:
            self._on_silence()
        else:
            self._ping_if_idle()

    def _moment(self, time: float) -> float:
        """Return the last common moment before or at a time of the loop's."""
        return time - time % (self._ping_after / MOMENTS)
