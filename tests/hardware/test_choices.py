"""What a person chooses for a device of the account."""

from types import MappingProxyType
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_capture_events
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from tests.common import wait_for_issue, wait_for_state
from tests.local_cloud.helpers import until

from .house import House
from .test_kinds import press


async def open_dialog(hass: HomeAssistant, house: House) -> Any:
    """Open the dialog that changes a device."""
    return await hass.config_entries.subentries.async_init(
        (house.entry.entry_id, "hardware"), context={"source": "user"}
    )


async def submit(hass: HomeAssistant, form: Any, typed: dict[str, Any]) -> Any:
    """Submit a form of the dialog."""
    return await hass.config_entries.subentries.async_configure(form["flow_id"], typed)


async def choose(
    hass: HomeAssistant, house: House, name: str, kind: str, **choices: Any
) -> None:
    """Choose what a device is, by the dialog."""
    form = await open_dialog(hass, house)
    device_id = str(house.devices[name].id)
    form = await submit(hass, form, {"device": device_id})
    form = await submit(hass, form, {"kind": kind})
    if choices:
        form = await submit(hass, form, choices)
    assert form["type"] == "create_entry"


async def test_self_made_switch_with_streams(hass: HomeAssistant, house: House) -> None:
    """Other actions, another platform, and sensors for what it posts."""
    device = await house.show("Pump", "self_made")
    await wait_for_state(hass, "light.pump", "unknown")
    await device.post("tank", x=12.5, y=3)
    await choose(
        hass,
        house,
        "Pump",
        "rpc",
        shown_as="switch",
        turn_on_action="PUMP_ON",
        turn_off_action="PUMP_OFF",
        is_silent=False,
        streams=["tank", " ", "tank"],
    )
    await wait_for_state(hass, "switch.pump", "unknown")
    registry = er.async_get(hass)
    assert registry.async_get("light.pump") is None
    await wait_for_state(hass, "sensor.pump_tank_x", "12.5")
    assert hass.states.get("sensor.pump_tank_y").state == "3.0"
    await press(hass, "switch.pump", "turn_on")
    assert device.rpcs[-1]["action"] == "PUMP_ON"
    # A start removes nothing, though what it measures shows once it has been asked.
    events = async_capture_events(hass, er.EVENT_ENTITY_REGISTRY_UPDATED)
    await hass.config_entries.async_reload(house.entry.entry_id)
    await wait_for_state(hass, "sensor.pump_tank_x", "12.5")
    assert "remove" not in [event.data["action"] for event in events]
    # Changed back, its entities are others again.
    (subentry_id,) = house.entry.subentries
    hass.config_entries.async_remove_subentry(house.entry, subentry_id)
    await wait_for_state(hass, "light.pump", "unknown")
    assert registry.async_get("switch.pump") is None


async def test_light_that_has_white(hass: HomeAssistant, house: House) -> None:
    """A person knows before a report shows it."""
    await house.show("Lamp", "light", activates=True)
    await wait_for_state(hass, "light.lamp", "off")
    await choose(hass, house, "Lamp", "old_light", has_white=True)
    await wait_for_state(hass, "light.lamp", "off")
    assert hass.states.get("light.lamp").attributes["supported_color_modes"] == ["rgbw"]


async def test_another_kind(hass: HomeAssistant, house: House) -> None:
    """What the device had as something else goes, with its place in the registry."""
    await house.show("Thing", "self_made")
    await wait_for_state(hass, "light.thing", "unknown")
    await choose(hass, house, "Thing", "plug")
    await wait_for_state(hass, "switch.thing", "unknown")
    assert er.async_get(hass).async_get("light.thing") is None


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({"turn_on_action": " "}, {"turn_on_action": "empty_action"}),
        ({"turn_off_action": "LED_ON"}, {"turn_off_action": "same_action"}),
        ({"streams": ["a b"]}, {"streams": "bad_stream"}),
    ],
)
async def test_errors(
    hass: HomeAssistant,
    house: House,
    typed: dict[str, Any],
    errors: dict[str, str],
) -> None:
    """Each is on its field, and put right in the same dialog."""
    await house.show("Thing", "self_made")
    await wait_for_state(hass, "light.thing", "unknown")
    form = await open_dialog(hass, house)
    form = await submit(hass, form, {"device": str(house.devices["Thing"].id)})
    form = await submit(hass, form, {"kind": "rpc"})
    actions = {
        "shown_as": "light",
        "turn_on_action": "LED_ON",
        "turn_off_action": "LED_OFF",
    }
    form = await submit(hass, form, {**actions, **typed})
    assert form["errors"] == errors
    form = await submit(hass, form, actions)
    assert form["type"] == "create_entry"
    # There is nothing left to choose for.
    assert (await open_dialog(hass, house))["reason"] == "no_hardware"


