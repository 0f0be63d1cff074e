"""A push is acknowledged where somebody hears it, and nowhere else."""

from collections.abc import Collection

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.espcloud.diagnostics import async_get_device_diagnostics
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from custom_components.espcloud.markdown import escaped
from custom_components.espcloud.repairs import DeviceRepairFlow
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)

from .common import (
    account_entry,
    http,
    send_command,
    wait_for_coordinator,
    wait_for_issue,
    wait_for_state,
)

LIGHT = "light.desk_lamp"
EVENT = "event.desk_lamp_command"


async def disable(hass: HomeAssistant, entity_ids: Collection[str]) -> None:
    """Disable entities as a person does, and wait until they are gone."""
    registry = er.async_get(hass)
    for entity_id in entity_ids:
        registry.async_update_entity(
            entity_id, disabled_by=er.RegistryEntryDisabler.USER
        )
    await hass.async_block_till_done()
    for entity_id in entity_ids:
        assert hass.states.get(entity_id) is None


@pytest.mark.parametrize(
    ("disabled", "action", "status"),
    [
        ([], "LED_ON", 200),
        ([], "BLINK", 200),
        ([LIGHT], "LED_ON", 200),
        ([LIGHT], "BLINK", 200),
        ([EVENT], "LED_ON", 200),
        ([EVENT], "LED_OFF", 200),
        ([EVENT], "BLINK", 503),
        ([LIGHT, EVENT], "LED_ON", 503),
        ([LIGHT, EVENT], "BLINK", 503),
    ],
)
async def test_command_is_acknowledged_where_it_is_heard(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    entry: MockConfigEntry,
    disabled: Collection[str],
    action: str,
    status: int,
) -> None:
    """The event hears every command, the light its own two; else no state changes."""
    await disable(hass, disabled)
    before = {state.entity_id: state for state in hass.states.async_all()}
    assert (await send_command(cloud, device, action))["status"] == status
    if status == 200:
        assert {state.entity_id: state for state in hass.states.async_all()} != before
        return
    (coordinator,) = entry.runtime_data.virtual.coordinators.values()
    assert coordinator.data.is_on is None
    assert {state.entity_id: state for state in hass.states.async_all()} == before


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    ("disabled", "status"), [([LIGHT], 200), ([EVENT], 200), ([LIGHT, EVENT], 503)]
)
async def test_device_that_nobody_follows_answers_nothing_else(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    disabled: Collection[str],
    status: int,
) -> None:
    """A datapoint is for the device as a whole."""
    await disable(hass, disabled)
    answer = await http(
        cloud,
        "GET",
        "/v1/datastreams/plug-status/datapoint/",
        cloud.owner_key(device),
        query={"deliver_to_device": "true"},
    )
    assert answer["status"] == status


async def says_nothing_of(
    hass: HomeAssistant,
    registry: dr.DeviceRegistry,
    entry: MockConfigEntry,
    subentry_id: str,
) -> None:
    """Check that a repair and the diagnostics of a device do without its coordinator."""
    flow = DeviceRepairFlow()
    flow.hass = hass
    flow.context = {"issue_id": "taken_over_x"}
    flow.data = {"entry_id": entry.entry_id, "subentry_id": subentry_id}
    assert (await flow.async_step_confirm({}))["reason"] == "not_connected"
    # As it is left from a time when this account had it.
    left = registry.async_get_or_create(
        config_entry_id=entry.entry_id,
        config_subentry_id=subentry_id,
        identifiers={("espcloud", "left")},
    )
    told = await async_get_device_diagnostics(hass, entry, left)
    assert told["device"] is None
    registry.async_remove_device(left.id)


async def test_device_belongs_to_one_entry(
    hass: HomeAssistant,
    device_registry: dr.DeviceRegistry,
    cloud: LocalCloud,
    user: User,
    device: Device,
    entry: MockConfigEntry,
) -> None:
    """The same account once more does not take the commands away."""
    second = cloud.add_device("Floor lamp", user)
    twin = await account_entry(hass, cloud, user.id, device, second)
    hass.config_entries.async_update_entry(twin, title="The twin")
    assert await hass.config_entries.async_setup(twin.entry_id)
    await wait_for_state(hass, "light.floor_lamp", "unknown")
    issue = await wait_for_issue(hass, "set_up_twice")
    assert issue.translation_placeholders["device"] == "Desk lamp"
    assert issue.translation_placeholders["account_markdown"] == escaped(entry.title)
    assert issue.severity is ir.IssueSeverity.WARNING
    (held_id,) = twin.subentries.keys() - twin.runtime_data.virtual.coordinators.keys()
    await says_nothing_of(hass, device_registry, twin, held_id)
    heard = set()
    for number in range(6):
        action = "LED_OFF" if number % 2 else "LED_ON"
        assert (await send_command(cloud, device, action))["status"] == 200
        assert hass.states.get(LIGHT).state == ("off" if number % 2 else "on")
        heard.add(hass.states.get(EVENT).state)
    assert len(heard) == 6
    assert cloud.connection_count(device) == 1

    # A reload of the one that has it changes nothing.
    await hass.config_entries.async_reload(entry.entry_id)
    await cloud.wait_online(device, connections=2)
    assert len(entry.runtime_data.virtual.coordinators) == 1
    assert len(twin.runtime_data.virtual.coordinators) == 1

    # What one gives up, the other takes.
    await hass.config_entries.async_remove(entry.entry_id)
    assert len(twin.runtime_data.virtual.coordinators) == 2
    await wait_for_issue(hass, "set_up_twice", is_there=False)
    for coordinator in twin.runtime_data.virtual.coordinators.values():
        await wait_for_coordinator(coordinator, lambda it: it.availability.connected)
    assert (await send_command(cloud, device, "LED_ON"))["status"] == 200
    await wait_for_state(hass, LIGHT, "on")


@pytest.mark.parametrize("field", ["serial", "device_key"])
async def test_device_is_known_by_its_serial_or_its_key(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    entry: MockConfigEntry,
    field: str,
) -> None:
    """Either of them is enough; the issue goes with the subentry, or the entry."""
    twin = await account_entry(hass, cloud, user.id, device)
    (subentry,) = twin.subentries.values()
    hass.config_entries.async_update_subentry(
        twin, subentry, data={**subentry.data, field: "0" * 40}
    )
    assert await hass.config_entries.async_setup(twin.entry_id)
    await wait_for_issue(hass, "set_up_twice")
    assert twin.runtime_data.virtual.coordinators == {}
    if field == "serial":
        hass.config_entries.async_remove_subentry(twin, subentry.subentry_id)
    else:
        await hass.config_entries.async_unload(twin.entry_id)
    assert await wait_for_issue(hass, "set_up_twice", is_there=False) is None
    assert cloud.connection_count(device) == 1
