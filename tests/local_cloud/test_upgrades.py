"""An upgrade from end to end, with firmware as it is (protocol.md §3.7, §10.4)."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.listeners import Event, UpgradeReported
from custom_components.espcloud.local_cloud.models import Device, User
from tests.firmware import image
from tests.firmware.connection import Firmware
from tests.firmware.plug import Plug

from .helpers import WAIT, Api, DeviceSocket, firmware_body, no_file, until

OLD, NEW, NEWER = (f"v1.0.{patch}t23701(a)" for patch in (5, 6, 7))
ROMS = "/v1/roms/?ptype=23701"
CALL = "/v1/device/rpc/?deliver_to_device=true&action="
IMAGES = {
    version: [image.build(slot, size) for slot in (1, 2)]
    for version, size in ((NEW, 300_000), (NEWER, 400_000))
}


@pytest.fixture
def device(cloud: LocalCloud, user: User) -> Device:
    """Make a plug."""
    return cloud.add_device("plug", user, 23701)


@pytest.fixture
async def plug(cloud: LocalCloud, device: Device) -> AsyncGenerator[Firmware]:
    """Switch the plug on, which is new."""
    port = int(cloud.http_url.rpartition(":")[2])
    async with Firmware(
        (cloud.device_host, cloud.device_port),
        cloud.master_key(device),
        Plug(),
        activates=True,
        http_port=port,
    ) as plug:
        await cloud.wait_online(device)
        yield plug


async def shown(api: Api, key: str) -> Any:
    """Return the device as the app reads it."""
    path = "/v1/device/?query_device_mesh=true"
    return (await api.ok("GET", path, key=key))["device"]


async def upgrade(api: Api, key: str, version: str) -> None:
    """Do as the app does: call, then ask until the version is there."""
    await api.ok("GET", f"{CALL}sys_upgrade&version={version}", key=key)
    async with asyncio.timeout(4 * WAIT):
        while (await shown(api, key))["rom_version"] != version:  # noqa: ASYNC110 - as it does
            await asyncio.sleep(0.05)


async def test_an_upgrade_and_the_next_one(
    api: Api, cloud: LocalCloud, device: Device, plug: Firmware,
    user_key: str, owner_key: str,
) -> None:  # fmt: skip
    """Offered, called, fetched, told, rebooted; then the same into the other half of the flash."""
    assert (await shown(api, owner_key))["rom_version"] == OLD
    for connections, version, slot in ((2, NEW, 2), (3, NEWER, 1)):
        before = plug.rom_version
        await api.ok(
            "POST", ROMS, firmware_body(version, *IMAGES[version]), key=user_key
        )
        offered = await shown(api, owner_key)
        assert (offered["rom_version"], offered["latest_rom_version"]) == (
            before, version,
        )  # fmt: skip
        listed = await api.ok("GET", "/v1/user/devices/", key=user_key)
        assert listed["devices"][0]["latest_rom_version"] == version
        await upgrade(api, owner_key, version)
        await until(lambda: "message sent" in plug.actions)
        assert plug.flash == IMAGES[version][slot - 1]
        assert plug.rom_version == before
        await api.ok("GET", f"{CALL}sys_reboot", key=owner_key)
        await cloud.wait_online(device, connections=connections, timeout=WAIT)
        assert plug.rom_version == version
        assert (await shown(api, owner_key))["rom_version"] == version
        plug.actions.clear()


@pytest.mark.parametrize("version", [NEW, OLD, ""])
async def test_without_a_file_it_hears_nothing(
    api: Api, plug: Firmware, owner_key: str, version: str
) -> None:
    """It would erase what it has."""
    reply = await api.get(f"{CALL}sys_upgrade&version={version}", key=owner_key)
    assert (reply.status, reply.json["message"]) == (404, "bin not found")
    reply = await api.get(f"{CALL}what", key=owner_key)
    assert reply.json["datapoint"] == {"x": 0}
    assert "upgrade" not in plug.actions


async def test_a_damaged_image_is_not_offered(
    api: Api, plug: Firmware, user_key: str, owner_key: str
) -> None:
    """Nor is the good one beside it."""
    user1, user2 = IMAGES[NEW]
    damaged = user2[:1000] + b"damaged" + user2[1007:]
    reply = await api.post(ROMS, firmware_body(NEW, user1, damaged), key=user_key)
    assert reply.status == 400
    assert (await shown(api, owner_key))["latest_rom_version"] == ""
    reply = await api.get(f"{CALL}sys_upgrade&version={NEW}", key=owner_key)
    assert reply.status == 404
    assert "upgrade" not in plug.actions


async def test_an_upgrade_that_fails(
    api: Api, cloud: LocalCloud, device: Device, plug: Firmware,
    user_key: str, owner_key: str,
) -> None:  # fmt: skip
    """Its files are gone when the device asks: it says so, and stays what it is."""
    await api.ok("POST", ROMS, firmware_body(NEW, *IMAGES[NEW]), key=user_key)
    cloud.store.roms.contents.find = no_file
    await api.ok("GET", f"{CALL}sys_upgrade&version={NEW}", key=owner_key)
    await until(lambda: "message sent" in plug.actions)
    assert device.rom_version == OLD
    await api.ok("GET", f"{CALL}sys_reboot", key=owner_key)
    await cloud.wait_online(device, connections=2)
    assert plug.rom_version == OLD


@pytest.mark.parametrize(
    ("action", "version", "told"),
    [
        ("device_upgrade_success", NEW, [(NEW, False)]),
        ("device_upgrade_failed", OLD, [("", True)]),
        ("device_upgrade_begin", OLD, []),
        ("", OLD, []),
    ],
)
async def test_messages(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket, master_key: str, *,
    action: str, version: str, told: list[tuple[str, bool]],
) -> None:  # fmt: skip
    """A success says which version there is now; every message is answered alike.

    The listeners hear how the upgrade went.
    """
    heard: list[Event] = []
    cloud.listeners.add(heard.append)
    device.rom_version = OLD
    answer = await lamp.ask(
        "/v1/messages/", "POST", key=master_key, get={"action": action},
        body={"pre_rom_version": OLD, "rom_version": NEW},
    )  # fmt: skip
    assert answer == {"message": "send message success", "status": 200}
    assert device.rom_version == version
    assert [each for each in heard if isinstance(each, UpgradeReported)] == [
        UpgradeReported(device, what, failed) for what, failed in told
    ]


@pytest.mark.parametrize("end", [b"", b"\r"])
async def test_a_message_with_a_quote_too_many(
    device: Device, lamp: DeviceSocket, master_key: str, end: bytes
) -> None:
    """Firmware takes 15 characters of a push for its version, and writes them back (§3.9, 11)."""
    lamp.send(
        b'{"path": "/v1/messages/", "method": "POST", "meta": {"Authorization": "token %b"},'
        b'"get":{"action":"device_upgrade_success"},'
        b'"body":{"pre_rom_version":"v1.0.5t2355(a)","rom_version":"v1.0.6t2355(a)""}}%b\n'
        % (master_key.encode(), end)
    )
    assert await lamp.receive() == {"message": "send message success", "status": 200}
    assert device.rom_version == "v1.0.6t2355(a)"
