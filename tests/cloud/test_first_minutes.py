"""What a device says of itself when it activates, and how soon it hears its first push."""

import pytest

from custom_components.espcloud.cloud import (
    CloudConnection,
    Endpoint,
    virtual_bssid,
    virtual_rom_version,
)
from custom_components.espcloud.local_cloud import Limits, LocalCloud
from custom_components.espcloud.local_cloud.models import Device

pytestmark = pytest.mark.usefixtures("loopback")


async def connect(cloud: LocalCloud, device: Device) -> CloudConnection:
    """Connect and identify as the device."""
    endpoint = Endpoint(cloud.device_host, cloud.device_port)
    connection = await CloudConnection.open(endpoint)
    await connection.identify(cloud.master_key(device), virtual_bssid(device.id))
    return connection


async def test_first_activation_gives_a_version(
    cloud: LocalCloud, device: Device
) -> None:
    """The app's light screen needs one; later it is the cloud's, as an upgrade leaves it."""
    connection = await connect(cloud, device)
    assert device.rom_version == "v0.2.0t45772(o)"
    await connection.close()
    device.rom_version = "v9.9.9t45772(o)"
    connection = await connect(cloud, device)
    assert device.rom_version == "v9.9.9t45772(o)"
    await connection.close()


@pytest.mark.parametrize("ptype", [None, 0, 23701, 99999, 100_000, -1])
def test_version_fits_firmware(ptype: int | None) -> None:
    """Fifteen characters at most, with the kind where it has five digits."""
    version = virtual_rom_version(ptype)
    assert len(version) <= 15
    assert str(45772 if ptype in (None, 100_000, -1) else ptype) in version


async def test_first_push_does_not_wait_for_timers_that_nobody_asks_for() -> None:
    """A cloud that would hold it for a minute sends it at once, thanks to a ping."""
    cloud = LocalCloud(delivery_timeout=20, limits=Limits(first_push=60))
    await cloud.start()
    try:
        user = await cloud.add_account("first@example.org", "a password")
        device = cloud.add_device("Lamp", user)
        connection = await connect(cloud, device)
        outbox = cloud._presence.link(device).outbox  # type: ignore[union-attr]  # it is connected
        answer = await outbox.push({"path": "/v1/device/rpc/", "method": "GET"})
        assert answer["status"] == 200
        await connection.close()
    finally:
        await cloud.close()
