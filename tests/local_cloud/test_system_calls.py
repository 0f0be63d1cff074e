"""`sys_reboot`, which nobody answers, and `sys_upgrade`, which may erase an image (protocol.md §2.8, §2.10)."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device
from tests.firmware.connection import Firmware
from tests.firmware.plug import Plug

from .helpers import Api, DeviceSocket, add_firmware

RPC = "/v1/device/rpc/?deliver_to_device=true&action="
BUSY = "remote device is busy or some errors occured"
GONE = "remote peer is disconnected"
VERSION = "v1.0.6t45772(a)"


async def test_a_device_that_reboots(
    api: Api, cloud: LocalCloud, device: Device, owner_key: str
) -> None:
    """The end of its connection is the answer; it comes back by itself."""
    address = cloud.device_host, cloud.device_port
    plug = Plug()
    async with Firmware(address, cloud.master_key(device), plug) as simulated:
        await cloud.wait_online(device)
        reply = await api.get(f"{RPC}sys_reboot", key=owner_key)
        assert (reply.status, reply.json) == (200, {"status": 200})
        await cloud.wait_online(device, connections=2)
        assert simulated.boots == 2


async def test_a_device_that_is_back_before_its_end_was_seen(
    api: Api, cloud: LocalCloud, device: Device, lamp: DeviceSocket, owner_key: str
) -> None:
    """A device that reboots does not say goodbye to anybody: its return tells."""
    call = asyncio.ensure_future(api.get(f"{RPC}sys_reboot", key=owner_key))
    await lamp.receive()
    async with DeviceSocket(cloud) as again:
        await again.identify(device)
        assert (await call).status == 200


async def test_a_device_that_answers_all_the_same(
    api: Api, lamp: DeviceSocket, owner_key: str
) -> None:
    """Self-made ones may; it is their own answer."""
    call = asyncio.ensure_future(api.get(f"{RPC}sys_reboot", key=owner_key))
    lamp.acknowledge(await lamp.receive(), soon=True)
    assert (await call).json["soon"] is True


async def test_the_next_push_does_not_wait_for_a_reboot(
    api: Api, lamp: DeviceSocket, owner_key: str
) -> None:
    """It waits a moment, as behind every frame that gets no answer; then it has an answer of its own."""
    reboot = asyncio.ensure_future(api.get(f"{RPC}sys_reboot", key=owner_key))
    await lamp.receive()
    started = asyncio.get_running_loop().time()
    call = asyncio.ensure_future(api.get(f"{RPC}LED_ON", key=owner_key))
    push = await lamp.receive()
    assert asyncio.get_running_loop().time() - started < 4
    lamp.acknowledge(push, which="LED_ON")
    assert (await call).json["which"] == "LED_ON"
    assert not reboot.done()
    lamp.writer.transport.abort()
    assert (await reboot).status == 200


async def test_what_waits_behind_a_reboot_fails(
    api: Api, lamp: DeviceSocket, owner_key: str
) -> None:
    """Only the reboot itself has succeeded when the connection ends."""
    first = asyncio.ensure_future(api.get(f"{RPC}LED_ON", key=owner_key))
    await lamp.receive()
    second = asyncio.ensure_future(api.get(f"{RPC}sys_reboot", key=owner_key))
    await asyncio.sleep(0.1)
    lamp.writer.transport.abort()
    for call in (first, second):
        assert (await call).json == {"message": GONE, "status": 404}


class TestImpatient:
    """A cloud that waits 0.3 seconds."""

    @pytest.fixture
    async def cloud(self) -> AsyncGenerator[LocalCloud]:
        """Run it."""
        cloud = LocalCloud(delivery_timeout=0.3)
        await cloud.start()
        yield cloud
        await cloud.close()

    async def test_a_device_that_stays(
        self, api: Api, lamp: DeviceSocket, owner_key: str
    ) -> None:
        """It did not reboot."""
        reply = await api.get(f"{RPC}sys_reboot", key=owner_key)
        assert reply.json == {"message": BUSY, "status": 500}
        await lamp.receive()
        assert (await lamp.ask("/v1/ping/"))["message"] == "ping success"

    async def test_a_reboot_that_never_arrived(
        self, api: Api, cloud: LocalCloud, device: Device, lamp: Any,
        owner_key: str, monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        """The end of the connection is our own doing then."""
        link = cloud._presence.link(device)
        monkeypatch.setattr(link, "has_delivered", lambda _: False)
        reply = await api.get(f"{RPC}sys_reboot", key=owner_key)
        assert reply.json == {"message": GONE, "status": 404}
        assert not cloud.is_online(device)


# Upgrades


@pytest.mark.parametrize("query", ["&version=" + VERSION, "&version=", ""])
async def test_no_upgrade_without_a_file(
    api: Api, lamp: DeviceSocket, owner_key: str, query: str
) -> None:
    """It is refused, and the device hears nothing of it."""
    for path in (RPC, "/v1/datastreams/s/datapoint/?deliver_to_device=true&action="):
        reply = await api.get(f"{path}sys_upgrade{query}", key=owner_key)
        assert (reply.status, reply.json) == (
            404, {"message": "bin not found", "status": 404},
        )  # fmt: skip
    assert (await lamp.ask("/v1/ping/"))["message"] == "ping success"


@pytest.mark.parametrize(
    "path", [f"{RPC}x", "/v1/device/timers/?deliver_to_device=true"]
)
async def test_no_upgrade_is_smuggled_in(
    api: Api, lamp: DeviceSocket, owner_key: str, path: str
) -> None:
    """Firmware finds the word wherever it stands."""
    timer = {"type": "LOOP_PERIOD", "period": "day", "time": 1, "action": "sys_upgrade"}
    await api.post(path, {"timers": [timer]}, key=owner_key)
    assert (await lamp.ask("/v1/ping/"))["message"] == "ping success"


async def test_an_upgrade_that_there_is(
    api: Api, cloud: LocalCloud, lamp: DeviceSocket, owner_key: str
) -> None:
    """The device is told of it, and of no other."""
    add_firmware(cloud, VERSION)
    call = asyncio.ensure_future(
        api.get(f"{RPC}sys_upgrade&version={VERSION}", key=owner_key)
    )
    push = await lamp.receive()
    assert push["get"]["version"] == VERSION
    lamp.acknowledge(push)
    assert (await call).status == 200
    for version in ("other", "v1.0.5t45772(a)", VERSION.replace("45772", "23701")):
        reply = await api.get(f"{RPC}sys_upgrade&version={version}", key=owner_key)
        assert reply.json == {"message": "bin not found", "status": 404}
