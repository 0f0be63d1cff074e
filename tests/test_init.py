"""An account comes, goes, comes back, and leaves nothing behind."""

import asyncio
from types import MappingProxyType
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.espcloud import event, refusals
from custom_components.espcloud.const import ACCOUNT_INTERVAL
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.errors import ApiError
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CoreState, Event, HomeAssistant, callback
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.setup import async_setup_component

from .common import (
    account_entry,
    device_subentry,
    let_time_pass,
    send_command,
    wait_for_state,
)

LIGHT = "light.desk_lamp"


async def test_unload_and_reload_leave_nothing(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """Unloading closes the connection, and reloading makes exactly one."""
    entry = await account_entry(hass, cloud, user.id, device)
    tasks = len(asyncio.all_tasks())
    assert await hass.config_entries.async_setup(entry.entry_id)
    await cloud.wait_online(device)

    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    await cloud.wait_offline(device)
    assert hass.states.get(LIGHT).state == "unavailable"
    assert len(asyncio.all_tasks()) == tasks

    assert await hass.config_entries.async_setup(entry.entry_id)
    await cloud.wait_online(device, connections=2)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await cloud.wait_online(device, connections=3)
    await wait_for_state(hass, LIGHT, "unknown")
    assert await hass.config_entries.async_unload(entry.entry_id)
    await cloud.wait_offline(device)
    assert len(asyncio.all_tasks()) == tasks


async def test_no_connection_without_entities(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A command that nobody would hear is not acknowledged, at either end of a life."""
    entry = await account_entry(hass, cloud, user.id, device)
    set_up, unload = event.async_setup_entry, hass.config_entries.async_unload_platforms
    met: list[bool] = []

    async def slow_set_up(*args: Any) -> None:
        with pytest.raises(TimeoutError):
            await cloud.wait_online(device, timeout=0.2)
        met.append(cloud.is_online(device))
        await set_up(*args)

    async def slow_unload(*args: Any) -> bool:
        await cloud.wait_offline(device)
        met.append(cloud.is_online(device))
        return await unload(*args)

    monkeypatch.setattr(event, "async_setup_entry", slow_set_up)
    monkeypatch.setattr(hass.config_entries, "async_unload_platforms", slow_unload)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await cloud.wait_online(device)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert met == [False, False]


async def test_stopping_home_assistant_closes_the_connection(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """Entries are not unloaded at the end, but the cloud sees the device leave."""
    entry = await account_entry(hass, cloud, user.id, device)
    await hass.config_entries.async_setup(entry.entry_id)
    await cloud.wait_online(device)
    await hass.async_stop()
    await cloud.wait_offline(device)


async def test_stopping_home_assistant_takes_no_more_commands(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """The states are stored in the turn of the loop that ends every connection."""
    devices = [cloud.add_device(f"Lamp {number}", user) for number in range(3)]
    entry = await account_entry(hass, cloud, user.id, *devices)
    await hass.config_entries.async_setup(entry.entry_id)
    for number in range(3):
        await wait_for_state(hass, f"light.lamp_{number}", "unknown")
    push = {
        "deliver_to_device": True,
        "get": {"action": "LED_ON"},
        "method": "GET",
        "path": "/v1/device/rpc/",
    }
    answers = [cloud._presence.link(device).outbox.push(push) for device in devices]
    # Its first step comes before what was just sent is read.
    await asyncio.create_task(hass.async_stop())
    for answer in await asyncio.gather(*answers, return_exceptions=True):
        assert isinstance(answer, ApiError)
    for number in range(3):
        assert hass.states.get(f"light.lamp_{number}").state == "unknown"


async def test_stopping_during_the_set_up_makes_no_connection(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody would close it any more, nor one that is added later."""
    entry = await account_entry(hass, cloud, user.id, device)
    set_up = event.async_setup_entry

    async def slow_set_up(*args: Any) -> None:
        hass.set_state(CoreState.stopping)
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
        await set_up(*args)

    monkeypatch.setattr(event, "async_setup_entry", slow_set_up)
    assert await hass.config_entries.async_setup(entry.entry_id)
    second = device_subentry(cloud, cloud.add_device("Floor lamp", user))
    hass.config_entries.async_add_subentry(
        entry,
        ConfigSubentry(
            **{**second, "data": MappingProxyType(dict(second["data"]))},
        ),
    )
    await hass.async_block_till_done()
    assert entry.runtime_data.virtual.coordinators == {}
    assert not cloud.is_online(device)
    hass.set_state(CoreState.running)


async def test_cloud_that_is_down_is_tried_again(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """An account whose cloud cannot be reached waits for it."""
    entry = await account_entry(hass, cloud, user.id, device)
    url = entry.data["url"]
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "url": "http://127.0.0.1:1"}
    )
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "cannot_connect"

    hass.config_entries.async_update_entry(entry, data={**entry.data, "url": url})
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED


def reauth_flows(hass: HomeAssistant) -> list[str]:
    """Return the dialogs that ask to sign in again."""
    return [
        flow["flow_id"]
        for flow in hass.config_entries.flow.async_progress()
        if flow["context"]["source"] == "reauth"
    ]


async def entry_is(entry: MockConfigEntry, state: ConfigEntryState) -> None:
    """Wait until an entry is in that state."""
    reached = asyncio.Event()

    def changed() -> None:
        if entry.state is state:
            reached.set()

    remove = entry.async_on_state_change(changed)
    try:
        changed()
        async with asyncio.timeout(5):
            await reached.wait()
    finally:
        remove()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time by which refusals are told apart, in a list."""
    clock = [1000.0]
    monkeypatch.setattr(refusals, "monotonic", lambda: clock[0])
    return clock


async def test_refused_account_key_at_set_up(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    clock: list[float],
) -> None:
    """The second refusal, at least a minute later, asks to sign in; success needs nobody."""
    entry = await account_entry(hass, cloud, user.id, device)
    key = cloud.store.keyring.keys[entry.data["user_key"]]
    cloud.revoke_key(key.token)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "key_refused"
    clock[0] += 59
    assert not await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert reauth_flows(hass) == []

    clock[0] += 1
    await let_time_pass(hass, 60)
    await entry_is(entry, ConfigEntryState.SETUP_RETRY)
    await hass.async_block_till_done()
    assert len(reauth_flows(hass)) == 1

    # The cloud has its state again: Home Assistant's own retry finds out.
    cloud.store.keyring.put(key)
    await let_time_pass(hass, 300)
    await entry_is(entry, ConfigEntryState.LOADED)
    await hass.async_block_till_done()
    assert reauth_flows(hass) == []
    assert not ir.async_get(hass).issues


async def test_refusals_long_apart_with_a_success_between(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    clock: list[float],
) -> None:
    """Each is the first: a cloud that forgets its keys now and then needs nobody."""
    entry = await account_entry(hass, cloud, user.id, device)
    await hass.config_entries.async_setup(entry.entry_id)
    account = entry.runtime_data.account
    key = cloud.store.keyring.keys[entry.data["user_key"]]
    for _ in range(3):
        clock[0] += 3600
        cloud.revoke_key(key.token)
        await account.async_refresh()
        await hass.async_block_till_done()
        assert reauth_flows(hass) == []
        cloud.store.keyring.put(key)
        await account.async_refresh()


async def test_dead_devices_disturb_nobody(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """Five devices of which two are dead: three work, and nobody waits for the dead."""
    devices = [cloud.add_device(f"Lamp {number}", user) for number in range(5)]
    entry = await account_entry(hass, cloud, user.id, *devices)
    for dead in devices[:2]:
        cloud.revoke_key(cloud.master_key(dead))

    # The dead are tried again after a minute.
    async with asyncio.timeout(30):
        assert await hass.config_entries.async_setup(entry.entry_id)
    for number, device in enumerate(devices[2:], start=2):
        await wait_for_state(hass, f"light.lamp_{number}", "unknown")
        assert cloud.is_online(device)
    for number in (0, 1):
        assert hass.states.get(f"light.lamp_{number}").state == "unavailable"


async def test_device_port_that_answers_nobody(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """The account is set up all the same; its lamp is unavailable."""
    entry = await account_entry(hass, cloud, user.id, device)
    hass.config_entries.async_update_entry(entry, data={**entry.data, "port": 1})
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    assert hass.states.get(LIGHT).state == "unavailable"


async def test_device_info(
    hass: HomeAssistant,
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
    cloud: LocalCloud,
    user: User,
    device: Device,
) -> None:
    """The device page shows what the cloud says of the device."""
    device.rom_version = "v1.0.5t45772(a)"
    entry = await account_entry(hass, cloud, user.id, device)
    await hass.config_entries.async_setup(entry.entry_id)
    (shown,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert shown.name == "Desk lamp"
    assert shown.manufacturer == "Espressif"
    assert shown.model == "Light"
    assert shown.serial_number == device.serial
    assert shown.sw_version == "v1.0.5t45772(a)"
    # Only the public cloud has a page for people.
    assert shown.configuration_url is None
    (subentry_id,) = entry.subentries
    assert shown.config_entry_id == entry.entry_id
    assert shown.config_subentry_id == subentry_id
    assert entity_registry.async_get(LIGHT).device_id == shown.id


async def test_device_info_follows_the_cloud(
    hass: HomeAssistant,
    device_registry: dr.DeviceRegistry,
    cloud: LocalCloud,
    user: User,
    device: Device,
) -> None:
    """A device that was renamed or got new firmware shows it after its next connection."""
    entry = await account_entry(hass, cloud, user.id, device)
    await hass.config_entries.async_setup(entry.entry_id)
    # Connected, and so through with its activation, which names a version of its own.
    await wait_for_state(hass, "light.desk_lamp", "unknown")
    cloud.rename(device, "Reading lamp")
    device.rom_version = "v1.0.6t45772(a)"
    device.ptype = 27388
    cloud.disconnect(device)
    await cloud.wait_offline(device)
    await cloud.wait_online(device)
    await wait_for_device(hass, entry.entry_id, "Reading lamp")
    (shown,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert shown.sw_version == "v1.0.6t45772(a)"
    assert shown.model == "Type 27388"


async def wait_for_device(hass: HomeAssistant, entry_id: str, name: str) -> None:
    """Wait until the device registry shows a name."""
    registry = dr.async_get(hass)
    changed = asyncio.Event()

    @callback
    def updated(_event: Event[dr.EventDeviceRegistryUpdatedData]) -> None:
        changed.set()

    remove = hass.bus.async_listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, updated)
    try:
        async with asyncio.timeout(5):
            while [
                device.name
                for device in dr.async_entries_for_config_entry(registry, entry_id)
            ] != [name]:
                changed.clear()
                await changed.wait()
    finally:
        remove()


async def test_removed_device_is_gone(
    hass: HomeAssistant,
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
    cloud: LocalCloud,
    user: User,
    device: Device,
) -> None:
    """Removing a subentry removes connection, device and entity, and no other's."""
    second = cloud.add_device("Floor lamp", user)
    entry = await account_entry(hass, cloud, user.id, device, second)
    await hass.config_entries.async_setup(entry.entry_id)
    await cloud.wait_online(device)
    await cloud.wait_online(second)
    (gone,) = (
        subentry_id
        for subentry_id, subentry in entry.subentries.items()
        if subentry.unique_id == str(device.id)
    )
    hass.config_entries.async_remove_subentry(entry, gone)
    await hass.async_block_till_done()
    await cloud.wait_offline(device)
    assert hass.states.get(LIGHT) is None
    assert entity_registry.async_get(LIGHT) is None
    (left,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert left.name == "Floor lamp"
    assert cloud.is_online(second)
    assert cloud.connection_count(second) == 1


async def test_new_master_key_reconnects_that_device_alone(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """A changed key takes effect at once; the other devices notice nothing."""
    second = cloud.add_device("Floor lamp", user)
    entry = await account_entry(hass, cloud, user.id, device, second)
    await hass.config_entries.async_setup(entry.entry_id)
    await cloud.wait_online(device)
    await cloud.wait_online(second)
    new_key = cloud.regenerate_master_key(device)
    (subentry,) = (
        subentry
        for subentry in entry.subentries.values()
        if subentry.unique_id == str(device.id)
    )
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, "device_key": new_key}
    )
    await cloud.wait_online(device, connections=2)
    assert (await send_command(cloud, device, "LED_ON"))["status"] == 200
    await wait_for_state(hass, LIGHT, "on")
    assert cloud.connection_count(second) == 1


async def test_device_without_a_subentry_cannot_linger(
    hass: HomeAssistant,
    device_registry: dr.DeviceRegistry,
    cloud: LocalCloud,
    user: User,
    device: Device,
) -> None:
    """One that is neither a subentry's nor the account's is not shown."""
    entry = await account_entry(hass, cloud, user.id, device)
    hass.config_entries.async_update_entry(entry, options={"show_devices": False})
    device_registry.async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={("espcloud", "orphan")}
    )
    await hass.config_entries.async_setup(entry.entry_id)
    (left,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert left.name == "Desk lamp"


async def remove_device(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, device: dr.DeviceEntry
) -> None:
    """Choose *Delete* in the menu of a device."""
    assert await async_setup_component(hass, "config", {})
    client = await hass_ws_client(hass)
    await client.send_json_auto_id(
        {"type": "config/device_registry/remove", "device_id": device.id}
    )
    assert (await client.receive_json())["success"]
    await hass.async_block_till_done()


@pytest.mark.parametrize("is_loaded", [True, False])
async def test_removing_a_device_removes_its_subentry(
    hass: HomeAssistant,
    device_registry: dr.DeviceRegistry,
    hass_ws_client: WebSocketGenerator,
    cloud: LocalCloud,
    user: User,
    device: Device,
    is_loaded: bool,
) -> None:
    """And ends its connection; the others notice nothing."""
    second = cloud.add_device("Floor lamp", user)
    entry = await account_entry(hass, cloud, user.id, device, second)
    await hass.config_entries.async_setup(entry.entry_id)
    for each in (device, second):
        await cloud.wait_online(each)
    if not is_loaded:
        await hass.config_entries.async_unload(entry.entry_id)
    (gone,) = (
        each
        for each in dr.async_entries_for_config_entry(device_registry, entry.entry_id)
        if each.name == "Desk lamp"
    )
    await remove_device(hass, hass_ws_client, gone)
    await cloud.wait_offline(device)
    assert [each.title for each in entry.subentries.values()] == ["Floor lamp"]
    assert device_registry.async_get(gone.id) is None
    assert hass.states.get(LIGHT) is None
    assert cloud.is_online(second) is is_loaded
    assert cloud.connection_count(second) == 1


async def test_removing_a_device_without_a_subentry(
    hass: HomeAssistant,
    device_registry: dr.DeviceRegistry,
    hass_ws_client: WebSocketGenerator,
    cloud: LocalCloud,
    user: User,
    device: Device,
) -> None:
    """One that turned up after the set-up, however that came about."""
    entry = await account_entry(hass, cloud, user.id, device)
    await hass.config_entries.async_setup(entry.entry_id)
    orphan = device_registry.async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={("espcloud", "orphan")}
    )
    await remove_device(hass, hass_ws_client, orphan)
    assert device_registry.async_get(orphan.id) is None
    assert len(entry.subentries) == 1


