"""Firmware: offered where there is any, installed, and what can go wrong (protocol.md §3.7)."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.espcloud import upgrade
from custom_components.espcloud.cloud import CloudTimeoutError, OwnerClient
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.api import roms as rom_api
from custom_components.espcloud.local_cloud.models import User
from custom_components.espcloud.local_cloud.roms import Model
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from tests.common import account_entry, wait_for_state
from tests.firmware.new_light import NewLight
from tests.local_cloud.helpers import add_firmware, no_file, until

from .house import House
from .test_kinds import press

OLD, NEW = "v1.0.5t23701(a)", "v1.0.6t23701(a)"
UPDATE = "update.kettle_firmware"
SWITCH = "switch.kettle"


@pytest.fixture
async def kettle(cloud: LocalCloud, user: User, house: House) -> Any:
    """Switch a plug on, for which there is new firmware."""
    add_firmware(cloud, NEW, 23701)
    return await add_plug(cloud, house)


async def add_plug(cloud: LocalCloud, house: House) -> Any:
    """Switch a plug on that pings often, as if much time passed."""
    port = int(cloud.http_url.rpartition(":")[2])
    plug = await house.add("Kettle", "plug", activates=True, http_port=port, beacon=0.2)
    await house.wait_online("Kettle")
    return plug


def install(hass: HomeAssistant, entity_id: str = UPDATE) -> asyncio.Task[Any]:
    """Press *Install*; who waits for its end gets its error."""
    coro: Coroutine[Any, Any, Any] = press(hass, entity_id, "install")
    return asyncio.create_task(coro)


async def finish(
    hass: HomeAssistant, house: House, name: str, task: asyncio.Task[Any]
) -> None:
    """Let the time pass that an update takes, from when the device has fetched it on."""
    device, simulated = house.devices[name], house.simulated[name]
    boots, heard = simulated.boots, device.last_active
    await pass_time(hass, lambda: simulated.boots > boots)
    house.pass_time(10)
    await until(lambda: device.last_active >= heard + 10)
    await pass_time(hass, task.done)


async def pass_time(hass: HomeAssistant, is_over: Callable[[], bool]) -> None:
    """Let five seconds pass again and again.

    Without waiting for what Home Assistant does: the update is what it does.
    """
    while not is_over():
        later = dt_util.utcnow() + timedelta(seconds=upgrade.POLL_INTERVAL)
        async_fire_time_changed(hass, later)
        await asyncio.sleep(0.001)


def shown(hass: HomeAssistant, entity_id: str = UPDATE) -> dict[str, Any]:
    """Return what the entity shows."""
    state = hass.states.get(entity_id)
    names = ("installed_version", "latest_version", "in_progress", "update_percentage")
    return {"state": state.state} | {name: state.attributes[name] for name in names}


async def test_install(
    hass: HomeAssistant, cloud: LocalCloud, house: House, kettle: Any
) -> None:
    """Offered, fetched, restarted, and then it is what is installed."""
    await house.set_up()
    await wait_for_state(hass, UPDATE, "on")
    offered = {
        "state": "on",
        "installed_version": OLD,
        "latest_version": NEW,
        "in_progress": False,
        "update_percentage": None,
    }
    assert shown(hass) == offered
    assert er.async_get(hass).async_get(UPDATE).entity_category == "config"
    task = install(hass)
    await until(lambda: "message sent" in kettle.actions)
    assert house.devices["Kettle"].rom_version == NEW
    # The server says so already; the device does not run it yet.
    await house.entry.runtime_data.account.async_refresh()
    assert shown(hass) == offered | {"in_progress": True}
    await finish(hass, house, "Kettle", task)
    await task
    assert kettle.rom_version == NEW
    assert shown(hass) == offered | {"state": "off", "installed_version": NEW}
    await wait_for_state(hass, SWITCH, "off")
    await press(hass, SWITCH, "turn_on")
    assert kettle.appliance.is_on


async def test_it_is_there_while_the_device_restarts(
    hass: HomeAssistant, cloud: LocalCloud, house: House, kettle: Any
) -> None:
    """That the device is away is a part of it; switching it is no use meanwhile."""
    await house.set_up()
    await wait_for_state(hass, UPDATE, "on")
    task = install(hass)
    await until(lambda: "message sent" in kettle.actions)
    await kettle.power_off()
    await wait_for_state(hass, SWITCH, STATE_UNAVAILABLE)
    assert shown(hass)["in_progress"]
    kettle.power_on()
    await house.wait_online("Kettle")
    await finish(hass, house, "Kettle", task)
    await task
    await wait_for_state(hass, SWITCH, "off")


async def test_firmware_that_comes_later(
    hass: HomeAssistant,
    cloud: LocalCloud,
    house: House,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The entity comes with it, and asks once for each version, however often it is listed."""
    asked = count_calls(monkeypatch, "list_roms")
    await add_plug(cloud, house)
    await house.set_up()
    await wait_for_state(hass, SWITCH, "off")
    assert hass.states.get(UPDATE) is None
    refresh = house.entry.runtime_data.account.async_refresh
    for number, version in enumerate((NEW, "v1.0.7t23701(a)"), 1):
        add_firmware(cloud, version, 23701)
        await refresh()
        await hass.async_block_till_done()
        await wait_for_state(hass, UPDATE, "on")
        await wait_for_latest(hass, version)
        await refresh()
        await refresh()
        await hass.async_block_till_done()
        assert len(asked) == number


