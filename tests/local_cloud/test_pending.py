"""Devices with unknown keys that are kept until somebody takes them in."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
import json
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import Limits, LocalCloud
from custom_components.espcloud.local_cloud.device_types import PTYPES
from custom_components.espcloud.local_cloud.errors import ApiError
from custom_components.espcloud.local_cloud.listeners import (
    Event,
    PendingAppeared,
    PendingChanged,
    PendingGone,
)
from custom_components.espcloud.local_cloud.models import User
from custom_components.espcloud.local_cloud.pending_device import (
    PendingDevice,
    with_points,
)
from tests.firmware.connection import Firmware
from tests.firmware.light import Light
from tests.firmware.plug import Plug

from .helpers import BSSID, Api, DeviceSocket, from_address, until

KEY = "0123456789abcdef0123456789abcdef01234567"
PROBE = "/v1/datastreams/state/datapoint/"
REFUSED = {"message": "key not exists", "status": 500}


def key(number: int) -> str:
    """Return one of many unknown keys."""
    return f"{number:040x}"


def events(heard: list[Event], kind: type) -> list[Any]:
    """Return what was heard of a kind."""
    return [event for event in heard if isinstance(event, kind)]


@pytest.fixture
def ignored() -> set[str]:
    """Return the keys that are ignored."""
    return set()


@pytest.fixture
def limits() -> Limits:
    """Return what lets the cloud soon look who is silent, and ask soon."""
    return Limits(first_push=0.2, gap=0.01, sweep=0.05)


@pytest.fixture
async def cloud(ignored: set[str], limits: Limits) -> AsyncGenerator[LocalCloud]:
    """Run a cloud that keeps devices with unknown keys."""
    cloud = LocalCloud(
        pending_devices=True, is_ignored=ignored.__contains__, limits=limits
    )
    await cloud.start()
    yield cloud
    await cloud.close()


@pytest.fixture
def heard(cloud: LocalCloud) -> list[Event]:
    """Listen, and return what was heard so far."""
    events: list[Event] = []
    cloud.listeners.add(events.append)
    return events


def pending(cloud: LocalCloud) -> list[PendingDevice]:
    """Return the devices that are pending."""
    return cloud.operator.pending_devices()


async def identify(socket: DeviceSocket, key: str) -> None:
    """Identify, and be refused."""
    assert await socket.ask("/v1/device/identify", key=key) == REFUSED


class TestFirmware:
    """Simulated devices whose keys another cloud has made."""

    @pytest.fixture
    def limits(self) -> Limits:
        """Give firmware more time than usual, for a busy machine is slower than it."""
        return Limits(gap=1.0)

    @pytest.mark.parametrize("activates", [False, True])
    async def test_a_plug(
        self,
        api: Api,
        cloud: LocalCloud,
        user: User,
        heard: list[Event],
        activates: bool,
    ) -> None:
        """It appears, is known for a plug, is taken in, comes back and works."""
        plug, address = Plug(), (cloud.device_host, cloud.device_port)
        async with Firmware(address, KEY, plug, activates=activates) as simulated:
            await until(lambda: any(each.state for each in pending(cloud)))
            (found,) = pending(cloud)
            assert (found.key, found.address) == (KEY, "127.0.0.1")
            assert (found.ptype, found.state) == (PTYPES["plug"], {"x": 0})
            assert found.bssid == (BSSID if activates else "")
            assert found.rom_version == (plug.rom_version if activates else "")
            assert plug.history == []
            device = cloud.operator.adopt(found, user, "Plug", PTYPES["plug"])
            await cloud.wait_online(device)
            assert simulated.connections == 2
            assert (pending(cloud), cloud.master_key(device)) == ([], KEY)
            reply = await api.post(
                "/v1/datastreams/plug-status/datapoint/?deliver_to_device=true",
                {"datapoint": {"x": 1}},
                key=cloud.owner_key(device),
            )
            assert (reply.json["datapoint"], plug.history) == ({"x": 1}, [True])
        assert len(events(heard, PendingAppeared)) == 1
        assert events(heard, PendingChanged) == [PendingChanged(found)]
        assert events(heard, PendingGone) == [PendingGone(found, "taken in")]

    async def test_a_light(self, cloud: LocalCloud, user: User) -> None:
        """Likewise, by its five values."""
        light, address = Light(fade=0), (cloud.device_host, cloud.device_port)
        before = dict(light.values)
        async with Firmware(address, KEY, light):
            await until(lambda: any(each.state for each in pending(cloud)))
            (found,) = pending(cloud)
            assert (found.ptype, found.state) == (PTYPES["light"], before)
            device = cloud.operator.adopt(found, user, "Light", PTYPES["light"])
            await cloud.wait_online(device)
            point = {"x": 1000, "y": 22222, "z": 44, "k": 66, "l": 88}
            answer = await cloud.call(
                "POST",
                "/v1/datastreams/light/datapoint/",
                cloud.owner_key(device),
                {"deliver_to_device": "true"},
                {"datapoint": point},
            )
            assert light.values == point
            assert answer["datapoint"] == {"x": 1000, "y": 1023, "z": 2, "k": 3, "l": 4}


class TestStrangers:
    """Connections that would end soon, were they not pending."""

    @pytest.fixture
    def limits(self) -> Limits:
        """Let a stranger be silent for a second."""
        return Limits(first_push=0.2, gap=0.01, sweep=0.05, unidentified=1.0)

    async def test_it_is_kept_and_asked_once(
        self, cloud: LocalCloud, socket: DeviceSocket
    ) -> None:
        """Its pings are answered beyond the time that a stranger has; one GET is all it gets."""
        await identify(socket, KEY)
        push = await socket.receive()
        socket.acknowledge(push)
        assert push.pop("nonce")
        assert push == {
            "deliver_to_device": True,
            "get": {},
            "meta": {
                "Authorization": f"token {'0' * 40}",
                "Time-Zone": push["meta"]["Time-Zone"],
            },
            "method": "GET",
            "path": PROBE,
        }
        await asyncio.sleep(1.2)  # longer than a stranger may be silent
        assert (await socket.ask("/v1/ping/"))["message"] == "ping success"
        await identify(socket, KEY)
        await asyncio.sleep(0.3)  # longer than the first push waits
        assert (await socket.ask("/v1/ping/"))["message"] == "ping success"

    async def test_switched_off(self, limits: Limits) -> None:
        """Without the setting a stranger is a stranger."""
        cloud = LocalCloud(limits=limits)
        await cloud.start()
        async with DeviceSocket(cloud) as socket:
            await identify(socket, KEY)
            assert await socket.ended() == b""
        assert pending(cloud) == []
        await cloud.close()

    async def test_a_second_connection(
        self, cloud: LocalCloud, socket: DeviceSocket, heard: list[Event]
    ) -> None:
        """It is the same device; the older one is a stranger's from then on."""
        await identify(socket, KEY)
        async with DeviceSocket(cloud) as younger:
            await identify(younger, KEY)
            await socket.ended()
            assert len(pending(cloud)) == 1
            assert (await younger.receive())["path"] == PROBE
        assert len(events(heard, PendingAppeared)) == 1

    async def test_an_ignored_key(
        self,
        cloud: LocalCloud,
        socket: DeviceSocket,
        ignored: set[str],
        heard: list[Event],
    ) -> None:
        """It takes no place, and loses the one that it has."""
        ignored.add(key(1))
        await identify(socket, key(1))
        assert pending(cloud) == []
        await identify(socket, KEY)
        (found,) = pending(cloud)
        ignored.add(KEY)
        await until(lambda: pending(cloud) == [])
        assert events(heard, PendingGone) == [PendingGone(found, "ignored")]
        await socket.ended()