@pytest.mark.parametrize(
    ("version", "minor_version", "state"),
    [
        (1, 1, ConfigEntryState.LOADED),
        (1, 2, ConfigEntryState.LOADED),
        (2, 1, ConfigEntryState.MIGRATION_ERROR),
    ],
)
async def test_entries_of_other_versions(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    version: int,
    minor_version: int,
    state: ConfigEntryState,
) -> None:
    """A newer minor version is read, a newer major one is left alone."""
    entry = await account_entry(hass, cloud, user.id, device)
    hass.config_entries.async_update_entry(
        entry, version=version, minor_version=minor_version
    )
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is state


async def test_account_is_read_again_now_and_then(
    hass: HomeAssistant,
    device_registry: dr.DeviceRegistry,
    cloud: LocalCloud,
    user: User,
    device: Device,
) -> None:
    """A rename in the cloud is seen without a new connection."""
    entry = await account_entry(hass, cloud, user.id, device)
    await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, LIGHT, "unknown")
    cloud.rename(device, "Reading lamp")
    await let_time_pass(hass, ACCOUNT_INTERVAL.total_seconds())
    await wait_for_device(hass, entry.entry_id, "Reading lamp")


async def test_reading_again_notices_a_refused_account_key(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    clock: list[float],
) -> None:
    """The person is asked to sign in, until that is not needed; the device stays up."""
    entry = await account_entry(hass, cloud, user.id, device)
    # Else it is read every minute anyway.
    hass.config_entries.async_update_entry(entry, options={"show_devices": False})
    await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, LIGHT, "unknown")
    key = cloud.store.keyring.keys[entry.data["user_key"]]
    cloud.revoke_key(key.token)
    await entry.runtime_data.account.async_refresh()
    await hass.async_block_till_done()
    assert reauth_flows(hass) == []
    # It asks again after a minute or a little more, and then after two.
    clock[0] += 72
    await let_time_pass(hass, 72)
    assert len(reauth_flows(hass)) == 1
    assert cloud.is_online(device)
    cloud.store.keyring.put(key)
    await let_time_pass(hass, 144)
    assert reauth_flows(hass) == []
    assert cloud.is_online(device)