def count_calls(monkeypatch: pytest.MonkeyPatch, name: str) -> list[str]:
    """Return a list that grows with each call of a method of the client."""
    method, calls = getattr(OwnerClient, name), []

    async def counted(client: OwnerClient, key: str) -> Any:
        calls.append(key)
        return await method(client, key)

    monkeypatch.setattr(OwnerClient, name, counted)
    return calls


async def wait_for_latest(hass: HomeAssistant, version: str) -> None:
    """Wait until a version is offered."""
    await until(lambda: shown(hass)["latest_version"] == version)


async def test_older_by_name_is_offered(
    hass: HomeAssistant, cloud: LocalCloud, house: House
) -> None:
    """What the server calls the latest is what it wants to run there."""
    cloud.store.roms.latest = lambda model: "v0.9.0t23701(a)"
    add_firmware(cloud, "v0.9.0t23701(a)", 23701)
    await add_plug(cloud, house)
    await house.set_up()
    await wait_for_state(hass, UPDATE, "on")
    assert shown(hass)["latest_version"] == "v0.9.0t23701(a)"


@pytest.mark.usefixtures("kettle")
async def test_a_version_without_both_files_is_not_offered(
    hass: HomeAssistant, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which of them the device asks for, nobody knows."""
    monkeypatch.setattr(rom_api, "FILE_NAMES", ("user1.bin",))
    asked = count_calls(monkeypatch, "list_roms")
    await house.set_up()
    await wait_for_state(hass, UPDATE, "off")
    await until(lambda: bool(asked))
    await house.entry.runtime_data.account.async_refresh()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert shown(hass)["latest_version"] == OLD
    with pytest.raises(HomeAssistantError, match="No update available"):
        await install(hass)
    assert len(asked) == 1


async def test_a_server_that_is_not_reached_is_asked_again(
    hass: HomeAssistant, cloud: LocalCloud, house: House, kettle: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """It may have the files nevertheless."""
    asked = count_calls(monkeypatch, "list_roms")
    await house.set_up()
    account = house.entry.runtime_data.account
    await wait_for_state(hass, UPDATE, "on")
    add_firmware(cloud, "v1.0.7t23701(a)", 23701)
    real, account.async_as_owner = account.async_as_owner, refuse_connections
    await account.async_refresh()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert shown(hass)["latest_version"] == OLD
    account.async_as_owner = real
    await account.async_refresh()
    await wait_for_latest(hass, "v1.0.7t23701(a)")
    assert len(asked) == 2


async def refuse_connections(*_args: Any, **_options: Any) -> Any:
    """Fail as where the network is down."""
    raise CloudTimeoutError("the cloud did not answer in time")


async def test_files_that_are_gone(
    hass: HomeAssistant, cloud: LocalCloud, house: House, kettle: Any
) -> None:
    """The device is not told: it would erase what it has."""
    await house.set_up()
    await wait_for_state(hass, UPDATE, "on")
    cloud.store.remove_firmware(Model(0, 23701), NEW)
    # Not every server looks after that.
    cloud.store.roms.has = lambda device, version: True
    await refused(install(hass), "firmware_missing")
    assert "upgrade" not in kettle.actions
    assert not shown(hass)["in_progress"]


async def refused(task: asyncio.Task[Any], key: str) -> None:
    """Check that an update ends with an error."""
    with pytest.raises(HomeAssistantError) as caught:
        await task
    assert caught.value.translation_key == key
    assert "Kettle" in caught.value.translation_placeholders["device"]


async def test_a_server_that_refuses(
    hass: HomeAssistant, cloud: LocalCloud, house: House, kettle: Any
) -> None:
    """It has the files, it says, but not where it delivers."""
    await house.set_up()
    await wait_for_state(hass, UPDATE, "on")
    cloud.store.roms.has = lambda device, version: False
    await refused(install(hass), "firmware_missing")
    assert "upgrade" not in kettle.actions


async def test_a_device_that_is_away(
    hass: HomeAssistant, cloud: LocalCloud, house: House, kettle: Any
) -> None:
    """The account knows it at once."""
    await house.set_up()
    await wait_for_state(hass, UPDATE, "on")
    # Until the next question Home Assistant takes it to be there.
    house.entry.runtime_data.account.poller.close()
    await kettle.power_off()
    await until(lambda: not cloud.is_online(house.devices["Kettle"]))
    await refused(install(hass), "device_offline")


async def test_a_download_that_fails(
    hass: HomeAssistant, cloud: LocalCloud, house: House, kettle: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Nobody tells the owner; after five minutes it is over."""
    await house.set_up()
    await wait_for_state(hass, UPDATE, "on")
    cloud.store.roms.contents.find = no_file
    task = install(hass)
    await until(lambda: "message sent" in kettle.actions)
    polls = count_calls(monkeypatch, "get_device")
    assert shown(hass)["in_progress"]
    await pass_time(hass, task.done)
    assert len(polls) == upgrade.MOST_POLLS
    await refused(task, "firmware_not_fetched")
    assert kettle.boots == 1
    assert shown(hass) == {
        "state": "on",
        "installed_version": OLD,
        "latest_version": NEW,
        "in_progress": False,
        "update_percentage": None,
    }


async def test_a_device_that_does_not_come_back(
    hass: HomeAssistant, house: House, kettle: Any
) -> None:
    """It has the firmware, but nobody can tell whether it runs."""
    await house.set_up()
    await wait_for_state(hass, UPDATE, "on")
    task = install(hass)
    await until(lambda: "message sent" in kettle.actions)
    await kettle.power_off()
    await pass_time(hass, task.done)
    await refused(task, "firmware_not_running")


@pytest.mark.parametrize("way", ["unload", "disable", "stop"])
async def test_unload(hass: HomeAssistant, house: House, kettle: Any, way: str) -> None:
    """An update that nobody follows any more ends; no timer stays, as the plug-in checks."""
    await house.set_up()
    await wait_for_state(hass, UPDATE, "on")
    task = install(hass)
    await until(lambda: "message sent" in kettle.actions)
    match way:
        case "unload":
            assert await hass.config_entries.async_unload(house.entry.entry_id)
        case "disable":
            registry = er.async_get(hass)
            disabler = er.RegistryEntryDisabler.USER
            registry.async_update_entity(UPDATE, disabled_by=disabler)
        case "stop":
            hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await refused(task, "firmware_interrupted")
    await hass.async_block_till_done()


async def test_a_light_that_becomes_a_new_one(
    hass: HomeAssistant, cloud: LocalCloud, house: House
) -> None:
    """Its stream changes with its version: the same light to people, and it works throughout."""
    newest, light = "b1.3.0t45772(o)", "light.lamp"
    add_firmware(cloud, newest, 45772)
    port = int(cloud.http_url.rpartition(":")[2])
    lamp = await house.add("Lamp", "light", activates=True, http_port=port, beacon=0.2)
    await house.wait_online("Lamp")
    await house.set_up()
    await wait_for_state(hass, "update.lamp_firmware", "on")
    await wait_for_state(hass, light, "off")
    entity_id = er.async_get(hass).async_get(light).id
    task = install(hass, "update.lamp_firmware")
    await until(lambda: "message sent" in lamp.actions)
    # It has the new version at the server, but runs the old one.
    await house.entry.runtime_data.account.async_refresh()
    await press(hass, light, "turn_on", rgb_color=(255, 0, 0), brightness=255)
    assert lamp.appliance.values["y"] > 0
    restart = swap_on_boot(lamp, NewLight)
    await finish(hass, house, "Lamp", task)
    await task
    await hass.async_block_till_done()
    assert restart == [newest]
    assert er.async_get(hass).async_get(light).id == entity_id
    await wait_for_state(hass, light, "off")
    await press(hass, light, "turn_on", rgb_color=(0, 0, 255), brightness=255)
    assert lamp.appliance.values["z"]["blue"] == 255
    assert hass.states.get(light).state == "on"
    assert shown(hass, "update.lamp_firmware")["state"] == "off"


def swap_on_boot(device: Any, appliance: Callable[[], Any]) -> list[str]:
    """Make a device another one with its next start; return a list that shows it then."""
    boot, versions = device._boot, []

    def boot_anew() -> None:
        boot()
        device.appliance = appliance()
        versions.append(device.appliance.rom_version)

    device._boot = boot_anew
    return versions


async def test_who_has_none(
    hass: HomeAssistant, cloud: LocalCloud, house: House, user: User
) -> None:
    """A sensor that sleeps cannot be told, and Home Assistant needs no firmware."""
    for version, ptype in (("v1.0.6t12335(a)", 12335), ("v1.0.6t45772(o)", 45772)):
        add_firmware(cloud, version, ptype)
    await house.add("Garden", "tem_hum", activates=True)
    virtual = cloud.add_device("Desk lamp", user, 45772)
    await until(lambda: house.devices["Garden"].activate_status == 1)
    entry = await account_entry(hass, cloud, user.id, virtual)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, "light.desk_lamp", "unknown")
    await wait_for_state(hass, "sensor.garden_temperature", lambda _: True)
    latest = {
        each.device.latest_rom_version
        for each in entry.runtime_data.account.owned.values()
    }
    assert latest == {"v1.0.6t12335(a)", "v1.0.6t45772(o)"}
    assert not hass.states.async_entity_ids("update")


@pytest.mark.usefixtures("kettle")
async def test_release_notes(
    hass: HomeAssistant,
    house: House,
    hass_ws_client: WebSocketGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A maker's words are shown as they are, no picture and no link of theirs."""
    real = rom_api.RomApi._rom

    def with_notes(self: Any, model: Any, version: str) -> dict[str, Any]:
        return real(self, model, version) | {"description": "Faster.\n![x](y)"}

    monkeypatch.setattr(rom_api.RomApi, "_rom", with_notes)
    await house.set_up()
    await wait_for_state(hass, UPDATE, "on")
    client = await hass_ws_client(hass)
    await client.send_json_auto_id(
        {"type": "update/release_notes", "entity_id": UPDATE}
    )
    answer = await client.receive_json()
    assert answer["result"] == "Faster\\.\n\\!\\[x\\]\\(y\\)"
