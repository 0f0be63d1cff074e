"""Who is let in, and when."""

import asyncio

import pytest

from custom_components.espcloud.local_cloud.errors import ApiError
from custom_components.espcloud.local_cloud.fair_queue import (
    MAX_IN_ALL,
    MAX_OF_ACCOUNT,
    FairQueue,
)


class Requests:
    """Whoever asks for a turn; `let_in` is who got one, in that order."""

    def __init__(self) -> None:
        """Let in one at a time, and keep the first one inside."""
        self.queue = FairQueue(1)
        self.let_in: list[str] = []
        self.opened = asyncio.Event()

    async def ask(self, address: str, account: str = "") -> None:
        """Wait for a turn and leave at once, or when the first one may leave."""
        async with self.queue.turn(address, account):
            self.let_in.append(address + account)
            await self.opened.wait()


@pytest.fixture
async def requests() -> Requests:
    """Return a queue with somebody inside."""
    return Requests()


async def ask(requests: Requests, *names: tuple[str, str]) -> list[asyncio.Task[None]]:
    """Let them ask in this order."""
    tasks = [asyncio.ensure_future(requests.ask(*name)) for name in names]
    await asyncio.sleep(0)
    return tasks


async def test_addresses_and_their_accounts_take_turns(requests: Requests) -> None:
    """Who asks often waits often; an account has a turn for each of its address."""
    names = [("a", "1")] * 4 + [("a", "2")] * 2 + [("b", "1"), ("c", "1"), ("b", "1")]
    tasks = await ask(requests, ("first", ""), *names)
    assert requests.let_in == ["first"]
    requests.opened.set()
    await asyncio.gather(*tasks)
    assert requests.let_in[1:] == ["a1", "b1", "c1", "a2", "b1", "a1", "a2", "a1", "a1"]
    assert len(requests.queue) == 0


async def test_so_many_at_once() -> None:
    """As many as were said, and no more."""
    queue = FairQueue(2)
    async with queue.turn("a", ""), queue.turn("a", ""):
        third = asyncio.ensure_future(queue.turn("a", "").__aenter__())
        await asyncio.sleep(0)
        assert len(queue) == 1
    await third


async def test_an_account_has_so_many_places(requests: Requests) -> None:
    """The next one is refused; another account of the same address is not."""
    names = [("a", "1")] * (MAX_OF_ACCOUNT + 1) + [("a", "2")]
    tasks = await ask(requests, ("first", ""), *names)
    refused = [task for task in tasks if task.done()]
    assert refused == [tasks[-2]]
    with pytest.raises(ApiError, match="too many requests at once"):
        await refused[0]
    requests.opened.set()
    await asyncio.gather(*tasks[:-2], tasks[-1])


@pytest.mark.parametrize("of_account", [1, MAX_OF_ACCOUNT])
async def test_a_full_queue_has_a_place_for_others(
    requests: Requests, of_account: int
) -> None:
    """The newest request goes of whoever has most; who has most gets no more."""
    names = [("flood", str(number // of_account)) for number in range(MAX_IN_ALL)]
    tasks = await ask(requests, ("first", ""), *names)
    more = await ask(requests, ("flood", "more"), ("somebody", ""))
    await asyncio.sleep(0)
    assert more[0].done()
    assert not more[1].done()
    assert [task for task in tasks if task.done()] == [tasks[of_account]]
    assert len(requests.queue) == MAX_IN_ALL
    requests.opened.set()
    results = await asyncio.gather(*tasks, *more, return_exceptions=True)
    assert sum(isinstance(result, ApiError) for result in results) == 2
    assert requests.let_in[2] == "somebody"


async def test_who_goes_away_is_passed_over(requests: Requests) -> None:
    """Before the turn came, or in the moment in which it came."""
    first, second, third, fourth = await ask(
        requests, ("first", ""), ("second", ""), ("third", ""), ("fourth", "")
    )
    second.cancel()
    await asyncio.sleep(0)
    requests.opened.set()
    await asyncio.sleep(0)  # The first one leaves: the third one's turn has come.
    third.cancel()
    await asyncio.gather(first, fourth)
    assert requests.let_in == ["first", "fourth"]
    await requests.ask("fifth")