async def test_unload_while_the_account_key_is_refused(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """The key is not tried any more."""
    entry = await account_entry(hass, cloud, user.id, device)
    await hass.config_entries.async_setup(entry.entry_id)
    account = entry.runtime_data.account
    cloud.revoke_key(entry.data["user_key"])
    await account.async_refresh()
    assert account._cancel_retry is not None
    await hass.config_entries.async_unload(entry.entry_id)
    assert account._cancel_retry is None


async def test_reading_again_in_vain_changes_nothing(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """A cloud whose HTTP side is down is no reason to do anything."""
    entry = await account_entry(hass, cloud, user.id, device)
    await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, LIGHT, "unknown")
    await cloud._http_server.close()
    await entry.runtime_data.account.async_refresh()
    assert hass.config_entries.flow.async_progress() == []
    assert hass.states.get(LIGHT).state == "unknown"


async def test_person_insists_on_an_update(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Home Assistant's own action for it reads the account anew, and breaks nothing."""
    await async_setup_component(hass, "homeassistant", {})
    entry = await account_entry(hass, cloud, user.id, device)
    await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, LIGHT, "unknown")
    await send_command(cloud, device, "LED_ON")
    cloud.rename(device, "Reading lamp")
    await hass.services.async_call(
        "homeassistant", "update_entity", {"entity_id": LIGHT}, blocking=True
    )
    await wait_for_device(hass, entry.entry_id, "Reading lamp")
    assert hass.states.get(LIGHT).state == "on"
    assert "NotImplementedError" not in caplog.text
