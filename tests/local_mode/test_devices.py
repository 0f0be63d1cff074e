"""Devices of the cloud in Home Assistant: used, switched off, restarted, removed."""

import asyncio
import os
import socket

import pytest

from custom_components.espcloud.backends.local import database_path, remove_database
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from tests.common import wait_for_state
from tests.local_cloud.helpers import until

from .home import Home


async def test_plug_is_switched_from_both_sides(
    hass: HomeAssistant, home: Home
) -> None:
    """By Home Assistant, and by its button, of which it tells nobody."""
    await home.set_up()
    plug = await home.take_in("Plug", "plug")
    await wait_for_state(hass, "switch.plug", "off")
    await hass.services.async_call(
        "switch", "turn_on", {"entity_id": "switch.plug"}, blocking=True
    )
    assert hass.states.get("switch.plug").state == "on"
    assert plug.appliance.is_on
    plug.appliance.press()
    await wait_for_state(hass, "switch.plug", "off")


async def test_post_is_shown_at_once(hass: HomeAssistant, home: Home) -> None:
    """Nobody asks for it: there is no stream that such a device answers."""
    await home.set_up()
    sensor = await home.add("Cellar", "tem_hum")
    await home.confirm("Cellar")
    assert await sensor.post() == 200
    await wait_for_state(
        hass,
        "sensor.cellar_temperature",
        lambda state: state not in ("unavailable", "unknown"),
    )
    coordinator = home.coordinator("Cellar")
    assert coordinator is not None
    assert coordinator.availability.available


async def test_device_without_power_is_away_until_it_is_back(
    hass: HomeAssistant, home: Home
) -> None:
    """Commands meanwhile fail at once, and say why."""
    await home.set_up()
    plug = await home.take_in("Plug", "plug")
    await plug.power_off()
    coordinator = home.coordinator("Plug")
    assert coordinator is not None
    await until(lambda: not coordinator.availability.connected)
    with pytest.raises(HomeAssistantError) as raised:
        await hass.services.async_call(
            "switch", "turn_on", {"entity_id": "switch.plug"}, blocking=True
        )
    assert raised.value.translation_key == "device_offline"
    plug.power_on()
    await until(lambda: coordinator.availability.connected)
    await hass.services.async_call(
        "switch", "turn_on", {"entity_id": "switch.plug"}, blocking=True
    )
    assert plug.appliance.is_on


async def test_devices_are_back_after_a_reload(hass: HomeAssistant, home: Home) -> None:
    """By themselves, as the same entities, and none is offered again."""
    await home.set_up()
    await home.take_in("Plug", "plug")
    before = er.async_get(hass).async_get("switch.plug")
    assert await hass.config_entries.async_reload(home.entry.entry_id)
    await home.wait_available("Plug")
    await wait_for_state(hass, "switch.plug", "off")
    assert er.async_get(hass).async_get("switch.plug").id == before.id
    assert home.discovered("Plug") is None


async def test_removed_device_loses_its_key(hass: HomeAssistant, home: Home) -> None:
    """It is unknown from then on, and offered again as any other."""
    await home.set_up()
    await home.take_in("Plug", "plug")
    (subentry_id,) = home.entry.subentries
    hass.config_entries.async_remove_subentry(home.entry, subentry_id)
    await hass.async_block_till_done()
    assert home.coordinator("Plug") is None
    assert hass.states.get("switch.plug") is None
    assert (
        dr.async_entries_for_config_entry(dr.async_get(hass), home.entry.entry_id) == []
    )
    assert home.entry.runtime_data.account.owned == {}
    await home.wait_discovered("Plug")


async def test_device_that_only_its_subentry_remembers_is_taken_back(
    hass: HomeAssistant, home: Home
) -> None:
    """The database was lost, or is older: nobody has to touch the device."""
    await home.set_up()
    await home.take_in("Plug", "plug")
    before = er.async_get(hass).async_get("switch.plug")
    assert await hass.config_entries.async_unload(home.entry.entry_id)
    await hass.async_add_executor_job(remove_database, database_path(hass))
    assert await hass.config_entries.async_setup(home.entry.entry_id)
    await home.wait_available("Plug")
    await wait_for_state(hass, "switch.plug", "off")
    assert er.async_get(hass).async_get("switch.plug").id == before.id
    assert home.discovered("Plug") is None


async def test_removed_cloud_leaves_no_key(hass: HomeAssistant, home: Home) -> None:
    """Neither a file, nor an open port."""
    await home.set_up()
    await home.take_in("Plug", "plug")
    await hass.config_entries.async_remove(home.entry.entry_id)
    left = await asyncio.to_thread(os.listdir, hass.config.path(".storage"))
    assert [name for name in left if name.startswith("espcloud")] == []


async def test_taken_port_is_said_and_tried_again(
    hass: HomeAssistant, home: Home
) -> None:
    """The entry waits, and names the port."""
    with socket.create_server(("127.0.0.1", home.port)):
        with pytest.raises(AssertionError):
            await home.set_up()
        assert home.entry.state is ConfigEntryState.SETUP_RETRY
        assert home.entry.error_reason_translation_key == "port_taken"
        assert home.entry.error_reason_translation_placeholders == {
            "port": str(home.port)
        }
    assert await hass.config_entries.async_reload(home.entry.entry_id)
    assert home.entry.state is ConfigEntryState.LOADED


async def test_address_tells_a_device_while_no_other_one_has_it(
    hass: HomeAssistant, home: Home
) -> None:
    """Home Assistant takes devices with one address for one; they are counted as they come and go."""
    await home.set_up()
    address = "18:fe:34:00:02:99"
    account = home.hardware.account
    numbers = []
    for name in ("First", "Second"):
        await home.take_in(name, "plug", bssid=address, activates=True)
        coordinator = home.coordinator(name)
        assert coordinator is not None
        numbers.append(coordinator.identity.device_id)
        await until(lambda: account.renew(numbers[-1]).device.bssid == address)
        is_alone = len(numbers) == 1
        assert account.mac(numbers[0]) == (address if is_alone else None)
    # Looking at one again counts it once.
    account.renew(numbers[0])
    await account.async_remove(numbers[1])
    assert account.mac(numbers[1]) is None
    assert account.mac(numbers[0]) == address
