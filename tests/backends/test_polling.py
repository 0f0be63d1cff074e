"""How often the cloud is asked, by a time that the tests move on."""

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import pairwise
import random
from typing import override

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.espcloud.backends import polling
from custom_components.espcloud.backends.polling import Poll, Poller
from homeassistant.core import HomeAssistant

from .fake_time import FakeTime

WINDOW = 900
MOST = 870
"""Requests of any 15 minutes: a quarter of 3,600, less those for the list of devices."""
LEAST = WINDOW / MOST
"""Seconds between two requests."""


class Question(Poll):
    """Something to ask for, and when it was asked.

    Attributes:
        seconds: how long the answer takes, None where none ever comes.
        asked: when it was asked.
        wanted: whether it is wanted.
        most_at_once: how many questions to its device were under way at most.
    """

    def __init__(
        self,
        time: FakeTime,
        device_id: int,
        *,
        every: int = 1,
        seconds: float | None = 0.2,
        under_way: list[int] | None = None,
    ) -> None:
        """Ask a device; `under_way` holds the devices that are being asked."""
        self.device_id = device_id
        self.every = every
        self.seconds = seconds
        self.asked: list[float] = []
        self.wanted = True
        self.under_way = [] if under_way is None else under_way
        self.most_at_once = 0
        self._time = time

    @property
    @override
    def is_wanted(self) -> bool:
        return self.wanted

    @override
    async def async_run(self) -> None:
        self.asked.append(self._time.now)
        self.under_way.append(self.device_id)
        try:
            count = self.under_way.count(self.device_id)
            self.most_at_once = max(self.most_at_once, count)
            await self._time.sleep(1e9 if self.seconds is None else self.seconds)
        finally:
            self.under_way.remove(self.device_id)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    """Have the poller go by a fake time."""
    time = FakeTime()
    monkeypatch.setattr(polling, "async_call_later", time.call_later)
    monkeypatch.setattr(polling, "monotonic", time.monotonic)
    return time


class Scarce:
    """How long the cloud's own headers say to leave the rest to people."""

    until = 0.0


@pytest.fixture
def scarce() -> Scarce:
    """Return a cloud that allows enough."""
    return Scarce()


@pytest.fixture
def poller(hass: HomeAssistant, time: FakeTime, scarce: Scarce) -> Poller:
    """Return a poller of an account."""
    return Poller(hass, MockConfigEntry(), lambda: scarce.until - time.now)


def times(questions: Sequence[Question]) -> list[float]:
    """Return when anything was asked."""
    return sorted(moment for each in questions for moment in each.asked)


def most_within(seconds: float, moments: list[float]) -> int:
    """Return the most of them in any so many seconds."""
    return max(
        bisect_left(moments, moment + seconds - 1e-6) - index
        for index, moment in enumerate(moments)
    )


def gaps(question: Question) -> list[float]:
    """Return the seconds between two questions of one kind."""
    return [later - sooner for sooner, later in pairwise(question.asked)]


def add_all(
    poller: Poller, time: FakeTime, count: int, *, every: int = 1
) -> list[Question]:
    """Add a question for each of so many devices."""
    questions = [Question(time, number, every=every) for number in range(count)]
    for each in questions:
        poller.add(each)
    return questions


@pytest.mark.parametrize(
    ("count", "seconds"), [(1, 30), (29, 30), (200, 206.9), (1000, 1034.5)]
)
async def test_how_often(
    poller: Poller, time: FakeTime, count: int, seconds: float
) -> None:
    """Every 30 s where the budget allows it, else as often as it does, all alike."""
    questions = add_all(poller, time, count)
    await time.advance(3 * 1034.5 + 60)
    assert most_within(WINDOW, times(questions)) <= MOST
    for each in questions:
        assert each.asked[0] < 1000 + seconds + 3 * LEAST
        assert len(each.asked) >= 3
        assert gaps(each) == pytest.approx([seconds] * len(gaps(each)), abs=LEAST)
    assert poller.diagnostics()["round_seconds"] == pytest.approx(seconds, abs=1)
    assert poller.requests == len(times(questions))


@pytest.mark.parametrize("count", [1, 29, 200, 1000])
async def test_budget_holds_whatever_happens(
    poller: Poller, time: FakeTime, count: int
) -> None:
    """Devices that come back, history and new devices take no more than there is."""
    chance = random.Random(count)
    questions = add_all(poller, time, count)
    slots: list[float] = []

    async def take() -> None:
        await poller.async_slot()
        slots.append(time.now)

    takers = []
    for _ in range(600):
        if chance.random() < 0.2:
            for each in chance.sample(questions, min(count, 5)):
                poller.soon(each)
        takers.append(asyncio.create_task(take()))
        if chance.random() < 0.02:
            questions += add_all(poller, time, 1)
        await time.advance(chance.choice([0.1, 1, 5]))
    moments = sorted([*times(questions), *slots])
    assert slots
    assert most_within(WINDOW, moments) <= MOST
    assert min(b - a for a, b in pairwise(moments)) >= LEAST - 1e-6
    assert poller.requests == len(moments)
    for taker in takers:
        taker.cancel()
    await asyncio.gather(*takers, return_exceptions=True)