async def test_device_that_never_answers(
    hass: HomeAssistant, house: House, hass_client: ClientSessionGenerator
) -> None:
    """After three commands a person is asked; then what was sent counts as done."""
    device = await house.show("Thing", "self_made", answers=False)
    await wait_for_state(hass, "light.thing", "unknown")
    for _ in range(3):
        with pytest.raises(HomeAssistantError) as caught:
            await press(hass, "light.thing", "turn_on")
        assert caught.value.translation_key == "device_busy"
    issue = await wait_for_issue(hass, "never_answers")
    assert await async_setup_component(hass, "repairs", {})
    client = await hass_client()
    response = await client.post(
        "/api/repairs/issues/fix",
        json={"handler": "espcloud", "issue_id": issue.issue_id},
    )
    form = await response.json()
    response = await client.post(f"/api/repairs/issues/fix/{form['flow_id']}", json={})
    assert (await response.json())["type"] == "create_entry"
    await wait_for_issue(hass, "never_answers", is_there=False)
    await hass.async_block_till_done()
    await wait_for_state(hass, "light.thing", "unknown")
    await press(hass, "light.thing", "turn_on")
    state = hass.states.get("light.thing")
    assert (state.state, state.attributes["assumed_state"]) == ("on", True)
    assert device.rpcs[-1]["action"] == "LED_ON"


async def test_choices_are_changed(hass: HomeAssistant, house: House) -> None:
    """The dialog begins with what was chosen, and the device follows at once."""
    await house.show("Lamp", "light", activates=True)
    await wait_for_state(hass, "light.lamp", "off")
    await choose(hass, house, "Lamp", "old_light", has_white=True)
    await wait_for_state(hass, "light.lamp", "off")
    (subentry_id,) = house.entry.subentries
    form = await house.entry.start_subentry_reconfigure_flow(hass, subentry_id)
    assert form["description_placeholders"]["device"] == "Lamp"
    (kind,) = form["data_schema"].schema
    assert kind.description["suggested_value"] == "old_light"
    form = await submit(hass, form, {"kind": "old_light"})
    before = house.coordinator("Lamp")
    result = await submit(hass, form, {"has_white": False})
    assert result["reason"] == "reconfigure_successful"
    await until(
        lambda: (
            house.entry.runtime_data.hardware.coordinators.get(
                house.devices["Lamp"].id, before
            )
            is not before
        )
    )
    await wait_for_state(hass, "light.lamp", "off")
    modes = hass.states.get("light.lamp").attributes["supported_color_modes"]
    assert modes == ["rgb"]
    await press(hass, "light.lamp", "turn_on")
    assert hass.states.get("light.lamp").attributes["color_mode"] == "rgb"
    (subentry,) = house.entry.subentries.values()
    assert subentry.data["device_id"] == house.devices["Lamp"].id


async def test_two_dialogs_for_one_device(hass: HomeAssistant, house: House) -> None:
    """The second one changes nothing that the first one chose."""
    await house.show("Lamp", "light", activates=True)
    await wait_for_state(hass, "light.lamp", "off")
    form = await open_dialog(hass, house)
    form = await submit(hass, form, {"device": str(house.devices["Lamp"].id)})
    form = await submit(hass, form, {"kind": "old_light"})
    house.coordinator("Lamp").subentry = ConfigSubentry(
        data=MappingProxyType({}), subentry_type="hardware", title="", unique_id=None
    )
    result = await submit(hass, form, {"has_white": True})
    assert result["reason"] == "already_configured"


async def test_account_that_is_not_loaded(hass: HomeAssistant, house: House) -> None:
    """Nobody knows its devices."""
    await house.set_up()
    await hass.config_entries.async_unload(house.entry.entry_id)
    assert (await open_dialog(hass, house))["reason"] == "account_not_loaded"


async def test_strip_that_does_not_say_how_it_is(
    hass: HomeAssistant, house: House
) -> None:
    """To set one socket would switch the others off, so none is set."""
    device = await house.show("Strip", "self_made", members={"datapoint": {"y": 2}})
    await wait_for_state(hass, "light.strip", "unknown")
    await choose(hass, house, "Strip", "strip")
    await wait_for_state(hass, "switch.strip_socket_1", "unknown")
    pushes = len(device.pushes)
    with pytest.raises(HomeAssistantError) as caught:
        await press(hass, "switch.strip_socket_1", "turn_on")
    assert caught.value.translation_key == "unexpected_answer"
    assert {push["method"] for push in device.pushes[pushes:]} == {"GET"}
