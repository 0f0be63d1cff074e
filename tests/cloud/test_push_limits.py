"""Pushes beyond what a home can mean are refused at once, and a flood ends the connection."""

import asyncio

import pytest

from custom_components.espcloud.cloud import (
    AccountPushes,
    CloudConnection,
    DevicePushes,
    Endpoint,
    FloodError,
    Push,
    PushLimits,
)
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device
from tests.common import send_command

from .conftest import Start
from .helpers import push_frame
from .scripted_server import ScriptedServer
from .test_connection import PATIENT, lost
from .test_session import patient

NEVER = 1e-9
"""Pushes a second, so that no test waits for one, however busy the machine is."""


def admitted(pushes: DevicePushes, count: int, *, begin: float, rate: float) -> int:
    """Return how many of so many pushes are carried out, that come at a steady rate."""
    return sum(pushes.admit(begin + number / rate) for number in range(count))


# The usual limits, with times that the test sets


def test_burst() -> None:
    """200 at once are carried out, after a rest; the 201st is not."""
    pushes = DevicePushes(AccountPushes())
    assert [pushes.admit(100.0) for _ in range(201)] == [True] * 200 + [False]


def test_rate() -> None:
    """Of 679 a second 50 are, once the burst is used up; of 50 a second all are."""
    pushes = DevicePushes(AccountPushes())
    assert admitted(pushes, 679 * 20, begin=100, rate=679) == pytest.approx(
        200 + 50 * 20, abs=1
    )
    assert admitted(pushes, 500, begin=120.1, rate=49) == 500


def test_refill() -> None:
    """A second brings 50, and a rest the burst, but never more."""
    pushes = DevicePushes(AccountPushes())
    for now, expected in ((100, 200), (101, 50), (103, 100), (500, 200)):
        assert sum(pushes.admit(now) for _ in range(400)) == expected


def test_account() -> None:
    """All its devices together carry out 500 a second; other accounts do not count."""
    account = AccountPushes()
    devices = [DevicePushes(account) for _ in range(40)]
    carried_out = sum(device.admit(100.0) for device in devices for _ in range(100))
    assert carried_out == 2000
    seconds = 10
    carried_out = sum(
        device.admit(100 + number / 45)
        for number in range(1, 45 * seconds + 1)
        for device in devices
    )
    assert carried_out == pytest.approx(500 * seconds, abs=1)
    assert DevicePushes(AccountPushes()).admit(110.0)


@pytest.mark.parametrize("rate", [1100, 10_000])
def test_flood(rate: int) -> None:
    """Beyond 1,000 within a second, refused ones too, it ends."""
    pushes = DevicePushes(AccountPushes())
    assert admitted(pushes, 1000, begin=100, rate=rate) < 250
    with pytest.raises(FloodError):
        pushes.admit(100 + 1000 / rate)


def test_less_than_a_flood() -> None:
    """It may go on for ever: each is refused, and the connection stays."""
    pushes = DevicePushes(AccountPushes())
    admitted(pushes, 60_000, begin=100, rate=999)


def test_flood_that_is_over() -> None:
    """What came in another second is forgotten."""
    pushes = DevicePushes(AccountPushes())
    with pytest.raises(FloodError):
        admitted(pushes, 1001, begin=100, rate=10_000)
    assert pushes.admit(105.0)


def test_each_refusal_is_told() -> None:
    """The flood's, too; what is carried out is nobody's concern."""
    refused: list[None] = []
    pushes = DevicePushes(
        AccountPushes(PushLimits(device_burst=3, device_rate=NEVER, flood_rate=4)),
        lambda: refused.append(None),
    )
    assert [pushes.admit(100.0) for _ in range(4)] == [True] * 3 + [False]
    assert len(refused) == 1
    with pytest.raises(FloodError):
        pushes.admit(100.0)
    assert len(refused) == 2


# On the wire


async def test_refused_with_its_nonce(server: ScriptedServer) -> None:
    """It is answered in its turn, with 503, and not handled, however odd it is."""
    handled: list[Push] = []
    limits = DevicePushes(AccountPushes(PushLimits(device_burst=2, device_rate=NEVER)))
    connection = await CloudConnection.open(
        server.endpoint, PATIENT, handled.append, limits
    )
    peer = await server.accept()
    peer.send(*(push_frame(nonce) for nonce in (7, 8, 9)), push_frame(10, path=5))
    answers = [await peer.receive() for _ in range(4)]
    assert answers == [
        {"status": status, "nonce": nonce, "deliver_to_device": True}
        for nonce, status in ((7, 200), (8, 200), (9, 503), (10, 503))
    ]
    assert len(handled) == 2
    await connection.close()


async def test_flood_ends_the_connection(server: ScriptedServer) -> None:
    """What came before is answered; nothing is handled or answered after it."""
    handled: list[Push] = []
    limits = DevicePushes(AccountPushes(PushLimits(flood_rate=3)))
    connection = await CloudConnection.open(
        server.endpoint, PATIENT, handled.append, limits
    )
    peer = await server.accept()
    peer.send(*(push_frame(nonce) for nonce in range(1, 9)))
    assert isinstance(await lost(connection), FloodError)
    assert (await peer.wait_closed()).count(b'"status":200') == 3
    assert len(handled) == 3


async def test_device_counts_and_not_the_connection(
    start: Start, server: ScriptedServer
) -> None:
    """A new connection brings no new burst."""
    limits = PushLimits(device_burst=1, device_rate=NEVER)
    refused: list[None] = []
    watched = start(
        server.endpoint,
        pushes=AccountPushes(limits),
        on_refused=lambda: refused.append(None),
    )
    for status in (200, 503):
        peer = await server.accept()
        await peer.identify()
        await watched.connected()
        peer.send(push_frame())
        assert (await peer.receive())["status"] == status
        peer.close()
        await watched.disconnected()
    assert len(refused) == 1


async def test_each_flood_is_a_failure(start: Start, server: ScriptedServer) -> None:
    """So the back-off grows from one to the next."""
    watched = start(server.endpoint, pushes=AccountPushes(PushLimits(flood_rate=0)))
    for failures in (1, 2, 3):
        peer = await server.accept()
        await peer.identify()
        await watched.connected()
        peer.send(push_frame())
        assert isinstance(await watched.disconnected(), FloodError)
        assert watched.session.attempts_failed == failures
    assert watched._pushes.empty()


async def test_flood_is_followed_by_the_back_off(
    start: Start, server: ScriptedServer
) -> None:
    """Nothing but a hurry brings it back before."""
    watched = start(
        server.endpoint,
        backoff=patient(),
        pushes=AccountPushes(PushLimits(flood_rate=0)),
    )
    peer = await server.accept()
    await peer.identify()
    await watched.connected()
    peer.send(push_frame())
    await watched.disconnected()
    await asyncio.sleep(0.05)
    assert server.connections == 1


async def test_flood_from_a_real_cloud(
    start: Start,
    endpoint: Endpoint,
    cloud: LocalCloud,
    device: Device,
    master_key: str,
) -> None:
    """60 commands, of which 20 are carried out; each sender hears which."""
    watched = start(
        endpoint,
        master_key,
        pushes=AccountPushes(PushLimits(device_burst=20, device_rate=NEVER)),
    )
    await watched.connected()
    await cloud.wait_online(device)
    answers = [
        (await send_command(cloud, device, "LED_ON"))["status"] for _ in range(60)
    ]
    assert answers == [200] * 20 + [503] * 40
    assert watched._pushes.qsize() == 20
    assert watched.session.connected
