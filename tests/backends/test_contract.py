"""What every backend promises (backends/base.py), whichever way it goes to the device."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
import gc
from pathlib import Path
import traceback
from typing import Any

import pytest

from custom_components.espcloud.backends import polling
from custom_components.espcloud.backends.base import Backend
from custom_components.espcloud.cloud import (
    AuthenticationError,
    CannotConnectError,
    CloudDevice,
    CloudError,
    CommandRejectedError,
    DeviceBusyError,
    DeviceOfflineError,
)
from homeassistant.util.async_ import get_scheduled_timer_handles
from tests.credentials import EMAIL, PASSWORD

from .rigs import ANSWER, STREAM, Rig

PATH = f"/v1/datastreams/{STREAM}/datapoint/"

type Ask = Callable[[Backend], Awaitable[Any]]

ASKS: dict[str, Ask] = {
    "read": lambda backend: backend.async_read(STREAM),
    "write": lambda backend: backend.async_write(STREAM, {"x": 1}),
    "call": lambda backend: backend.async_call("blink", {"times": "2"}),
}
REQUESTS = {
    "read": ("GET", PATH, {}),
    "write": ("POST", PATH, {"datapoint": {"x": 1}}),
    "call": ("GET", "/v1/device/rpc/", {"action": "blink", "times": "2"}),
}


@pytest.fixture(autouse=True)
def no_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask nothing but what a test asks."""
    monkeypatch.setattr(polling, "SPACING", 3600.0)


@pytest.fixture(params=list(ASKS))
def name(request: pytest.FixtureRequest) -> str:
    """Return each thing that can be asked of a device."""
    asked: str = request.param
    return asked


@pytest.fixture
def ask(name: str) -> Ask:
    """Return what asks it."""
    return ASKS[name]


async def fails(rig: Rig, ask: Ask, kind: type[CloudError]) -> CloudError:
    """Check that asking ends with such an error, which tells no secret; return it."""
    with pytest.raises(CloudError) as caught:
        async with asyncio.timeout(5):
            await ask(rig.backend)
    assert isinstance(caught.value, kind)
    tells_no_secret(rig, "".join(traceback.format_exception(caught.value)))
    return caught.value


def tells_no_secret(rig: Rig, text: str) -> None:
    """Check a text that somebody may read."""
    assert text
    for secret in (*rig.secrets, PASSWORD, EMAIL):
        assert secret not in text


async def test_device_that_comes_and_goes(rig: Rig) -> None:
    """The listener hears each time, and which device it is."""
    (device,) = [what for name, what in rig.listener.told if name == "connected"]
    assert isinstance(device, CloudDevice)
    assert device.id == rig.device.id
    for number in (1, 2):
        await rig.lose()
        await rig.listener.wait_connected(connected=False)
        await rig.come_back()
        await rig.listener.wait_connected()
        assert rig.listener.presence == [
            "connected",
            *["disconnected", "connected"] * number,
        ]
    for name, what in rig.listener.told:
        if name == "disconnected":
            assert isinstance(what, CloudError)
            tells_no_secret(rig, repr(what))
    # And it does what it is told.
    await rig.backend.async_write(STREAM, {"x": 1})
    assert rig.requests[-1] == REQUESTS["write"]


async def test_ask(rig: Rig, name: str, ask: Ask) -> None:
    """The device is asked once, and its own answer comes back."""
    answer = await ask(rig.backend)
    if name == "call":
        assert answer["status"] == 200
        answer = {"datapoint": answer["datapoint"]}
    else:
        answer = {"datapoint": dict(answer)}
    assert answer == ANSWER
    assert rig.requests == [REQUESTS[name]]


async def test_device_that_is_away(rig: Rig, name: str, ask: Ask) -> None:
    """A command fails, after a wait where it is worth that, and never arrives."""
    await rig.lose()
    await fails(rig, ask, DeviceOfflineError)
    assert rig.requests == []
    await rig.come_back()
    await rig.listener.wait_connected()
    if name != "read":
        # Not even late. How it is, it may have been asked.
        assert REQUESTS[name] not in rig.requests
    before = len(rig.requests)
    await ask(rig.backend)
    assert len(rig.requests) == before + 1


