"""Removing a device, and saying that it is of another kind."""

import asyncio
from pathlib import Path
import sqlite3
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.device_types import PTYPES
from custom_components.espcloud.local_cloud.errors import ApiError
from custom_components.espcloud.local_cloud.listeners import (
    DeviceDisconnected,
    Event,
    PendingAppeared,
)
from custom_components.espcloud.local_cloud.models import Device, User
from custom_components.espcloud.local_cloud.request import Answer, Request
from fuzz.snapshot import take

from .helpers import TOKEN, Api, DeviceSocket, add_firmware

PLAN = {
    "type": "LOOP_PERIOD",
    "period": "day",
    "time": 1,
    "action": "on_switch",
}
POINT = "/v1/datastreams/s/datapoint/"
TIMERS = "/v1/device/timers/"


async def furnish(cloud: LocalCloud, user: User, device: Device) -> list[str]:
    """Give a device all that one may have, and return the texts of its keys."""
    guest = await cloud.add_account("guest@example.org", None)
    master, owner = cloud.master_key(device), str(cloud.owner_key(device))
    key, guest_key = cloud.user_key(user), cloud.user_key(guest)
    for path, text, body in (
        ("/v1/device/activate/", master, {"token": TOKEN, "bssid": "b"}),
        (TIMERS, owner, {"timers": [PLAN]}),
        (POINT, master, {"datapoint": {"x": 1}}),
        (POINT, master, {"datapoint": {"x": 2}}),
        ("/v1/user/devices/groups/", key, {"deviceGroups": [{"name": "room"}]}),
    ):
        answer = await cloud.call("POST", path, text, body=body)
        assert answer["status"] == 200, answer
    move = {"device_id": device.id, "group_id": 1}
    query = {"action": "move_to_group"}
    answer = await cloud.call("PUT", "/v1/user/devices/groups/", key, query, move)
    assert answer["status"] == 200
    shared = await cloud.call("POST", "/v1/key/share/", owner)
    answer = await cloud.call(
        "POST", "/v1/key/authorize/", guest_key, body={"token": shared["token"]}
    )
    assert answer["status"] == 200
    return [master, owner, answer["key"]["token"]]


async def test_all_of_it_goes(tmp_path: Path) -> None:
    """In memory and in the database; another device keeps what it has."""
    path = tmp_path / "state.db"
    cloud = LocalCloud(state_file=path)
    await cloud.start()
    user = await cloud.add_account("a@example.org", None)
    other = cloud.add_device("other", user)
    device = cloud.add_device("lamp", user)
    await cloud.call(
        "POST", POINT, cloud.master_key(other), body={"datapoint": {"x": 3}}
    )
    keys = await furnish(cloud, user, device)
    await cloud.flush()
    cloud.remove_device(device)
    await cloud.flush()
    for key in keys:
        assert (await cloud.call("GET", "/v1/device/", key))["status"] == 500
    answer = await cloud.call("GET", "/v1/user/devices/", cloud.user_key(user))
    assert [each["id"] for each in answer["devices"]] == [other.id]
    store = cloud.store
    assert list(store.devices) == [other.id]
    assert (store.timers, store.keyring.tokens) == ({}, {})
    assert [each.device_id for each in store.streams.streams.values()] == [other.id]
    assert store.groups[1].device_ids == []
    assert {key.device_id for key in store.keyring.keys.values()} == {0, other.id}
    with pytest.raises(LookupError):
        cloud.remove_device(device)
    with pytest.raises(LookupError):
        cloud.master_key(device)
    await cloud.close()
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT point FROM datapoints").fetchall() == [
            ('{"x": 3}',)
        ]
        assert database.execute("SELECT COUNT(*) FROM tokens").fetchone() == (0,)
    database.close()
    again = LocalCloud(state_file=path)
    await again.start()
    assert take(again.store) == take(cloud.store)
    # Its key may be taken in again, as that of a new device.
    assert again.add_device("lamp", master_key=keys[0]).id > device.id
    await again.close()


async def test_one_that_is_as_new_as_that(tmp_path: Path) -> None:
    """It was never written."""
    path = tmp_path / "state.db"
    cloud = LocalCloud(state_file=path)
    await cloud.start()
    device = cloud.add_device("lamp")
    cloud.store.streams.add(device, "s", {"x": 1}, 0)
    cloud.store.context.heard(device)
    cloud.remove_device(device)
    await cloud.flush()
    await cloud.close()
    again = LocalCloud(state_file=path)
    await again.start()
    assert again.store.devices == {}
    await again.close()


