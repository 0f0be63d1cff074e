"""What whoever embeds the cloud hears of its devices."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
import json
import logging
import socket as sockets
import struct
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import Limits, LocalCloud
from custom_components.espcloud.local_cloud.frame_taps import TappedFrame
from custom_components.espcloud.local_cloud.listeners import (
    CommandAnswered,
    DatapointReceived,
    DeviceActivated,
    DeviceConnected,
    DeviceDisconnected,
    Event,
    Listeners,
    UnknownKey,
)
from custom_components.espcloud.local_cloud.models import Device, User
from custom_components.espcloud.local_cloud.unknown_keys import UnknownKeys

from .helpers import BSSID, TOKEN, Api, DeviceSocket, until

STREAM = "/v1/datastreams/s/datapoint/"
UNKNOWN = "0123456789abcdef0123456789abcdef01234567"
ACTIVATION = {
    "encrypt_method": "PLAIN",
    "token": TOKEN,
    "bssid": BSSID,
    "rom_version": "v1.0.5t23701(a)",
}


@pytest.fixture
def heard(cloud: LocalCloud) -> list[Event]:
    """Listen, and return what was heard so far."""
    events: list[Event] = []
    cloud.listeners.add(events.append)
    return events


async def reset(cloud: LocalCloud, device: Device, lamp: DeviceSocket) -> None:
    """Break the connection from the device's side."""
    transport = lamp.writer.transport
    transport.get_extra_info("socket").setsockopt(
        sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0)
    )
    transport.abort()


async def hang_up(cloud: LocalCloud, device: Device, lamp: DeviceSocket) -> None:
    """End it orderly."""
    lamp.writer.close()


async def quit_by_path(cloud: LocalCloud, device: Device, lamp: DeviceSocket) -> None:
    """Say goodbye."""
    lamp.send({"path": "/v1/device/quit/"})


async def quit_by_byte(cloud: LocalCloud, device: Device, lamp: DeviceSocket) -> None:
    """Say goodbye in short."""
    lamp.send(b"\x06")


async def say_too_much(cloud: LocalCloud, device: Device, lamp: DeviceSocket) -> None:
    """Send a line without end."""
    lamp.send(b"x" * (2 << 20))


async def become_another(cloud: LocalCloud, device: Device, lamp: DeviceSocket) -> None:
    """Identify on the same connection with another key."""
    await lamp.identify(cloud.add_device("Another lamp"))


async def disconnect(cloud: LocalCloud, device: Device, lamp: DeviceSocket) -> None:
    """Have the cloud end it."""
    cloud.disconnect(device)


async def revoke(cloud: LocalCloud, device: Device, lamp: DeviceSocket) -> None:
    """Take the key away."""
    cloud.revoke_key(cloud.master_key(device))


async def renew(cloud: LocalCloud, device: Device, lamp: DeviceSocket) -> None:
    """Give the device another key."""
    cloud.regenerate_master_key(device)


async def renew_by_api(cloud: LocalCloud, device: Device, lamp: DeviceSocket) -> None:
    """The same, by its owner."""
    await cloud.call("POST", "/v1/key/regenerate/", cloud.owner_key(device))


async def close(cloud: LocalCloud, device: Device, lamp: DeviceSocket) -> None:
    """End the cloud."""
    await cloud.close()


ENDS: dict[str, Callable[[LocalCloud, Device, DeviceSocket], Awaitable[None]]] = {
    "closed by the device": hang_up,
    "the connection broke": reset,
    "the device quit": quit_by_path,
    "the device  quit": quit_by_byte,
    "a line is too long": say_too_much,
    "it has identified as another device": become_another,
    "disconnected by the server": disconnect,
    "its master key was revoked": revoke,
    "its master key was replaced": renew,
    "its master key  was replaced": renew_by_api,
    "the server closes": close,
}


