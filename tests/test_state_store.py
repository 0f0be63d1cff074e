"""The last command outlives restarts, reloads, and ends that nobody planned."""

import asyncio
from copy import deepcopy
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from custom_components.espcloud.state_store import SAVE_DELAY
from homeassistant.core import HomeAssistant

from .common import account_entry, let_time_pass, send_command, wait_for_state

LIGHT = "light.desk_lamp"
# What an unclean end may cost: what arrived in the last second.
A_SECOND = 1


def stored(hass_storage: dict[str, Any], entry: MockConfigEntry) -> Any:
    """Return what the account's file holds, None where there is none."""
    file = hass_storage.get(f"espcloud.{entry.entry_id}")
    return file["data"] if file else None


def state_of(entry: MockConfigEntry, is_on: bool) -> dict[str, Any]:
    """Return what the file should hold of the only device."""
    (subentry_id,) = entry.subentries
    return {subentry_id: {"is_on": is_on}}


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ({"is_on": True}, "on"),
        ({"is_on": False}, "off"),
        ({"is_on": "yes"}, "unknown"),
        ("on", "unknown"),
    ],
)
async def test_last_command_is_restored(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: LocalCloud,
    user: User,
    device: Device,
    state: Any,
    shown: str,
) -> None:
    """Where the file holds one; anything else is no state."""
    entry = await account_entry(hass, cloud, user.id, device)
    (subentry_id,) = entry.subentries
    hass_storage[f"espcloud.{entry.entry_id}"] = {
        "version": 1,
        "data": {subentry_id: state, "of a device that is gone": {"is_on": True}},
    }
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, LIGHT, shown)
    await send_command(cloud, device, "LED_OFF" if shown == "on" else "LED_ON")
    await hass.config_entries.async_unload(entry.entry_id)
    assert stored(hass_storage, entry) == state_of(entry, shown != "on")


async def test_command_is_saved_within_a_second(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: LocalCloud,
    device: Device,
    entry: MockConfigEntry,
) -> None:
    """Not at once, so that many commands make few files."""
    await send_command(cloud, device, "LED_ON")
    assert stored(hass_storage, entry) is None
    await let_time_pass(hass, A_SECOND)
    assert stored(hass_storage, entry) == state_of(entry, True)
    # And again for the next one.
    await send_command(cloud, device, "LED_OFF")
    assert stored(hass_storage, entry) == state_of(entry, True)
    await let_time_pass(hass, A_SECOND)
    assert stored(hass_storage, entry) == state_of(entry, False)


async def test_steady_commands_are_saved_meanwhile(
    hass_storage: dict[str, Any],
    cloud: LocalCloud,
    device: Device,
    entry: MockConfigEntry,
) -> None:
    """A command that follows within the second does not put the saving off."""
    async with asyncio.timeout(20 * SAVE_DELAY):
        while stored(hass_storage, entry) is None:
            await send_command(cloud, device, "LED_ON")
            await send_command(cloud, device, "LED_OFF")


async def test_unclean_end_costs_a_second_at_most(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: LocalCloud,
    device: Device,
    entry: MockConfigEntry,
) -> None:
    """What was acknowledged before that is there after a kill; within it, what was."""
    await send_command(cloud, device, "LED_ON")
    await let_time_pass(hass, A_SECOND)
    await send_command(cloud, device, "LED_OFF")
    # From here on it is as if the process had been killed: these are its files.
    left_behind = deepcopy(hass_storage)
    await hass.config_entries.async_unload(entry.entry_id)
    hass_storage.clear()
    hass_storage.update(left_behind)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, LIGHT, "on")


async def test_reload_keeps_the_state(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """However soon it follows."""
    await send_command(cloud, device, "LED_ON")
    await hass.config_entries.async_reload(entry.entry_id)
    await wait_for_state(hass, LIGHT, "on")


async def test_stop_saves_the_state(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: LocalCloud,
    device: Device,
    entry: MockConfigEntry,
) -> None:
    """However soon it follows."""
    await send_command(cloud, device, "LED_ON")
    await hass.async_stop()
    assert stored(hass_storage, entry) == state_of(entry, True)


async def test_removing_leaves_nothing(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: LocalCloud,
    user: User,
    device: Device,
    entry: MockConfigEntry,
) -> None:
    """The device goes from the file, and the file with the account."""
    await send_command(cloud, device, "LED_ON")
    await let_time_pass(hass, A_SECOND)
    (subentry_id,) = entry.subentries
    hass.config_entries.async_remove_subentry(entry, subentry_id)
    await let_time_pass(hass, A_SECOND)
    assert stored(hass_storage, entry) == {}
    await hass.config_entries.async_remove(entry.entry_id)
    await let_time_pass(hass, A_SECOND)
    assert stored(hass_storage, entry) is None