class TestConnection:
    """What a pending device gets."""

    async def test_nothing_of_it_is_stored(
        self, cloud: LocalCloud, socket: DeviceSocket
    ) -> None:
        """Nor has it a device, before somebody takes it in."""
        path = "/v1/datastreams/s/datapoint/"
        body = {"datapoint": {"x": 1}}
        assert await socket.ask(path, "POST", key=KEY, body=body) == REFUSED
        assert not cloud.store.devices
        assert not cloud.store.streams.streams
        assert pending(cloud)[0].streams == {"s": ({"x": 1},)}

    async def test_a_sensor(
        self, cloud: LocalCloud, heard: list[Event], user: User
    ) -> None:
        """It never identifies, and is not asked; it is pending between its posts."""
        path = "/v1/datastreams/tem_hum/datapoint/"
        for number in range(5):
            async with DeviceSocket(cloud) as socket:
                body = {"datapoint": {"x": number, "y": 40}}
                assert await socket.ask(path, "POST", key=KEY, body=body) == REFUSED
                link = next(iter(cloud._device_server.connections()))
                assert not link.outbox._waiting
        (found,) = pending(cloud)
        assert found.ptype == PTYPES["humiture"]
        assert [point["x"] for point in found.streams["tem_hum"]] == [2, 3, 4]
        assert len(events(heard, PendingAppeared)) == 1
        assert len(events(heard, PendingChanged)) == 4
        device = cloud.operator.adopt(found, user, "Sensor", PTYPES["humiture"])
        async with DeviceSocket(cloud) as socket:
            body = {"datapoint": {"x": 5, "y": 40}}
            reply = await socket.ask(path, "POST", key=KEY, body=body)
            assert reply["status"] == 200
        assert cloud.store.streams.find(device, "tem_hum") is not None

    async def test_other_requests_do_not_make_it_pending(
        self, api: Api, cloud: LocalCloud, socket: DeviceSocket
    ) -> None:
        """Only what a device says, on a connection, with what may be a master key."""
        path = "/v1/datastreams/s/datapoint/"
        await socket.ask("/v1/device/timers/", key=KEY)
        await socket.ask(path, key=KEY)
        deliver = {"deliver_to_device": "true"}
        body = {"datapoint": {"x": 1}}
        await socket.ask(path, "POST", key=KEY, get=deliver, body=body)
        await socket.ask("/v1/device/identify/", key="no key of 40 hex digits"[:20])
        await socket.ask("/v1/device/identify/", key=KEY.upper())
        await socket.ask("/v1/keys/", key=KEY)
        await api.post(path, body, key=KEY)
        assert pending(cloud) == []

    async def test_an_early_peer_stays_one(
        self, cloud: LocalCloud, socket: DeviceSocket
    ) -> None:
        """It may send 64 frames a minute, of 4 KiB."""
        await identify(socket, KEY)
        socket.send({"path": "/v1/ping/", "body": {"a": "x" * 4096}})
        await socket.ended()
        async with DeviceSocket(cloud) as again:
            await identify(again, KEY)
            for _ in range(100):
                again.send({"path": "/v1/ping/"})
            assert b"too many frames" in await again.ended()
        assert len(pending(cloud)) == 1

    async def test_a_good_key_after_all(
        self, cloud: LocalCloud, socket: DeviceSocket
    ) -> None:
        """The connection is that device's; it is pending no more than others."""
        device = cloud.add_device("Lamp")
        await identify(socket, KEY)
        socket.acknowledge(await socket.receive())
        answer = await socket.ask("/v1/device/identify", key=cloud.master_key(device))
        assert answer["status"] == 200
        (link,) = cloud._device_server.connections()
        assert not link.is_pending
        cloud.add_device("Other lamp", master_key=KEY)
        assert (await socket.ask("/v1/ping/"))["status"] == 200