class TestConnections:
    """Devices that come and go."""

    @pytest.mark.parametrize("reason", ENDS)
    async def test_from_connecting_to_the_end(
        self,
        cloud: LocalCloud,
        device: Device,
        socket: DeviceSocket,
        heard: list[Event],
        reason: str,
    ) -> None:
        """Each end has its reason, and is told once."""
        await socket.identify(device)
        assert heard == [DeviceConnected(device, "127.0.0.1")]
        await ENDS[reason](cloud, device, socket)
        await until(lambda: len(heard) > 1)
        await cloud.wait_offline(device)
        assert heard[1] == DeviceDisconnected(device, reason.replace("  ", " "))
        assert [event for event in heard[2:] if event.device is device] == []  # type: ignore[union-attr]  # no unknown key here

    async def test_a_connection_that_is_thrown_out(
        self,
        cloud: LocalCloud,
        device: Device,
        lamp: DeviceSocket,
        heard: list[Event],
    ) -> None:
        """Its end is told before the beginning of the one that takes its place."""
        async with DeviceSocket(cloud) as younger:
            await younger.identify(device)
            await lamp.ended()
            assert heard == [
                DeviceDisconnected(device, "another connection took its place"),
                DeviceConnected(device, "127.0.0.1"),
            ]

    async def test_identifying_again(
        self, device: Device, lamp: DeviceSocket, heard: list[Event]
    ) -> None:
        """Nothing has changed."""
        await lamp.identify(device)
        assert heard == []

    async def test_silence(self) -> None:
        """A device that says nothing any more is gone."""
        cloud = LocalCloud(limits=Limits(silent=0.1, sweep=0.05))
        await cloud.start()
        heard: list[Event] = []
        cloud.listeners.add(heard.append)
        device = cloud.add_device("Lamp")
        async with DeviceSocket(cloud) as socket:
            await socket.identify(device)
            await until(lambda: len(heard) > 1)
        assert heard[1] == DeviceDisconnected(device, "silent for 0.1 seconds")
        await cloud.close()


