"""Actions of the person's own: entered in the device's form, shown as types of events."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER
from homeassistant.core import Event, EventStateChangedData, HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.setup import async_setup_component

from .common import account_entry, send_command, wait_for_state

LIGHT = "light.desk_lamp"
EVENT = "event.desk_lamp_command"
FORM = {"turn_on_action": "LED_ON", "turn_off_action": "LED_OFF"}


async def open_dialog(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    """Open the dialog that changes the device."""
    (subentry_id, *_) = entry.subentries
    return await hass.config_entries.subentries.async_init(
        (entry.entry_id, "device"),
        context={"source": SOURCE_RECONFIGURE, "subentry_id": subentry_id},
    )


async def list_actions(
    hass: HomeAssistant, entry: MockConfigEntry, actions: list[str]
) -> Any:
    """Change the device's actions in its dialog, and return the result."""
    form = await open_dialog(hass, entry)
    result = await hass.config_entries.subentries.async_configure(
        form["flow_id"], {**FORM, "actions": actions}
    )
    await hass.async_block_till_done()
    return result


async def test_listed_action_is_an_event_type(
    hass: HomeAssistant,
    entity_registry: er.EntityRegistry,
    cloud: LocalCloud,
    device: Device,
    entry: MockConfigEntry,
) -> None:
    """It is shown as it is written, at once and after a restart; the rest is custom."""
    result = await list_actions(hass, entry, [" MOVIE_TIME", "调光", ""])
    assert result["reason"] == "reconfigure_successful"
    types = ["turn_on", "turn_off", "custom", "MOVIE_TIME", "调光"]
    for _ in range(2):
        assert hass.states.get(EVENT).attributes["event_types"] == types
        # What the editor of triggers offers.
        assert entity_registry.async_get(EVENT).capabilities == {"event_types": types}
        for action, event_type in (
            ("MOVIE_TIME", "MOVIE_TIME"),
            ("调光", "调光"),
            ("movie_time", "custom"),
            ("turn_on", "custom"),
            ("LED_ON", "turn_on"),
            ("LED_OFF", "turn_off"),
        ):
            assert (await send_command(cloud, device, action))["status"] == 200
            shown = hass.states.get(EVENT).attributes
            assert (shown["event_type"], shown["action"]) == (event_type, action)
        await hass.config_entries.async_reload(entry.entry_id)
        await wait_for_state(hass, LIGHT, "off")


async def test_changed_list_disturbs_nothing(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    entry: MockConfigEntry,
) -> None:
    """No connection is made anew, no command appears that nobody sent."""
    await send_command(cloud, device, "LED_ON")
    times = []

    def note(event: Event[EventStateChangedData]) -> None:
        assert event.data["new_state"] is not None
        times.append(event.data["new_state"].state)

    async_track_state_change_event(hass, [LIGHT, EVENT], note)
    before = hass.states.get(EVENT).state
    await list_actions(hass, entry, ["DIM"])
    await list_actions(hass, entry, [])
    assert times == [before, before]
    assert hass.states.get(EVENT).attributes["event_types"] == [
        "turn_on",
        "turn_off",
        "custom",
    ]
    assert cloud.connection_count(device) == 1


@pytest.mark.usefixtures("entry")
async def test_list_is_shown_again(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """A dialog that is opened once more does not forget what was entered."""
    await list_actions(hass, entry, ["DIM", "MOVIE_TIME"])
    form = await open_dialog(hass, entry)
    shown = {
        str(field): field.description["suggested_value"]
        for field in form["data_schema"].schema
        if field.description
    }
    assert {**FORM, "actions": ["DIM", "MOVIE_TIME"]}.items() <= shown.items()


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ("turn_on", "reserved_action"),
        (" turn_off ", "reserved_action"),
        ("custom", "reserved_action"),
        ("LED_ON", "action_of_light"),
        ("LED_OFF ", "action_of_light"),
        (" DIM", "duplicate_action"),
    ],
)
async def test_impossible_action_is_refused(
    hass: HomeAssistant, entry: MockConfigEntry, action: str, error: str
) -> None:
    """Beside its field, and the same form succeeds when it is put right."""
    form = await list_actions(hass, entry, ["DIM", action])
    assert form["errors"] == {"actions": error}
    result = await hass.config_entries.subentries.async_configure(
        form["flow_id"], {**FORM, "actions": ["DIM"]}
    )
    assert result["reason"] == "reconfigure_successful"


async def test_new_device_has_its_list(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """The dialog that adds a device has the same field."""
    entry = await account_entry(hass, cloud, user.id)
    flows = hass.config_entries.subentries
    menu = await flows.async_init(
        (entry.entry_id, "device"), context={"source": SOURCE_USER}
    )
    form = await flows.async_configure(menu["flow_id"], {"next_step_id": "device_key"})
    result = await flows.async_configure(
        form["flow_id"],
        {**FORM, "device_key": cloud.master_key(device), "actions": ["DIM"]},
    )
    assert result["data"]["actions"] == ["DIM"]


@pytest.mark.usefixtures("entry")
async def test_automation_starts_on_a_listed_action(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """Home Assistant's own trigger names it; no condition is needed."""
    await list_actions(hass, entry, ["MOVIE_TIME"])
    await async_setup_component(hass, "input_boolean", {"input_boolean": {"dark": {}}})
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "triggers": {
                    "trigger": "event.received",
                    "target": {"entity_id": EVENT},
                    "options": {"event_type": "MOVIE_TIME"},
                },
                "actions": {
                    "action": "input_boolean.turn_on",
                    "target": {"entity_id": "input_boolean.dark"},
                },
            }
        },
    )
    await hass.async_block_till_done()
    await send_command(cloud, device, "LED_ON")
    await send_command(cloud, device, "MOVIE")
    await hass.async_block_till_done()
    assert hass.states.get("input_boolean.dark").state == "off"
    await send_command(cloud, device, "MOVIE_TIME")
    await wait_for_state(hass, "input_boolean.dark", "on")