async def test_every_second_round(poller: Poller, time: FakeTime) -> None:
    """What changes slowly is asked half as often, and not all in the same round."""
    questions = add_all(poller, time, 10, every=2)
    await time.advance(600)
    for each in questions:
        assert gaps(each) == pytest.approx([60] * len(gaps(each)), abs=6)
    assert len(times(questions)) == pytest.approx(100, abs=10)


async def test_urgent_first(poller: Poller, time: FakeTime) -> None:
    """A device that is back does not wait for a round of a thousand."""
    questions = add_all(poller, time, 1000)
    await time.advance(100)
    late = questions[-2:]
    assert not times(late)
    for each in late:
        poller.soon(each)
        poller.soon(each)
    start = time.now
    await time.advance(2 * LEAST + 0.1)
    assert [len(each.asked) for each in late] == [1, 1]
    assert times(late)[0] <= start + LEAST + 1e-6


async def test_one_question_at_a_time_for_a_device(
    poller: Poller, time: FakeTime
) -> None:
    """The other one waits for the answer and is not forgotten; other devices go on."""
    under_way: list[int] = []
    slow = [Question(time, 99, seconds=5, under_way=under_way) for _ in range(2)]
    for each in slow:
        poller.add(each)
    others = add_all(poller, time, 27)
    await time.advance(600)
    assert [each.most_at_once for each in slow] == [1, 1]
    for each in (*slow, *others):
        assert len(each.asked) >= 600 / 40


async def test_four_at_once(poller: Poller, time: FakeTime) -> None:
    """Who never answers keeps the rest from being asked no longer than that."""
    questions = [Question(time, number, seconds=None) for number in range(10)]
    for each in questions:
        poller.add(each)
    await time.advance(300)
    asked = [each for each in questions if each.asked]
    assert len(asked) == 4
    assert len(times(questions)) == 4


async def test_answers_make_room(poller: Poller, time: FakeTime) -> None:
    """As soon as one of four has answered the next one is asked."""
    questions = [Question(time, number, seconds=20) for number in range(10)]
    for each in questions:
        poller.add(each)
        poller.soon(each)
    await time.advance(20 + LEAST * 5)
    assert sum(bool(each.asked) for each in questions) == 8


@pytest.mark.parametrize(("said", "seconds"), [(60.0, 60.0), (None, 120.0)])
async def test_rest(
    poller: Poller, time: FakeTime, said: float | None, seconds: float
) -> None:
    """For as long as the cloud says nothing is asked, however urgent it is."""
    questions = add_all(poller, time, 29)
    await time.advance(40)
    poller.rest(said)
    # What was under way before may hear something else.
    poller.rest(2.0)
    start = time.now
    before = len(times(questions))
    for _ in range(int(seconds) - 1):
        poller.soon(questions[0])
        await time.advance(1)
    assert len(times(questions)) == before
    await time.advance(1 + 2 * LEAST)
    assert len(times(questions)) > before
    assert times(questions)[before] >= start + seconds


async def test_rest_where_little_is_left(
    poller: Poller, time: FakeTime, scarce: Scarce
) -> None:
    """What is left of the cloud's requests is for people until there are new ones."""
    questions = add_all(poller, time, 29)
    await time.advance(40)
    scarce.until = time.now + 200
    before = len(times(questions))
    poller.soon(questions[0])
    await time.advance(199)
    assert len(times(questions)) == before
    await time.advance(1 + 2 * LEAST)
    assert len(times(questions)) > before


@pytest.mark.parametrize("count", [0, 1, 29, 1000])
async def test_slots(poller: Poller, time: FakeTime, count: int) -> None:
    """History is read a little at a time, and slows the rest down only a little."""
    questions = add_all(poller, time, count)
    granted: list[float] = []

    async def take() -> None:
        for _ in range(20):
            await poller.async_slot()
            granted.append(time.now)

    task = asyncio.create_task(take())
    await time.advance(900)
    assert granted
    assert most_within(WINDOW, sorted([*times(questions), *granted])) <= MOST
    if count <= 29:
        assert task.done()
        for each in questions:
            assert max(gaps(each)) < 30 + 6 * LEAST
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_only_what_is_wanted(poller: Poller, time: FakeTime) -> None:
    """Who is away is not asked, nor who was removed; once back, within a round."""
    questions = add_all(poller, time, 3)
    questions[0].wanted = False
    remove = poller.add(gone := Question(time, 9))
    await time.advance(100)
    assert not questions[0].asked
    assert gone.asked
    poller.soon(gone)
    remove()
    gone.asked.clear()
    questions[0].wanted = True
    await time.advance(61)
    assert not gone.asked
    assert questions[0].asked


@pytest.mark.parametrize(
    "ask", [lambda poller, each: poller.soon(each), lambda poller, _: poller.rest(1)]
)
async def test_close(
    poller: Poller, time: FakeTime, ask: Callable[[Poller, Poll], None]
) -> None:
    """Nothing is asked any more, and nobody waits for a slot."""
    questions = add_all(poller, time, 3)
    await time.advance(100)
    slot = asyncio.create_task(poller.async_slot())
    await asyncio.sleep(0)
    before = len(times(questions))
    poller.close()
    ask(poller, questions[0])
    await time.advance(300)
    assert len(times(questions)) == before
    assert slot.cancelled()