async def test_wait_for_a_device(
    rig: Rig, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it may be back in a moment it is waited for; else nobody is even asked."""
    await rig.lose()
    if not rig.waits:
        # A request would hang.
        rig.hold_answers()
        await fails(rig, ask, DeviceOfflineError)
        return
    monkeypatch.setattr(
        "custom_components.espcloud.backends.virtual.RECONNECT_WAIT", 5.0
    )
    command = asyncio.ensure_future(ask(rig.backend))
    await asyncio.sleep(0)
    await rig.come_back()
    async with asyncio.timeout(5):
        assert await command


async def test_device_that_went_unnoticed(rig: Rig, ask: Ask) -> None:
    """What the cloud says of it first shows in the answer to a command."""
    await rig.switch_off()
    await rig.cloud.wait_offline(rig.device)
    assert rig.listener.is_connected
    await fails(rig, ask, DeviceOfflineError)
    assert not rig.listener.is_connected


async def test_silent_device(rig: Rig, ask: Ask) -> None:
    """It is there but does not answer."""
    rig.fall_silent()
    await fails(rig, ask, DeviceBusyError)
    assert rig.listener.presence == ["connected"]


@pytest.mark.parametrize("status", [403, 429])
async def test_device_that_refuses(rig: Rig, ask: Ask, status: int) -> None:
    """Its own status is what it says, not the cloud's, whatever the number."""
    rig.refuse(status)
    error = await fails(rig, ask, CommandRejectedError)
    assert isinstance(error, CommandRejectedError)
    assert error.status == status
    assert rig.listener.presence == ["connected"]
    assert len(rig.requests) == 1


@pytest.mark.parametrize("is_known", [False, True])
async def test_server_that_is_gone(rig: Rig, ask: Ask, is_known: bool) -> None:
    """Nobody knows how the device is; what keeps the command from it is the server."""
    await rig.lose_server()
    if is_known:
        await rig.look(CannotConnectError)
    await fails(rig, ask, CannotConnectError)
    assert rig.requests == []
    await rig.find_server()
    assert rig.listener.is_connected
    await ask(rig.backend)
    assert len(rig.requests) == 1


@pytest.mark.parametrize("is_known", [False, True])
async def test_key_that_is_refused(rig: Rig, ask: Ask, is_known: bool) -> None:
    """Neither the owner key nor the account's own works any more."""
    for key in rig.secrets[1:]:
        rig.cloud.revoke_key(key)
    if is_known:
        await rig.look(AuthenticationError)
    await fails(rig, ask, AuthenticationError)
    assert rig.requests == []


async def test_nothing_is_told_after_the_end(rig: Rig) -> None:
    """Neither what was under way nor what happens later."""
    rig.hold_answers()
    refresh = asyncio.ensure_future(rig.backend.async_refresh())
    await asyncio.sleep(0.05)
    assert not refresh.done()
    told = list(rig.listener.told)
    closing = asyncio.ensure_future(rig.backend.async_close())
    rig.release_answers()
    await asyncio.gather(refresh, closing, return_exceptions=True)
    await rig.account.async_refresh()
    rig.cloud.rename(rig.device, "Another name")
    await rig.account.async_refresh()
    await rig.switch_off()
    await rig.cloud.wait_offline(rig.device)
    await rig.account.async_refresh()
    assert rig.listener.told == told


async def test_nothing_is_left(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """No task, timer or socket, even where a question is under way at the end."""
    await rig.backend.async_refresh()
    await rig.backend.async_close()
    await rig.empty()
    before = Holdings.now()
    monkeypatch.setattr(polling, "SPACING", 0.0)
    for _ in range(3):
        await rig.restart()
        await rig.backend.async_write(STREAM, {"x": 1})
        rig.fall_silent()
        rig.hurry()
        await asyncio.sleep(0.05)
        await rig.backend.async_close()
        # What was cancelled ends within the next turns of the loop.
        for _ in range(5):
            await asyncio.sleep(0)
        assert Holdings.now().tasks == before.tasks
        rig.speak()
    await rig.empty()
    after = Holdings.now()
    assert after.timers <= before.timers
    assert after.files <= before.files


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the integration has: names of its tasks; and the whole process."""

    tasks: list[str]
    timers: int
    files: int

    @classmethod
    def now(cls) -> Holdings:
        """Count."""
        gc.collect()
        return cls(
            tasks=sorted(
                task.get_name() for task in asyncio.all_tasks() if _is_ours(task)
            ),
            timers=sum(
                not handle.cancelled()
                for handle in get_scheduled_timer_handles(asyncio.get_running_loop())
            ),
            files=len(list(Path("/proc/self/fd").iterdir())),
        )


def _is_ours(task: asyncio.Task[Any]) -> bool:
    """Tell whether a task is the integration's, rather than the cloud's or a test's."""
    code = getattr(task.get_coro(), "cr_code", None)
    file = Path(code.co_filename) if code is not None else Path()
    return "custom_components" in file.parts and "local_cloud" not in file.parts


async def test_no_secret_is_told(rig: Rig) -> None:
    """Neither by the backend's representation nor by what a report shows of it."""
    await rig.backend.async_read(STREAM)
    for text in (
        repr(rig.backend),
        repr(vars(rig.backend)),
        str(rig.backend.diagnostics()),
        repr(rig.listener.told),
    ):
        for secret in (PASSWORD, EMAIL, rig.secrets[1]):
            assert secret not in text
    for text in (repr(rig.backend), str(rig.backend.diagnostics())):
        tells_no_secret(rig, text)