class TestTakingIn:
    """Keys that become known."""

    async def test_ahead(
        self, cloud: LocalCloud, socket: DeviceSocket, heard: list[Event]
    ) -> None:
        """Whoever makes the device with the key has taken it in."""
        await identify(socket, KEY)
        cloud.add_device("Another lamp")
        assert len(pending(cloud)) == 1
        cloud.add_device("Lamp", master_key=KEY)
        await socket.ended()
        assert pending(cloud) == []
        assert len(events(heard, PendingGone)) == 1

    async def test_as_soon_as_it_is_there(
        self, cloud: LocalCloud, socket: DeviceSocket
    ) -> None:
        """A listener may take it in while it is told of it."""

        def adopt(event: Event) -> None:
            if isinstance(event, PendingAppeared):
                cloud.operator.adopt(event.pending, None, "Lamp", 1)

        cloud.listeners.add(adopt)
        socket.send({"path": "/v1/device/identify", "meta": {"Authorization": f"token {KEY}"}})  # fmt: skip
        assert await socket.ended() == b""
        assert pending(cloud) == []

    async def test_twice(self, cloud: LocalCloud, socket: DeviceSocket) -> None:
        """A key is one device's."""
        await identify(socket, KEY)
        (found,) = pending(cloud)
        cloud.operator.adopt(found, None, "Lamp", 1)
        with pytest.raises(ApiError, match="in use"):
            cloud.operator.adopt(found, None, "Lamp", 1)

    def test_the_key_is_not_shown_by_chance(self) -> None:
        """Neither it nor what a listener is told."""
        found = PendingDevice(key=KEY, address="192.0.2.1")
        assert KEY not in repr(PendingAppeared(found))


