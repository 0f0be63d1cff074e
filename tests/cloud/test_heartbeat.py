"""When pings go out; what comes of them is tested with the connection."""

import asyncio
from functools import partial
from operator import add

import pytest

from custom_components.espcloud.cloud.heartbeat import MOMENTS, Heartbeat


class Watched:
    """Something whose heartbeat is noted down."""

    def __init__(self, ping_after: float, answer: float) -> None:
        """Begin at once."""
        self.pinged: list[float] = []
        self.fell_silent = asyncio.Event()
        self.heartbeat = Heartbeat(
            ping_after,
            answer,
            ping=lambda: self.pinged.append(asyncio.get_running_loop().time()),
            on_silence=self.fell_silent.set,
        )


async def test_pings_of_many_go_out_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop wakes at the same moments for all of them, however they came."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    watched = []
    with monkeypatch.context() as patched:
        for number in range(40):
            # A millisecond apart, however busy the machine is.
            patched.setattr(loop, "time", partial(add, began, number / 1000))
            watched.append(Watched(ping_after=0.5, answer=0.5))
    # 40 ms are two of 25 moments, and a part of a third.
    assert len({one.heartbeat._timer.when() for one in watched}) <= 3
    for one in watched:
        await asyncio.wait_for(one.fell_silent.wait(), 30)
        one.heartbeat.stop()
        assert len(one.pinged) == 1
        assert one.pinged[0] - began >= 0.5 * (1 - 1 / MOMENTS) - 0.001


async def test_what_is_heard_puts_the_ping_off() -> None:
    """A connection with traffic is never pinged."""
    loop = asyncio.get_running_loop()
    watched = Watched(ping_after=0.2, answer=0.2)
    for _ in range(30):
        await asyncio.sleep(0.02)
        watched.heartbeat.heard_at = loop.time()
    watched.heartbeat.stop()
    assert not watched.pinged
    assert not watched.fell_silent.is_set()
