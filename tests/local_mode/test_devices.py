"""Devices of the cloud in Home Assistant: used, switched off, restarted, removed."""

import asyncio
import os
import socket

import pytest

from custom_components.espcloud.backends.local import database_path, remove_database
from custom_components.espcloud.identity import key_hash
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.errors import storage_full
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from tests.common import wait_for_state
from tests.firmware import kinds
from tests.local_cloud.helpers import until

from .home import HOST, Home


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


async def test_full_disk_at_the_first_start(
    hass: HomeAssistant, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account cannot be written: that is said, and the port is free for the next try."""

    async def fail(*_: object) -> None:
        raise storage_full()

    with monkeypatch.context() as patches:
        patches.setattr(LocalCloud, "add_account", fail)
        with pytest.raises(AssertionError):
            await home.set_up()
        assert home.entry.state is ConfigEntryState.SETUP_RETRY
        assert home.entry.error_reason_translation_key == "database_unusable"
    assert await hass.config_entries.async_reload(home.entry.entry_id)
    assert home.entry.state is ConfigEntryState.LOADED


async def test_device_that_is_something_else(hass: HomeAssistant, home: Home) -> None:
    """A person has confirmed it as the wrong thing, and says so in its own dialog."""
    await home.set_up()
    await home.add("Thing", "plug")
    await home.confirm("Thing", kind="strip")
    (subentry,) = home.entry.subentries.values()
    device_id = subentry.data["device_id"]
    assert home.entry.runtime_data.account.owned[device_id].device.ptype == 47446
    form = await home.entry.start_subentry_reconfigure_flow(hass, subentry.subentry_id)
    assert form["step_id"] == "kind"
    result = await hass.config_entries.subentries.async_configure(
        form["flow_id"], {"kind": "plug"}
    )
    assert result["reason"] == "reconfigure_successful"
    await wait_for_state(hass, "switch.thing", "off")
    (changed,) = home.entry.subentries.values()
    assert changed.unique_id == key_hash(home.keys["Thing"])
    assert changed.data["key_hash"] == changed.unique_id
    assert home.entry.runtime_data.account.owned[device_id].device.ptype == 23701


async def test_self_made_device_answers_an_action(
    hass: HomeAssistant, home: Home
) -> None:
    """Its own members are in the response, and its model says what it is."""
    await home.set_up()
    thing = await home.take_in("Gate", "self_made", members={"speed": "fast"})
    registry = dr.async_get(hass)
    (device,) = dr.async_entries_for_config_entry(registry, home.entry.entry_id)
    assert device.model == "Self-made device"
    response = await hass.services.async_call(
        "espcloud",
        "send_command",
        {"device_id": device.id, "action": "OPEN", "parameters": {"width": "2"}},
        blocking=True,
        return_response=True,
    )
    assert response[device.id]["speed"] == "fast"
    assert thing.pushes[-1]["get"]["action"] == "OPEN"


async def test_timers_are_the_devices_own(hass: HomeAssistant, home: Home) -> None:
    """They are kept in Home Assistant, and told to the device."""
    await home.set_up()
    plug = await home.take_in("Plug", "plug", activates=True)
    registry = dr.async_get(hass)
    (device,) = dr.async_entries_for_config_entry(registry, home.entry.entry_id)
    await hass.services.async_call(
        "espcloud",
        "set_timer",
        {
            "device_id": device.id,
            "action": "on",
            "time": "06:30:00",
            "weekdays": ["mon"],
        },
        blocking=True,
        return_response=True,
    )
    response = await hass.services.async_call(
        "espcloud",
        "get_timers",
        {"device_id": device.id},
        blocking=True,
        return_response=True,
    )
    assert len(response[device.id]["timers"]) == 1
    await until(lambda: bool(plug.timers))


async def test_device_that_the_phone_app_adds(hass: HomeAssistant, home: Home) -> None:
    """Its owner has claimed it over the HTTP API, so nobody is asked again."""
    await home.set_up()
    server = home.entry.runtime_data.server
    call, key = server._cloud.call, server.account.user_key
    product = await call(
        "POST",
        "/v1/products/",
        key,
        body={"products": [{"name": "Plugs", "ptype": 23701, "is_private": 1}]},
    )
    made = await call(
        "POST",
        f"/v1/products/{product['products'][0]['id']}/devices/",
        key,
        body={"devices": [{"name": "Kettle"}]},
    )
    master_key = made["devices"][0]["key"]["token"]
    kettle = kinds.make("plug", (HOST, home.port), master_key, activates=True)
    async with kettle:

        async def claimed() -> bool:
            answer = await call(
                "POST", "/v1/key/authorize/", key, body={"token": kettle.token}
            )
            return answer["status"] == 200

        for _ in range(200):
            if await claimed():
                break
            await asyncio.sleep(0.02)
        else:
            pytest.fail("it never activated")
        # With its next sign of life.
        await kettle.power_off()
        kettle.power_on()
        await until(lambda: hass.states.get("switch.kettle") is not None)
        await wait_for_state(hass, "switch.kettle", "off")
        (subentry,) = home.entry.subentries.values()
        assert subentry.title == "Kettle"
        assert subentry.unique_id == key_hash(master_key)


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


async def test_device_that_lost_power_while_home_assistant_restarted(
    hass: HomeAssistant, home: Home
) -> None:
    """It is away, although the server has heard of it moments ago."""
    await home.set_up()
    plug = await home.take_in("Plug", "plug")
    await plug.power_off()
    assert await hass.config_entries.async_reload(home.entry.entry_id)
    coordinator = home.coordinator("Plug")
    assert coordinator is not None
    assert not coordinator.availability.available
    plug.power_on()
    await home.wait_available("Plug")
