"""What people attach to reports gives nothing away."""

import json

from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    get_system_health_info,
)
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
    get_diagnostics_for_device,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component

from .common import account_entry, send_command, wait_for_coordinator, wait_for_state
from .credentials import EMAIL


async def set_up(
    hass: HomeAssistant, cloud: LocalCloud, user: User, *devices: Device
) -> MockConfigEntry:
    """Set up an account and everything that shows something of it."""
    for component in ("diagnostics", "system_health"):
        assert await async_setup_component(hass, component, {})
    entry = await account_entry(hass, cloud, user.id, *devices)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, "light.desk_lamp", "unknown")
    return entry


async def test_account_diagnostics(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    hass_client: ClientSessionGenerator,
) -> None:
    """They tell what happened to each connection, and redact what is private."""
    entry = await set_up(hass, cloud, user, device)
    await send_command(cloud, device, "LED_ON")
    (coordinator,) = entry.runtime_data.virtual.coordinators.values()
    cloud.disconnect(device)
    await wait_for_coordinator(coordinator, lambda it: not it.availability.connected)
    await wait_for_coordinator(coordinator, lambda it: it.availability.connected)

    shown = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    account, (lamp,) = shown["account"], shown["devices"]
    assert account["port"] == cloud.device_port
    assert account["ssl"] is False
    for field in ("email", "user_id", "user_key", "url"):
        assert account[field] == "**REDACTED**"
    for field in ("device_id", "device_key", "serial"):
        assert lamp["settings"][field] == "**REDACTED**"
    assert lamp["settings"]["turn_on_action"] == "LED_ON"
    assert lamp["state"] == {"is_on": True}
    assert lamp["connected"] is True
    connection = lamp["connection"]
    assert connection["statistics"]["connections"] == 2
    assert connection["attempts_failed"] == 1
    assert connection["contested"] is False
    assert [event["event"].split(":")[0] for event in connection["history"]] == [
        "connected",
        "ConnectionLostError",
        "connected",
    ]
    text = json.dumps({key: shown[key] for key in ("account", "devices")})
    for secret in (
        EMAIL,
        entry.data["user_key"],
        cloud.master_key(device),
        cloud.owner_key(device),
        device.serial,
        "127.0.0.1",
    ):
        assert secret not in text


async def test_device_diagnostics(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    hass_client: ClientSessionGenerator,
) -> None:
    """A device's own file has that device alone."""
    second = cloud.add_device("Floor lamp", user)
    entry = await set_up(hass, cloud, user, device, second)
    await send_command(cloud, device, "LED_OFF")
    registry = dr.async_get(hass)
    (shown_device,) = (
        each
        for each in dr.async_entries_for_config_entry(registry, entry.entry_id)
        if each.name == "Desk lamp"
    )
    shown = await get_diagnostics_for_device(hass, hass_client, entry, shown_device)
    assert shown["device"]["state"] == {"is_on": False}
    assert "devices" not in shown


async def test_system_health(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """The system page says whether the cloud is there and how many devices are."""
    second = cloud.add_device("Floor lamp", user)
    cloud.revoke_key(cloud.master_key(second))
    entry = await account_entry(hass, cloud, user.id, device)
    assert await async_setup_component(hass, "system_health", {})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, "light.desk_lamp", "unknown")
    info = await get_system_health_info(hass, "espcloud")
    assert info["devices_online"] == "1/1"
    assert await info["can_reach_cloud"] == "ok"

    (coordinator,) = entry.runtime_data.virtual.coordinators.values()
    cloud.revoke_key(cloud.master_key(device))
    await wait_for_coordinator(coordinator, lambda it: not it.availability.connected)
    info = await get_system_health_info(hass, "espcloud")
    assert info["devices_online"] == "0/1"
    assert await info["can_reach_cloud"] == "ok"
