"""Two clients with one master key (protocol.md §3.2, §10)."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
import logging
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.listeners import Event, KeyContested
from custom_components.espcloud.local_cloud.models import Device
from custom_components.espcloud.local_cloud.rivals import Rivals

from .helpers import DeviceSocket, from_address, until
from .test_session import GOODBYE


class Clock:
    """A time that passes when told."""

    now = 1000.0

    def __call__(self) -> float:
        """Return it."""
        return self.now


@pytest.fixture
def clock(cloud: LocalCloud) -> Clock:
    """Return the clock by which the cloud knows rivals."""
    clock = Clock()
    cloud._presence._rivals = Rivals(clock)
    return clock


def test_the_waits_grow_and_end() -> None:
    """Two exchanges are free, then it takes longer each time, then newcomers are refused."""
    clock = Clock()
    rivals = Rivals(clock)
    waits = []
    for _ in range(6):
        waits.append(rivals.wait(1))
        clock.now += waits[-1] or 0.0
        rivals.exchanged(1)
    assert waits == [0.0, 0.0, 1.0, 2.0, 4.0, 8.0]
    for _ in range(30):
        assert rivals.wait(1) is None
        clock.now += 1
    for _ in range(2):
        assert rivals.wait(1) == 8.0
        clock.now += 1
    rivals.exchanged(1)
    assert rivals.wait(1) is None
    assert rivals.wait(2) == 0.0
    clock.now += 61
    assert rivals.wait(1) == 0.0


def test_a_device_that_comes_back_now_and_then_does_not_wait() -> None:
    """Its old connection may be there still; that is no contest."""
    clock = Clock()
    rivals = Rivals(clock)
    for _ in range(20):
        rivals.exchanged(1)
        assert rivals.wait(1) == 0.0
        clock.now += 11


def test_two_exchanges_within_ten_seconds_are_a_contest() -> None:
    """The first is remembered that long, and a contest for a minute."""
    clock = Clock()
    rivals = Rivals(clock)
    rivals.exchanged(1)
    clock.now += 9.9
    rivals.exchanged(1)
    clock.now += 59.9
    assert rivals.wait(1) == 1.0


async def test_two_clients_with_one_key(
    cloud: LocalCloud,
    device: Device,
    master_key: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Both come back at once; for four seconds there are few exchanges, and one line in the log.

    Whoever listens hears of it once, too.
    """
    heard: list[Event] = []
    cloud.listeners.add(heard.append)

    async def fight() -> None:
        while True:
            async with DeviceSocket(cloud) as socket:
                _identify(socket, master_key)
                await socket.reader.read()

    fighters = [asyncio.ensure_future(fight()) for _ in range(2)]
    await asyncio.sleep(4)
    for fighter in fighters:
        fighter.cancel()
    await asyncio.gather(*fighters, return_exceptions=True)
    # One arrives, two are free, then they come after 1, 2 and 4 seconds.
    assert 3 <= cloud.connection_count(device) <= 5
    warnings = [each for each in caplog.records if each.levelno == logging.WARNING]
    (warning,) = warnings
    assert warning.getMessage() == (
        "Device 1 ('Desk lamp'): 127.0.0.1 and 127.0.0.1 throw each other out with the same "
        "master key; the newcomer has to wait"
    )
    contested = [event for event in heard if isinstance(event, KeyContested)]
    assert contested == [KeyContested(device, ("127.0.0.1", "127.0.0.1"))]


async def test_who_contests_a_key(
    cloud: LocalCloud, device: Device, clock: Clock
) -> None:
    """The one that has the place comes first; another contest is news again."""
    heard: list[Event] = []
    cloud.listeners.add(heard.append)
    async with AsyncExitStack() as stack:
        lamp = await from_address(stack, cloud, "127.0.0.2")
        await lamp.identify(device)
        for count in (1, 2):
            for _ in range(2):
                cloud._presence._rivals.exchanged(device.id)
            for _ in range(2):
                rival = await from_address(stack, cloud, "127.0.0.3")
                _identify(rival, cloud.master_key(device))
            assert await rival.ended() == GOODBYE
            contested = [each for each in heard if isinstance(each, KeyContested)]
            event = KeyContested(device, ("127.0.0.2", "127.0.0.3"))
            assert contested == [event] * count
            (link, _) = cloud._presence._newcomers[device.id]
            link.abort()
            clock.now += 61


