"""When the client tries again."""

import asyncio
from itertools import pairwise
import time

import pytest

from custom_components.espcloud.cloud import Backoff, ConnectPacer, refusal_backoff

ROUNDS = 300


def delays(backoff: Backoff, failures: int) -> list[float]:
    """Return many draws of the delay after so many failures."""
    drawn = []
    for _ in range(ROUNDS):
        backoff.failures = failures
        drawn.append(backoff.next_delay())
    return drawn


@pytest.mark.parametrize(
    ("failures", "ceiling"),
    [(0, 1), (1, 2), (2, 4), (5, 32), (6, 60), (7, 60), (31, 60), (10**9, 60)],
)
def test_jitter_fills_everything_below_a_doubled_ceiling(
    failures: int, ceiling: float
) -> None:
    """Any wait from none at all to the ceiling is as likely as any other."""
    drawn = delays(Backoff(), failures)
    assert min(drawn) >= 0
    assert max(drawn) <= ceiling
    # Each of these goes wrong once in 10**13 runs.
    assert min(drawn) < ceiling / 10
    assert max(drawn) > ceiling * 9 / 10
    assert ceiling * 0.35 < sum(drawn) / ROUNDS < ceiling * 0.65


@pytest.mark.parametrize(
    ("failures", "minutes"), [(0, 1), (1, 2), (2, 4), (3, 8), (4, 15), (99, 15)]
)
def test_refused_key_is_left_alone_for_minutes(failures: int, minutes: int) -> None:
    """Never less, so that two refusals in a row are a minute apart; a little more."""
    drawn = delays(refusal_backoff(), failures)
    assert min(drawn) >= minutes * 60
    assert minutes * 60 * 1.1 < max(drawn) <= minutes * 60 * 1.2


def test_every_delay_counts_a_failure() -> None:
    """The ceiling follows from the number of failures."""
    backoff = Backoff(first=0.5, limit=8)
    for failures in range(5):
        assert backoff.failures == failures
        assert 0 <= backoff.next_delay() <= 0.5 * 2**failures


def test_reset_starts_over() -> None:
    """After a stable connection the first delay is a short one again."""
    backoff = Backoff()
    for _ in range(10):
        backoff.next_delay()
    backoff.reset()
    assert backoff.failures == 0
    assert backoff.next_delay() <= 1


async def test_pacer_spaces_out_attempts() -> None:
    """However many want to connect at once, they do so one after another."""
    loop = asyncio.get_running_loop()
    pacer = ConnectPacer(attempts_per_second=50)

    async def attempt() -> float:
        await pacer.turn()
        return loop.time()

    began = loop.time()
    times = sorted(await asyncio.gather(*(attempt() for _ in range(6))))
    # A busy machine may come late to a turn, but never early.
    assert all(time >= began + turn * 0.02 - 1e-4 for turn, time in enumerate(times))


async def test_pacer_costs_nothing_when_nobody_waits() -> None:
    """A turn that is free is taken without giving the loop away."""
    pacer = ConnectPacer(attempts_per_second=1000)
    await pacer.turn()
    await asyncio.sleep(0.002)
    turn = pacer.turn()
    with pytest.raises(StopIteration):
        turn.send(None)


async def test_pacer_does_not_make_up_for_missed_turns() -> None:
    """A loop that was busy for a while lets nobody go earlier than one after another."""
    loop = asyncio.get_running_loop()
    pacer = ConnectPacer(attempts_per_second=50)
    times: list[float] = []

    async def attempt() -> None:
        await pacer.turn()
        times.append(loop.time())

    attempts = [asyncio.create_task(attempt()) for _ in range(5)]
    await asyncio.sleep(0)
    time.sleep(0.1)  # noqa: ASYNC251 - what the loop does while it is busy
    await asyncio.gather(*attempts)
    assert all(b - a >= 0.02 - 1e-4 for a, b in pairwise(times))


async def test_pacer_cancelled_turn_is_the_next_ones() -> None:
    """Who gives up waiting leaves no timer, and the next gets the turn."""
    loop = asyncio.get_running_loop()
    pacer = ConnectPacer(attempts_per_second=20)
    began = loop.time()
    await pacer.turn()
    impatient = asyncio.create_task(pacer.turn())
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.wait([impatient])
    assert impatient.cancelled()
    await pacer.turn()
    assert loop.time() - began >= 0.05
