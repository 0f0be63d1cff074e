"""Commands wait for a device in order; only neighbors that may be are sent together."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.espcloud.cloud import CommandRejectedError, DeviceOfflineError
from custom_components.espcloud.command_queue import CommandQueue
from custom_components.espcloud.kinds.base import Change
from homeassistant.core import HomeAssistant

type State = tuple[str, ...]


class Device:
    """What the queue sends to: answers when it is told to.

    Attributes:
        state: what was changed, in order.
        sent: what each command made of the state, or the name of a call.
        error: what the next command ends with, None for success.
        is_quick: whether it answers at once, without a turn of the loop.
    """

    def __init__(self) -> None:
        """Answer nothing yet."""
        self.state: State = ()
        self.sent: list[State | str] = []
        self.error: Exception | None = None
        self.is_quick = False
        self._turn = asyncio.Semaphore(0)

    async def perform(self, change: Change[State]) -> None:
        """Take a change."""
        goal = change(self.state)
        self.sent.append(goal)
        await self._answer()
        self.state = goal

    def call(self, name: str) -> Callable[[], Any]:
        """Return a call that is answered with its name."""

        async def call() -> str:
            self.sent.append(name)
            await self._answer()
            return name

        return call

    async def answer(self, count: int = 1) -> None:
        """Answer so many commands, those to come included."""
        for _ in range(count):
            self._turn.release()
            await settle()

    async def _answer(self) -> None:
        if not self.is_quick:
            await self._turn.acquire()
        if (error := self.error) is not None:
            self.error = None
            raise error


async def settle() -> None:
    """Let whatever can go on go on."""
    for _ in range(5):
        await asyncio.sleep(0)


def add(name: str) -> Change[State]:
    """Return a change that shows in the state."""
    return lambda state: (*state, name)


@pytest.fixture
def device() -> Device:
    """Return a device that waits."""
    return Device()


@pytest.fixture
def queue(hass: HomeAssistant, device: Device) -> CommandQueue:
    """Return the device's queue, its task made as the coordinator makes it."""
    entry = MockConfigEntry()
    return CommandQueue(
        device.perform,
        lambda coro: entry.async_create_background_task(hass, coro, "commands"),
    )


class Order:
    """Commands given one right after the other, as a slider or several people do."""

    def __init__(self, queue: CommandQueue) -> None:
        """Give nothing yet."""
        self._queue = queue
        self.tasks: list[asyncio.Task[Any]] = []

    async def change(self, name: str, *, merges: bool = True) -> asyncio.Task[Any]:
        """Give a change."""
        return await self._give(self._queue.change(add(name), merges=merges))

    async def call(self, call: Callable[[], Any]) -> asyncio.Task[Any]:
        """Give a call."""
        return await self._give(self._queue.call(call))

    async def _give(self, command: Any) -> asyncio.Task[Any]:
        task = asyncio.create_task(command)
        self.tasks.append(task)
        await settle()
        return task


async def test_waiting_changes_are_sent_together(
    queue: CommandQueue, device: Device
) -> None:
    """The first is under way; of the rest only the outcome is sent, and all end with it."""
    order = Order(queue)
    for name in "abcd":
        await order.change(name)
    assert device.sent == [("a",)]
    await device.answer()
    assert device.sent == [("a",), ("a", "b", "c", "d")]
    assert [task.done() for task in order.tasks] == [True, False, False, False]
    await device.answer()
    assert [task.result() for task in order.tasks] == [None] * 4
    assert device.state == ("a", "b", "c", "d")


async def test_superseded_change_ends_as_the_newer_one(
    queue: CommandQueue, device: Device
) -> None:
    """An error is theirs as well; the next command is sent all the same."""
    order = Order(queue)
    for name in "abc":
        await order.change(name)
    await device.answer()
    device.error = CommandRejectedError(403)
    await device.answer()
    assert order.tasks[0].result() is None
    for task in order.tasks[1:]:
        assert isinstance(task.exception(), CommandRejectedError)
    await order.change("d")
    await device.answer()
    assert device.sent[-1] == ("a", "d")
    assert order.tasks[-1].result() is None


@pytest.mark.parametrize("between", ["toggle", "call"])
async def test_only_neighbors_are_merged(
    queue: CommandQueue, device: Device, between: str
) -> None:
    """A toggle or a call stays what it is, where it is, and alone."""
    order = Order(queue)
    await order.change("a")
    await order.change("b")
    await order.change("c")
    if between == "toggle":
        await order.change("T", merges=False)
    else:
        await order.call(device.call("T"))
    await order.change("d")
    await order.change("e")
    await device.answer(4)
    toggled = ("a", "b", "c", "T") if between == "toggle" else ("a", "b", "c")
    assert device.sent == [
        ("a",),
        ("a", "b", "c"),
        toggled if between == "toggle" else "T",
        (*toggled, "d", "e"),
    ]
    assert all(task.done() for task in order.tasks)


async def test_toggles_and_calls_are_never_merged(
    queue: CommandQueue, device: Device
) -> None:
    """Each is sent, in the order given, and each gets its own answer."""
    order = Order(queue)
    await order.change("a", merges=False)
    await order.change("b", merges=False)
    calls = [await order.call(device.call(name)) for name in ("one", "two")]
    await order.change("c", merges=False)
    assert device.sent == [("a",)]
    await device.answer(5)
    assert device.sent == [("a",), ("a", "b"), "one", "two", ("a", "b", "c")]
    assert [call.result() for call in calls] == ["one", "two"]


async def test_error_of_a_call_is_its_own(queue: CommandQueue, device: Device) -> None:
    """The others know nothing of it."""
    order = Order(queue)
    await order.call(device.call("one"))
    await order.call(device.call("two"))
    device.error = CommandRejectedError(500)
    await device.answer(2)
    assert isinstance(order.tasks[0].exception(), CommandRejectedError)
    assert order.tasks[1].result() == "two"


async def test_whoever_gives_up_takes_nothing_back(
    queue: CommandQueue, device: Device
) -> None:
    """A command that was given is sent, whether or not somebody still waits for it."""
    order = Order(queue)
    await order.change("a")
    for task in (await order.change("b"), await order.change("c")):
        task.cancel()
    await settle()
    await device.answer(2)
    assert device.sent == [("a",), ("a", "b", "c")]
    later = await order.change("d")
    await device.answer()
    assert later.result() is None


async def test_commands_that_end_at_once(queue: CommandQueue, device: Device) -> None:
    """Where a device is off-line nothing is waited for, and the next one is sent still."""
    device.is_quick = True
    for _ in range(3):
        device.error = DeviceOfflineError("away")
        with pytest.raises(DeviceOfflineError):
            await queue.call(device.call("away"))
    async with asyncio.timeout(1):
        assert await queue.call(device.call("back")) == "back"
    assert device.sent == ["away", "away", "away", "back"]


async def test_close_ends_what_waits(queue: CommandQueue, device: Device) -> None:
    """Nothing is sent any more, not even what comes later; whoever waits hears so."""
    order = Order(queue)
    await order.change("a")
    await order.change("b")
    await order.call(device.call("c"))
    queue.close()
    await order.change("d")
    await settle()
    await order.call(device.call("e"))
    await device.answer(5)
    assert device.sent == [("a",)]
    for task in order.tasks:
        assert isinstance(task.exception(), DeviceOfflineError)