class TestWaiting:
    """A newcomer that has to wait for eight seconds."""

    @pytest.fixture
    async def newcomer(
        self, cloud: LocalCloud, device: Device, lamp: DeviceSocket, clock: Clock
    ) -> Any:
        """Connect one, and let it ask."""
        for _ in range(5):
            cloud._presence._rivals.exchanged(device.id)
        async with DeviceSocket(cloud) as socket:
            _identify(socket, cloud.master_key(device))
            await until(_waits(cloud))
            yield socket

    async def test_others_are_refused_meanwhile(
        self, cloud: LocalCloud, device: Device, newcomer: DeviceSocket
    ) -> None:
        """The place has one who waits for it at most."""
        async with DeviceSocket(cloud) as third:
            _identify(third, cloud.master_key(device))
            assert await third.ended() == GOODBYE
        assert (await newcomer.ask("/v1/ping/"))["message"] == "ping success"
        assert cloud.connection_count(device) == 1

    async def test_it_arrives_when_the_other_leaves(
        self,
        cloud: LocalCloud,
        device: Device,
        lamp: DeviceSocket,
        newcomer: DeviceSocket,
    ) -> None:
        """Nobody is thrown out then."""
        lamp.writer.transport.abort()
        assert (await newcomer.receive())["device"]["id"] == device.id
        assert cloud.connection_count(device) == 2

    async def test_it_leaves(
        self,
        cloud: LocalCloud,
        device: Device,
        lamp: DeviceSocket,
        newcomer: DeviceSocket,
    ) -> None:
        """Then nothing is left of it."""
        newcomer.writer.transport.abort()
        await until(lambda: not _waits(cloud)())
        assert (await lamp.ask("/v1/ping/"))["message"] == "ping success"
        assert cloud.connection_count(device) == 1

    async def test_the_server_closes(
        self, cloud: LocalCloud, newcomer: DeviceSocket
    ) -> None:
        """Nothing is left behind."""
        await cloud.close()
        assert await newcomer.ended() == b""
        assert not _waits(cloud)()

    async def test_it_leaves_when_its_turn_comes(
        self,
        cloud: LocalCloud,
        device: Device,
        lamp: DeviceSocket,
        newcomer: DeviceSocket,
    ) -> None:
        """In the same turn of the loop: a connection that has ended is nobody's place."""
        link, turn = cloud._presence._newcomers[device.id]
        turn.set_result(None)
        link.abort()
        await until(lambda: not _waits(cloud)())
        assert (await lamp.ask("/v1/ping/"))["message"] == "ping success"
        assert cloud.connection_count(device) == 1


@pytest.mark.parametrize("how", ["replaced", "removed"])
async def test_a_newcomer_whose_key_is_no_more(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket, clock: Clock, how: str
) -> None:
    """It waited with a good one, and does not get the place with it."""
    for _ in range(5):
        cloud._presence._rivals.exchanged(device.id)
    async with DeviceSocket(cloud) as newcomer:
        _identify(newcomer, cloud.master_key(device))
        await until(_waits(cloud))
        if how == "replaced":
            cloud.regenerate_master_key(device)
        else:
            cloud.remove_device(device)
        assert await newcomer.receive() == {"message": "key not exists", "status": 500}
        assert not cloud.is_online(device)
        assert cloud.connection_count(device) == 1


async def test_a_newcomer_is_refused_in_the_end(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket, clock: Clock
) -> None:
    """It is told why; half a minute later it may wait again."""
    for _ in range(6):
        cloud._presence._rivals.exchanged(device.id)
    for _ in range(3):
        async with DeviceSocket(cloud) as refused:
            _identify(refused, cloud.master_key(device))
            assert await refused.ended() == GOODBYE
    assert (await lamp.ask("/v1/ping/"))["message"] == "ping success"
    assert cloud.connection_count(device) == 1
    clock.now += 30
    async with DeviceSocket(cloud) as waiting:
        _identify(waiting, cloud.master_key(device))
        await until(_waits(cloud))


def _identify(socket: DeviceSocket, master_key: str) -> None:
    meta = {"Authorization": f"token {master_key}"}
    socket.send({"path": "/v1/device/identify", "meta": meta})


def _waits(cloud: LocalCloud) -> Callable[[], bool]:
    return lambda: bool(cloud._presence._newcomers)