async def test_its_connection_ends(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket, owner_key: str
) -> None:
    """Whoever listens hears so, and so does who waits for an answer of it."""
    heard: list[Event] = []
    cloud.listeners.add(heard.append)
    query = {"action": "LED_ON"}
    call = asyncio.ensure_future(cloud.call("GET", "/v1/device/rpc/", owner_key, query))
    await lamp.receive()
    cloud.remove_device(device)
    assert DeviceDisconnected(device, "it was removed") in heard
    assert (await call)["message"] == "remote peer is disconnected"
    assert await lamp.ended() == b""
    assert not cloud.is_online(device)
    async with DeviceSocket(cloud) as again:
        answer = await again.ask(
            POINT, "POST", key=owner_key, body={"datapoint": {"x": 1}}
        )
        assert answer["status"] == 500
    await cloud.flush()


async def test_it_is_pending_when_it_comes_back() -> None:
    """Its key is as unknown as any."""
    cloud = LocalCloud(pending_devices=True)
    await cloud.start()
    device = cloud.add_device("lamp")
    key = cloud.master_key(device)
    cloud.remove_device(device)
    heard: list[Any] = []
    cloud.listeners.add(heard.append)
    async with DeviceSocket(cloud) as lamp:
        await lamp.ask("/v1/device/identify", key=key)
        assert any(isinstance(event, PendingAppeared) for event in heard)
        assert [each.key for each in cloud.operator.pending_devices()] == [key]
    await cloud.close()


async def test_a_timer_that_is_added_in_the_same_moment(
    cloud: LocalCloud,
    device: Device,
    socket: DeviceSocket,
    owner_key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It goes with the device, and what others change is saved all the same."""
    handle = cloud._router.handle

    def and_then_remove(request: Request) -> Answer:
        answer = handle(request)
        cloud.remove_device(device)
        return answer

    monkeypatch.setattr(cloud._router, "handle", and_then_remove)
    body = {"timers": [PLAN]}
    answer = await socket.ask(TIMERS, "POST", key=owner_key, body=body)
    assert answer["status"] == 200
    assert cloud.store.timers == {}
    cloud.add_device("another")
    await cloud.flush()


async def test_a_list_that_is_being_written(
    api: Api, cloud: LocalCloud, user: User, user_key: str
) -> None:
    """It is finished, with the devices that there were."""
    devices = [cloud.add_device(f"lamp {number}", user) for number in range(120)]
    queries: tuple[dict[str, str], ...] = {}, {"list_by_group": "true"}
    for query in queries:
        request = asyncio.ensure_future(
            cloud.call("GET", "/v1/user/devices/", user_key, query)
        )
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        cloud.remove_device(devices.pop())
        answer = await request
        assert answer["status"] == 200
        listed = answer.get("devices") or answer["deviceGroups"][0]["devices"]
        assert len(listed) == len(devices) + 1


async def test_a_removal_that_cannot_be_written(
    cloud: LocalCloud, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is taken back, with all that belongs to the device."""
    user = cloud.store.users[1]
    await furnish(cloud, user, device)
    await cloud.flush()
    before = take(cloud.store)
    execute = cloud._database._file._writer.execute
    execute(
        "CREATE TEMP TRIGGER full BEFORE DELETE ON main.devices BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    cloud.remove_device(device)
    with pytest.raises(ApiError, match="storage is full"):
        await cloud.flush()
    assert take(cloud.store) == before
    execute("DROP TRIGGER full")
    answer = await cloud.call(
        "GET", "/v1/datastreams/s/datapoints/", cloud.master_key(device)
    )
    assert [point["x"] for point in answer["datapoints"]] == [2, 1]
    cloud.remove_device(device)
    await cloud.flush()


class TestKind:
    """A person says what a device is."""

    async def test_the_firmware_is_that_of_the_kind(
        self, api: Api, cloud: LocalCloud, device: Device, owner_key: str
    ) -> None:
        """And it is kept."""
        add_firmware(cloud, "v1.0.6t23701(a)", PTYPES["plug"])
        assert device.latest_rom_version == ""
        device.updated = 0
        cloud.set_ptype(device, PTYPES["plug"])
        assert device.latest_rom_version == "v1.0.6t23701(a)"
        assert device.updated > 0
        shown = (await api.ok("GET", "/v1/device/", key=owner_key))["device"]
        assert shown["ptype"] == PTYPES["plug"]
        cloud.set_ptype(device, PTYPES["light"])
        assert device.latest_rom_version == ""

    async def test_it_is_kept(self, tmp_path: Path) -> None:
        """The next start knows it."""
        path = tmp_path / "state.db"
        cloud = LocalCloud(state_file=path)
        await cloud.start()
        device = cloud.add_device("lamp")
        await cloud.flush()
        cloud.set_ptype(device, PTYPES["plug"])
        await cloud.close()
        again = LocalCloud(state_file=path)
        await again.start()
        assert again.store.devices[device.id].ptype == PTYPES["plug"]
        await again.close()
