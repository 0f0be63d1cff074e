"""Who may connect to the device port, and what there is for them."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
import logging
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import Limits, LocalCloud, peers
from custom_components.espcloud.local_cloud.addresses import is_local
from custom_components.espcloud.local_cloud.device_types import PTYPES
from custom_components.espcloud.local_cloud.models import Device, User
from custom_components.espcloud.local_cloud.peers import Peers
from tests.firmware.connection import Firmware
from tests.firmware.plug import Plug

from .helpers import BSSID, TOKEN, Api, DeviceSocket, from_address, until

FOREIGN = "127.0.0.2"
"""Stands for an address of the internet, of which loopback has none."""


@pytest.fixture
async def cloud(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[LocalCloud]:
    """Run a cloud for the local network."""
    monkeypatch.setattr(peers, "is_local", lambda peer: peer != FOREIGN)
    cloud = LocalCloud(local_network_only=True, limits=Limits(connections_of_address=3))
    await cloud.start()
    yield cloud
    await cloud.close()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True), ("127.255.0.1", True), ("::1", True),
        ("10.0.0.0", True), ("10.255.255.255", True), ("11.0.0.0", False), ("9.255.255.255", False),
        ("172.15.255.255", False), ("172.16.0.0", True), ("172.31.255.255", True), ("172.32.0.0", False),
        ("192.168.1.2", True), ("192.167.255.255", False), ("192.169.0.0", False),
        ("169.254.1.2", True), ("169.253.255.255", False), ("fe80::1", True), ("fe80::1%eth0", True),
        ("febf::1", True), ("fec0::1", False), ("fd00::1", True), ("fc00::1", True), ("fe00::1", False),
        ("::ffff:192.168.1.2", True), ("::ffff:8.8.8.8", False), ("::ffff:127.0.0.1", True),
        ("8.8.8.8", False), ("2001:4860::1", False),
        # What ipaddress calls private is more.
        ("192.0.2.1", False), ("198.51.100.1", False), ("203.0.113.1", False), ("198.18.0.1", False),
        ("100.64.0.1", False), ("240.0.0.1", False), ("0.0.0.0", False), ("255.255.255.255", False),
        ("192.0.0.1", False), ("::", False), ("2001:db8::1", False), ("64:ff9b:1::1", False),
        ("", False), ("in process", False),
    ],
)  # fmt: skip
def test_local_addresses(address: str, expected: bool) -> None:
    """The local network and this machine, nobody else."""
    assert is_local(address) is expected


async def test_others_are_turned_away(
    cloud: LocalCloud, device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    """At once, with a good key as well; they are counted, and the log has one line."""
    meta = {"Authorization": f"token {cloud.master_key(device)}"}
    async with AsyncExitStack() as stack:
        for number in (1, 2, 3, 4):
            stranger = await from_address(stack, cloud, FOREIGN)
            stranger.send({"path": "/v1/device/identify", "meta": meta})
            assert await stranger.ended() == b""
            assert cloud.operator.refused_peers == number
    assert cloud.connection_count(device) == 0
    assert device.last_active < 0
    lines = [each for each in caplog.records if each.levelno >= logging.WARNING]
    (line,) = lines
    assert line.getMessage() == (
        "Connections to the device port are refused, 1 so far: 127.0.0.2 is not in the local network"
    )
    async with DeviceSocket(cloud) as lamp:
        await lamp.identify(device)


async def test_a_stranger_is_welcome_elsewhere(device: Device) -> None:
    """Unless told, the device port is for the open network."""
    cloud = LocalCloud()
    await cloud.start()
    async with AsyncExitStack() as stack:
        stranger = await from_address(stack, cloud, FOREIGN)
        assert (await stranger.ask("/v1/ping/"))["status"] == 200
        # Accounts are there, too.
        answer = await stranger.ask("/v1/user/find/", "POST", body={"email": "a"})
        assert answer["message"] == "user not registered"
    await cloud.close()


async def test_an_address_has_only_so_many(cloud: LocalCloud) -> None:
    """Others have their own, and one that has gone makes room."""
    async with AsyncExitStack() as stack:
        first, *_ = [await from_address(stack, cloud, "127.0.0.1") for _ in range(3)]
        await until(lambda: len(cloud.operator.connections()) == 3)
        one_more = await from_address(stack, cloud, "127.0.0.1")
        assert await one_more.ended() == b""
        assert cloud.operator.refused_peers == 1
        other = await from_address(stack, cloud, "127.0.0.3")
        assert (await other.ask("/v1/ping/"))["status"] == 200
        first.writer.transport.abort()
        await until(lambda: len(cloud.operator.connections()) == 3)
        another = await from_address(stack, cloud, "127.0.0.1")
        assert (await another.ask("/v1/ping/"))["status"] == 200
    await until(lambda: not cloud.operator.connections())
    assert not cloud._device_server._peers._open


def test_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """However many there are; it says how many."""
    times = iter((0.0, 59.0, 60.0, 119.0, 120.0))
    guard = Peers(1, lambda: next(times), local_network_only=True)
    for _ in range(5):
        assert not guard.admit("8.8.8.8")
    assert [each.getMessage().split(":")[0] for each in caplog.records] == [
        f"Connections to the device port are refused, {count} so far"
        for count in (1, 3, 5)
    ]


def test_an_ipv6_household_is_one_address() -> None:
    """It has a /64 to choose from."""
    guard = Peers(2, lambda: 0.0, local_network_only=False)
    assert guard.admit("2001:db8::1")
    assert guard.admit("2001:db8::2")
    assert not guard.admit("2001:db8::3")
    assert guard.admit("2001:db8:0:1::1")


class TestPaths:
    """What the device port has for the local network."""

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/v1/user/join/"), ("POST", "/v1/user/login/"), ("POST", "/v1/user/find/"),
            ("POST", "/v1/user/resetpassword/"), ("GET", "/v1/user/devices/"),
            ("GET", "/v1/user/devices/groups/"), ("POST", "/v1/keys/"), ("GET", "/v1/keys/"),
            ("POST", "/v1/key/authorize/"), ("POST", "/v1/key/share/"), ("DELETE", "/v1/key/"),
            ("GET", "/v1/products/"), ("GET", "/v1/products/1/devices/"), ("GET", "/v1/roms/"),
            ("POST", "/v1/users/join/"), ("GET", "/v1/user/devicekeys/"), ("POST", "/v1/device/deployed/"),
            ("POST", "/v1/user/resetpassword/mail/"), ("POST", "/v1/mbox/"), ("GET", "/v1/trigger/"),
        ],
    )  # fmt: skip
    async def test_none_of_accounts(
        self,
        method: str,
        path: str,
        cloud: LocalCloud,
        socket: DeviceSocket,
        user_key: str,
        api: Api,
    ) -> None:
        """They are unknown there, and known over HTTP."""
        answer = await socket.ask(path, method, key=user_key, body={})
        assert answer == {"message": "what is that?", "status": 404}
        reply = await api.call(method, path, {}, key=user_key)
        assert "what is that?" not in reply.text

    async def test_all_that_firmware_asks_for(
        self, cloud: LocalCloud, socket: DeviceSocket, device: Device, master_key: str
    ) -> None:
        """Of whichever generation."""
        body: dict[str, Any] = {
            "encrypt_method": "PLAIN",
            "token": TOKEN,
            "bssid": BSSID,
        }
        point = {"datapoint": {"x": 1}}
        for path, method, members in (
            ("/v1/device/activate/", "POST", {"body": body}),
            ("/v1/device/identify", "GET", {}),
            ("/v1/device/", "GET", {}),
            ("/v1/device/timers/", "GET", {"get": {"is_humanize_format_simple": "true"}}),
            ("/v1/datastreams/tem_hum/datapoint/", "POST", {"body": point}),
            ("/v1/datastreams/tem_hum/datapoints/", "POST", {"body": {"datapoints": [{"x": 1}]}}),
            ("/v1/datastreams/tem_hum/datapoint", "GET", {}),
            ("/v1/messages/", "POST", {"get": {"action": "device_upgrade_failed"}, "body": {}}),
            ("/v1/device/rom/", "GET", {}),
            ("/v1/ping/", "POST", {}),
        ):  # fmt: skip
            answer = await socket.ask(path, method, key=master_key, **members)
            assert answer["status"] == 200, path
        socket.send({"path": "/v1/device/quit/"})
        assert await socket.ended() == b""

    async def test_a_plug(self, cloud: LocalCloud, user: User) -> None:
        """Espressif's firmware is activated, commanded, and fetches its timers."""
        device = cloud.add_device("plug", user, PTYPES["plug"])
        plug, key = Plug(), cloud.owner_key(device)
        address = cloud.device_host, cloud.device_port
        master_key = cloud.master_key(device)
        async with Firmware(address, master_key, plug, activates=True) as firmware:
            await cloud.wait_online(device)
            await until(lambda: firmware.timers is not None)
            answer = await cloud.call(
                "POST",
                "/v1/datastreams/plug-status/datapoint/",
                key,
                {"deliver_to_device": "true"},
                {"datapoint": {"x": 1}},
            )
        assert (answer["status"], answer["datapoint"]) == (200, {"x": 1})
        assert device.activate_status == 1
