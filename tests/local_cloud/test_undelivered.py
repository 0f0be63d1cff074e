"""Pushes that are given up before they have reached the device: they never arrive."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
import socket as sockets
import ssl
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import Limits, LocalCloud
from custom_components.espcloud.local_cloud.errors import ApiError
from custom_components.espcloud.local_cloud.models import Device

from .certificates import make_certificate
from .helpers import WAIT, DeviceSocket

PUSH = {"path": "/v1/device/rpc/", "get": {"action": "LED_ON"}, "method": "GET"}
HISTORY = "/v1/datastreams/s/datapoints/"


@pytest.fixture(params=["plain", "TLS"])
def contexts(
    request: pytest.FixtureRequest, tmp_path: Path
) -> tuple[ssl.SSLContext | None, ssl.SSLContext | None]:
    """Return the server's and the device's side of TLS, or of none."""
    if request.param == "plain":
        return None, None
    cert, key = make_certificate(tmp_path)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(cert, key)
    return server, ssl.create_default_context(cafile=cert)


@pytest.fixture
async def cloud(contexts: tuple[ssl.SSLContext | None, Any]) -> AsyncGenerator[Any]:
    """Run a cloud with little patience."""
    cloud = LocalCloud(ssl_context=contexts[0], delivery_timeout=0.4)
    await cloud.start()
    yield cloud
    await cloud.close()


@pytest.fixture
async def socket(
    cloud: LocalCloud, contexts: tuple[Any, ssl.SSLContext | None]
) -> AsyncGenerator[DeviceSocket]:
    """Return a connection that can take little before somebody reads it."""
    narrow = sockets.socket()
    narrow.setblocking(False)
    narrow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    async with DeviceSocket(cloud, contexts[1], sock=narrow) as socket:
        yield socket


def connection_of(cloud: LocalCloud, device: Device) -> Any:
    """Return the server's side of the device's connection."""
    return cloud._presence.link(device)


async def clog(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket, owner_key: str
) -> None:
    """Let the device read no more, and ask for more than gets through to it."""
    connection = connection_of(cloud, device)
    for number in range(500):
        cloud.store.streams.add(device, "s", {"x": "x" * 60, "y": number}, 0)
    await cloud.flush()
    frame = {
        "path": HISTORY,
        "meta": {"Authorization": f"token {owner_key}"},
        "get": {"row_count": 500},
    }
    lamp.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's can
    while not connection._write_is_full:
        lamp.send(frame)
        await asyncio.sleep(0.01)


async def all_received(lamp: DeviceSocket) -> bytes:
    """Let the device read on, and return what it gets until its connection ends."""
    lamp.writer.transport.resume_reading()  # type: ignore[attr-defined]  # a socket's can
    received = b""
    async with asyncio.timeout(WAIT):
        with suppress(ConnectionError):
            while piece := await lamp.reader.read(65536):
                received += piece
    return received


async def test_a_push_that_is_given_up_never_arrives(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket, owner_key: str
) -> None:
    """Its sender hears that the device is gone; what lies in buffers is thrown away."""
    await clog(cloud, device, lamp, owner_key)
    with pytest.raises(ApiError, match="remote peer is disconnected"):
        await connection_of(cloud, device).outbox.push(PUSH)
    assert not cloud.is_online(device)
    received = await all_received(lamp)
    assert b'"datapoints"' in received
    assert b"LED_ON" not in received


async def test_a_push_does_not_arrive_when_a_younger_connection_takes_the_place(
    cloud: LocalCloud,
    device: Device,
    lamp: DeviceSocket,
    owner_key: str,
    contexts: tuple[Any, ssl.SSLContext | None],
) -> None:
    """The older one would be ended once all was through, a push that nobody waits for, too."""
    await clog(cloud, device, lamp, owner_key)
    answer = connection_of(cloud, device).outbox.push(PUSH)
    async with DeviceSocket(cloud, contexts[1]) as younger:
        await younger.identify(device)
        with pytest.raises(ApiError, match="remote peer is disconnected"):
            await answer
        assert b"LED_ON" not in await all_received(lamp)


async def test_a_device_that_hears_and_never_answers_stays(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket
) -> None:
    """The sender is told that it is busy; self-made devices need not answer."""
    for _ in range(2):
        answer = connection_of(cloud, device).outbox.push(PUSH)
        assert (await lamp.receive())["get"]["action"] == "LED_ON"
        with pytest.raises(ApiError, match="remote device is busy"):
            await answer
    assert cloud.is_online(device)


async def test_what_was_sent_after_a_push_says_nothing_of_it(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket, owner_key: str
) -> None:
    """The push has reached the device, a long answer behind it has not."""
    answer = connection_of(cloud, device).outbox.push(PUSH)
    assert (await lamp.receive())["get"]["action"] == "LED_ON"
    await clog(cloud, device, lamp, owner_key)
    with pytest.raises(ApiError, match="remote device is busy"):
        await answer
    assert cloud.is_online(device)


async def test_without_a_word_of_the_system(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket, monkeypatch: Any
) -> None:
    """What waits in the transport is known everywhere."""
    connection = connection_of(cloud, device)
    monkeypatch.setattr(
        "custom_components.espcloud.local_cloud.undelivered.sys.platform", "elsewhere"
    )
    assert connection.has_delivered(connection.written)
    assert not connection.has_delivered(connection.written + 1)


class TestDoubt:
    """A device that has answered, and then leaves a push unanswered that it has received."""

    @pytest.fixture
    async def cloud(self) -> AsyncGenerator[LocalCloud]:
        """Run a cloud with little patience."""
        cloud = LocalCloud(delivery_timeout=0.3, limits=Limits(doubt=0.5))
        await cloud.start()
        yield cloud
        await cloud.close()

    @pytest.fixture
    async def answered(
        self, cloud: LocalCloud, device: Device, lamp: DeviceSocket
    ) -> Any:
        """Return the outbox of a device that has answered one push, and is silent at the next."""
        outbox = connection_of(cloud, device).outbox
        answer = outbox.push(PUSH)
        lamp.acknowledge(await lamp.receive())
        await answer
        with pytest.raises(ApiError, match="busy"):
            await outbox.push(PUSH)
        return outbox

    @pytest.mark.parametrize("contexts", [(None, None)])
    async def test_it_counts_as_gone(
        self, cloud: LocalCloud, device: Device, answered: Any
    ) -> None:
        """Whoever calls it hears so, after a while."""
        assert cloud.is_online(device)
        await cloud.wait_offline(device)

    @pytest.mark.parametrize("contexts", [(None, None)])
    async def test_any_frame_lets_it_stay(
        self, cloud: LocalCloud, device: Device, lamp: DeviceSocket, answered: Any
    ) -> None:
        """It is only busy."""
        await lamp.receive()
        assert (await lamp.ask("/v1/ping/"))["message"] == "ping success"
        assert answered._doubt_timer is None
        await asyncio.sleep(0.6)
        assert cloud.is_online(device)

    @pytest.mark.parametrize("contexts", [(None, None)])
    async def test_a_device_that_never_answers_stays(
        self, cloud: LocalCloud, device: Device, lamp: DeviceSocket
    ) -> None:
        """Silence says nothing of it."""
        outbox = connection_of(cloud, device).outbox
        with pytest.raises(ApiError, match="busy"):
            await outbox.push(PUSH)
        assert outbox._doubt_timer is None
        await asyncio.sleep(0.6)
        assert cloud.is_online(device)