class TestPlaces:
    """How many there may be, and for how long."""

    async def test_silence(
        self, cloud: LocalCloud, socket: DeviceSocket, heard: list[Event]
    ) -> None:
        """Ten minutes after its last frame it is gone, and its connection."""
        registry = cloud._pending
        assert registry is not None
        now = 1000.0
        registry.clock = lambda: now
        await identify(socket, KEY)
        socket.acknowledge(await socket.receive())
        now = 1500.0
        assert (await socket.ask("/v1/ping/"))["status"] == 200
        now = 2100.0
        registry.sweep()
        assert len(pending(cloud)) == 1
        now = 2100.1
        await socket.ended()
        assert pending(cloud) == []
        (gone,) = events(heard, PendingGone)
        assert gone.reason == "silent for 600 seconds"

    async def test_places_are_few(self, cloud: LocalCloud) -> None:
        """Four at an address, sixteen in all; who has one keeps it, on another connection too."""
        async with AsyncExitStack() as stack:
            for number in range(20):
                address = f"127.0.0.{2 + number // 4}"
                await identify(await from_address(stack, cloud, address), key(number))
            assert [each.key for each in pending(cloud)] == [key(n) for n in range(16)]
            socket = await from_address(stack, cloud, "127.0.0.2")
            await identify(socket, key(0))
            assert (await socket.receive())["path"] == PROBE
            pushes = [link.is_pending for link in cloud._device_server.connections()]
            assert pushes.count(True) == 16

    async def test_places_of_an_address(self, cloud: LocalCloud) -> None:
        """A fifth key gets none, nor does a known one that comes from there."""
        async with AsyncExitStack() as stack:
            elsewhere = await from_address(stack, cloud, "127.0.0.9")
            await identify(elsewhere, key(9))
            for number in range(5):
                socket = await from_address(stack, cloud, "127.0.0.2")
                await identify(socket, key(number))
            await identify(await from_address(stack, cloud, "127.0.0.2"), key(9))
            assert [each.key for each in pending(cloud)] == [
                key(9),
                *(key(number) for number in range(4)),
            ]
            assert pending(cloud)[0].address == "127.0.0.9"

    async def test_what_is_noted_is_bounded(self, cloud: LocalCloud) -> None:
        """However much they say, sixteen have less than half a MiB noted of them."""
        values = {f"color{n}": 0.1234567890123 for n in range(4)}
        point = dict.fromkeys("xyzkl", values)
        async with AsyncExitStack() as stack:
            for number in range(16):
                address = f"127.0.0.{2 + number // 4}"
                socket = await from_address(stack, cloud, address)
                body = {"bssid": "b" * 1000, "rom_version": "v" * 1000}
                path = "/v1/device/activate/"
                await socket.ask(path, "POST", key=key(number), body=body)
                for stream in range(12):
                    path = f"/v1/datastreams/{'s' * 60}{stream:04}/datapoints/"
                    many = {"datapoints": [point, point, point, point]}
                    reply = await socket.ask(path, "POST", key=key(number), body=many)
                    if "path" in reply:
                        reply = await socket.receive()
                    assert reply == REFUSED
        assert len(pending(cloud)) == 16
        size = 0
        for found in pending(cloud):
            assert len(found.streams) == 8
            size += len(json.dumps([found.streams, found.bssid, found.rom_version]))
        assert 100_000 < size < 512 << 10


async def test_a_public_address_is_not_kept(
    cloud: LocalCloud, socket: DeviceSocket
) -> None:
    """There a key is a stranger's."""
    await socket.ask("/v1/ping/")
    (link,) = cloud._device_server.connections()
    link.peer = "8.8.8.8"
    await identify(socket, KEY)
    assert pending(cloud) == []


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({}, None),
        ({"state": {"x": 0}}, "plug"),
        ({"state": {"x": 0, "y": 3}}, "strip"),
        ({"state": {"x": 0, "y": 1, "z": {"red": 1}}}, "light"),
        ({"state": {"x": 0, "z": 1}}, None),
        ({"state": {"x": 0}, "rom_version": "v1.0.5t45772(a)"}, "light"),
        ({"state": {"x": 0}, "rom_version": "V1.0"}, "plug"),
        ({"streams": {"flammable_gas": ()}, "rom_version": "v1.0.5t12335(n)"}, "gas"),
        ({"streams": {"own": ()}, "rom_version": "v1.0.5t12335(n)"}, "humiture"),
    ],
)
def test_what_it_seems_to_be(facts: dict[str, Any], kind: str | None) -> None:
    """By its streams, else by its version, else by the shape of its state."""
    found = PendingDevice(key=KEY, address="192.0.2.1", **facts)
    assert found.ptype == (kind and PTYPES[kind])


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        (1, True), (-0.5, True), ("text", True), ({"red": 1}, True),
        (True, False), (None, False), (10**20, False), ("x" * 33, False), ([1], False),
        ({"red": "text"}, False), ({"red" * 9: 1}, False), ({str(n): n for n in range(5)}, False),
    ],
)  # fmt: skip
def test_values_that_fit(value: object, fits: bool) -> None:
    """What is no small value is left out."""
    streams = with_points({}, "s", {"datapoint": {"x": value, "l": 1, "at": "now"}})
    assert streams == {"s": ({"x": value, "l": 1} if fits else {"l": 1},)}
    assert with_points({}, "a name", {"datapoint": {"x": 1}}) == {}
    assert with_points({}, "s", {"datapoint": [1]}) == {"s": ({},)}