class TestDevices:
    """What devices say."""

    async def test_activation(
        self, socket: DeviceSocket, device: Device, master_key: str, heard: list[Event]
    ) -> None:
        """With what it says of itself; its token is not shown by chance."""
        path = "/v1/device/activate/"
        await socket.ask(path, "POST", key=master_key, body=ACTIVATION)
        (event,) = heard
        assert event == DeviceActivated(device, BSSID, "v1.0.5t23701(a)", TOKEN, "")
        assert TOKEN not in repr(event)
        # Another chip with the same key is told apart by what was before.
        for bssid in (BSSID, "18:fe:34:00:00:02", BSSID):
            body = {**ACTIVATION, "bssid": bssid}
            await socket.ask(path, "POST", key=master_key, body=body)
        changes = [
            (event.previous_bssid, event.bssid)
            for event in heard
            if isinstance(event, DeviceActivated)
        ]
        other = "18:fe:34:00:00:02"
        assert changes == [("", BSSID), (BSSID, BSSID), (BSSID, other), (other, BSSID)]

    async def test_refused_activation(
        self, socket: DeviceSocket, master_key: str, heard: list[Event]
    ) -> None:
        """Nothing has happened."""
        body = {**ACTIVATION, "bssid": 1}
        await socket.ask("/v1/device/activate/", "POST", key=master_key, body=body)
        assert heard == []

    async def test_datapoints(
        self,
        api: Api,
        socket: DeviceSocket,
        device: Device,
        master_key: str,
        owner_key: str,
        heard: list[Event],
    ) -> None:
        """Each one, whoever stores it; none that is refused, or that is for the device."""
        await socket.ask(
            STREAM, "POST", key=master_key, body={"datapoint": {"y": 2, "x": 1}}
        )
        body = {"datapoints": [{"x": 1, "at": "1970-01-01 08:00:10"}, {"x": "a"}]}
        await api.ok("POST", "/v1/datastreams/t/datapoints/", body, key=owner_key)
        await api.post(STREAM, {"datapoint": {"y": 1}}, key=owner_key)
        query = "?deliver_to_device=true"
        await api.post(STREAM + query, {"datapoint": {"x": 1}}, key=owner_key)
        first, second, third = heard
        assert isinstance(first, DatapointReceived)
        assert first == DatapointReceived(device, "s", {"x": 1, "y": 2}, first.at)
        assert second == DatapointReceived(device, "t", {"x": 1}, 10)
        assert isinstance(third, DatapointReceived)
        assert third.values == {"x": "a"}

    async def test_a_command_that_is_answered(
        self,
        api: Api,
        device: Device,
        lamp: DeviceSocket,
        owner_key: str,
        heard: list[Event],
    ) -> None:
        """With the status that the device sent."""
        for status, expected in ((200, 200), (422, 422), ("odd", 200)):
            calling = asyncio.ensure_future(
                api.get("/v1/device/rpc/?action=LED_ON", key=owner_key)
            )
            lamp.acknowledge(await lamp.receive(), status=status)
            await calling
            event = heard.pop()
            assert isinstance(event, CommandAnswered)
            assert 0 <= event.seconds < 5
            assert event == CommandAnswered(
                device, "GET", "/v1/device/rpc/", "LED_ON", expected, event.seconds
            )
        assert heard == []

    async def test_a_command_that_is_not_answered(
        self, device: Device, lamp: DeviceSocket, cloud: LocalCloud, heard: list[Event]
    ) -> None:
        """The status is the caller's: 404 where the device leaves; nothing where it was away."""
        key = cloud.owner_key(device)
        arguments = "POST", STREAM, key, {"deliver_to_device": "true"}
        body = {"datapoint": {"x": 1}}
        calling = asyncio.ensure_future(cloud.call(*arguments, body))
        await lamp.receive()
        lamp.writer.transport.abort()
        await calling
        assert (await cloud.call(*arguments, body))["status"] == 404
        _, event = heard
        assert isinstance(event, CommandAnswered)
        assert (event.path, event.action, event.status) == (STREAM, "", 404)

    async def test_a_caller_that_does_not_wait(
        self,
        lamp: DeviceSocket,
        device: Device,
        cloud: LocalCloud,
        heard: list[Event],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """What came of it, nobody knows."""
        calling = asyncio.ensure_future(
            cloud.call(
                "GET", "/v1/device/rpc/", cloud.owner_key(device), {"action": "a"}
            )
        )
        await lamp.receive()
        calling.cancel()
        await asyncio.wait([calling])
        await cloud.close()
        assert [type(event) for event in heard] == [DeviceDisconnected]
        assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


class TestUnknownKeys:
    """Keys that no device has."""

    async def test_every_attempt_is_told(
        self,
        api: Api,
        cloud: LocalCloud,
        socket: DeviceSocket,
        heard: list[Event],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Logged is one of them, with the ends of the key alone."""
        caplog.set_level(logging.DEBUG)
        for _ in range(3):
            await socket.ask("/v1/device/identify/", key=UNKNOWN)
        await api.get("/v1/device/", key=UNKNOWN)
        assert heard == [UnknownKey("127.0.0.1", UNKNOWN)] * 4
        assert UNKNOWN not in repr(heard)
        assert caplog.text.count("Unknown key 0123…4567 from 127.0.0.1") == 1
        assert UNKNOWN not in caplog.text

    def test_the_log_has_so_many_lines(self, caplog: pytest.LogCaptureFixture) -> None:
        """Neither one key again and again fills it, nor keys that are made up."""
        caplog.set_level(logging.INFO)
        now = 0.0
        unknown_keys = UnknownKeys(Listeners(), lambda: now)
        for _ in range(3):
            unknown_keys.note("192.0.2.1", UNKNOWN)
        unknown_keys.note("192.0.2.2", UNKNOWN)
        assert len(caplog.records) == 2
        now = 599.0
        unknown_keys.note("192.0.2.1", UNKNOWN)
        assert len(caplog.records) == 2
        now = 600.0
        unknown_keys.note("192.0.2.1", UNKNOWN)
        assert len(caplog.records) == 3
        now = 1000.0
        for number in range(100):
            unknown_keys.note("192.0.2.1", f"{number:040x}")
        assert len(caplog.records) == 13

    @pytest.mark.parametrize("key", ["short", "\x1b[31m" * 8, "é" * 40])
    def test_an_odd_key_is_not_logged(
        self, caplog: pytest.LogCaptureFixture, key: str
    ) -> None:
        """Not even its ends."""
        caplog.set_level(logging.INFO)
        UnknownKeys(Listeners(), lambda: 0.0).note("192.0.2.1", key)
        assert caplog.messages == ["Unknown key … from 192.0.2.1"]


class TestTap:
    """A look at the frames of one device."""

    @pytest.fixture
    async def other(self, cloud: LocalCloud) -> AsyncGenerator[DeviceSocket]:
        """Return a connection of another device."""
        async with DeviceSocket(cloud) as socket:
            await socket.identify(cloud.add_device("Another lamp"))
            yield socket

    async def test_a_session(
        self,
        cloud: LocalCloud,
        device: Device,
        socket: DeviceSocket,
        other: DeviceSocket,
        master_key: str,
        owner_key: str,
    ) -> None:
        """All of its frames in their order, from the first one on, and nobody else's; no key."""
        tapped: list[TappedFrame] = []
        remove = cloud.tap(device, tapped.append)
        path = "/v1/device/activate/"
        await socket.ask(path, "POST", key=master_key, body=ACTIVATION)
        await socket.identify(device)
        calling = asyncio.ensure_future(
            cloud.call(
                "GET", "/v1/device/rpc/", owner_key, {"action": "A", "key": owner_key}
            )
        )
        socket.acknowledge(await socket.receive(), secret=f"it is {owner_key}")
        await calling
        await other.ask("/v1/ping/", key=master_key)
        shown = [
            ("<" if each.is_sent_by_device else ">", each.frame.get("path", ""))
            for each in tapped
        ]
        assert shown == [
            ("<", path), (">", ""),
            ("<", "/v1/device/identify"), (">", ""),
            ("<", "/v1/ping/"), (">", ""),
            (">", "/v1/device/rpc/"), ("<", ""),
        ]  # fmt: skip
        assert {each.device.id for each in tapped} == {device.id}
        text = json.dumps([each.frame for each in tapped])
        for secret in (master_key, owner_key, TOKEN):
            assert secret not in text
        assert tapped[0].frame["meta"] == {"Authorization": "***"}
        assert tapped[1].frame["key"]["token"] == "***"
        assert tapped[6].frame["get"] == {"action": "A", "key": "***"}
        assert tapped[7].frame["secret"] == "it is ***"
        remove()
        remove()
        await socket.ask("/v1/ping/")
        assert len(tapped) == 8
        assert not cloud._taps

    async def test_two_at_one_device(
        self, cloud: LocalCloud, device: Device, lamp: DeviceSocket
    ) -> None:
        """One of them ends, the other goes on."""
        first: list[TappedFrame] = []
        second: list[TappedFrame] = []
        remove = cloud.tap(device, first.append)
        cloud.tap(device, second.append)
        await lamp.ask("/v1/ping/")
        remove()
        await lamp.ask("/v1/ping/")
        assert (len(first), len(second)) == (2, 4)

    async def test_odd_frames(
        self, cloud: LocalCloud, device: Device, lamp: DeviceSocket
    ) -> None:
        """Whatever stands where a key should be, the frame is shown and answered."""
        tapped: list[TappedFrame] = []
        cloud.tap(device, tapped.append)
        for meta in (
            {"Authorization": 1},
            [],
            {"authorization": ["token " + "a" * 40]},
        ):
            lamp.send({"path": "/v1/ping/", "meta": meta})
            await lamp.receive()
        async with DeviceSocket(cloud) as stranger:
            for meta in ({"Authorization": 1}, [], {"Authorization": "token x"}):
                stranger.send({"path": "/v1/ping/", "meta": meta})
                await stranger.receive()
        assert [each.frame["meta"] for each in tapped if each.is_sent_by_device] == [
            {"Authorization": "***"},
            [],
            {"authorization": ["token ***"]},
        ]


class TestBadListeners:
    """Listeners that fail."""

    async def test_failing_costs_nothing(
        self,
        cloud: LocalCloud,
        device: Device,
        socket: DeviceSocket,
        user: User,
        master_key: str,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """It is logged once, without what it says; the others hear, the device goes on."""

        def fail(event: Any) -> None:
            raise LookupError(master_key)

        heard: list[Event] = []
        cloud.listeners.add(fail)
        cloud.listeners.add(heard.append)
        cloud.tap(device, fail)
        await socket.identify(device)
        path = "/v1/device/activate/"
        reply = await socket.ask(path, "POST", key=master_key, body=ACTIVATION)
        assert reply["status"] == 200
        assert len(heard) == 2
        failures = [each for each in caplog.messages if "listener failed" in each]
        assert len(failures) == 2
        assert "LookupError" in failures[0]
        assert "in fail" in failures[0]
        assert master_key not in caplog.text

    def test_removing(self) -> None:
        """Who is removed hears nothing more, even of what is being told."""
        listeners = Listeners()
        heard: list[str] = []

        def first(event: Event) -> None:
            heard.append("first")
            remove_first()
            remove_second()

        remove_first = listeners.add(first)
        remove_second = listeners.add(lambda event: heard.append("second"))
        assert listeners
        listeners.tell(UnknownKey("", ""))
        assert not listeners
        listeners.tell(UnknownKey("", ""))
        assert heard == ["first"]

    def test_the_same_twice(self) -> None:
        """Each time it is added it is called."""
        listeners = Listeners()
        heard: list[Event] = []
        remove = listeners.add(heard.append)
        listeners.add(heard.append)
        listeners.tell(UnknownKey("", ""))
        remove()
        listeners.tell(UnknownKey("", ""))
        assert len(heard) == 3
