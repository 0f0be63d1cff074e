"""The action that sends any command."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import area_registry as ar, device_registry as dr

from .common import account_entry, wait_for_state

LIGHT = "light.desk_lamp"
EVENT = "event.desk_lamp_command"


@pytest.fixture
async def second(cloud: LocalCloud, user: User) -> Device:
    """Make a second device of the account."""
    return cloud.add_device("Floor lamp", user)


@pytest.fixture
async def entry(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device, second: Device
) -> MockConfigEntry:
    """Set up an account with two lamps."""
    entry = await account_entry(hass, cloud, user.id, device, second)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, LIGHT, "unknown")
    await wait_for_state(hass, "light.floor_lamp", "unknown")
    return entry


async def send(hass: HomeAssistant, **data: Any) -> Any:
    """Call the action and return its response."""
    return await hass.services.async_call(
        "espcloud", "send_command", data, blocking=True, return_response=True
    )


def device_id(hass: HomeAssistant, entry: MockConfigEntry, name: str) -> str:
    """Return the id that Home Assistant gives a device."""
    (found,) = (
        device.id
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
        if device.name == name
    )
    return found


async def test_command_with_parameters(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The command arrives as if anyone had sent it, and its answer comes back."""
    response = await send(
        hass,
        entity_id=LIGHT,
        action=" emulate_steps ",
        parameters={
            "count": 3,
            "speed": 1.5,
            "loud": True,
            "name": "100%41 of a+b=c&d; 灯",
        },
    )
    (answer,) = response.values()
    assert list(response) == [device_id(hass, entry, "Desk lamp")]
    assert answer["status"] == 200
    assert hass.states.get(EVENT).attributes["action"] == "emulate_steps"
    assert hass.states.get(EVENT).attributes["parameters"] == {
        "count": "3",
        "speed": "1.5",
        "loud": "true",
        "name": "100%41 of a+b=c&d; 灯",
    }


async def test_without_a_response(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Nobody has to want the answer."""
    await hass.services.async_call(
        "espcloud",
        "send_command",
        {"device_id": device_id(hass, entry, "Desk lamp"), "action": "LED_ON"},
        blocking=True,
    )
    assert hass.states.get(LIGHT).state == "on"


async def test_area_means_the_devices_of_the_cloud_in_it(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Whatever else is in the area is not meant."""
    area = ar.async_get(hass).async_create("Study")
    registry = dr.async_get(hass)
    for name in ("Desk lamp", "Floor lamp"):
        registry.async_update_device(device_id(hass, entry, name), area_id=area.id)
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    stranger = registry.async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("other", "1")}
    )
    registry.async_update_device(stranger.id, area_id=area.id)
    response = await send(hass, area_id=area.id, action="LED_ON")
    assert len(response) == 2
    for light in (LIGHT, "light.floor_lamp"):
        assert hass.states.get(light).state == "on"


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"entity_id": "light.nowhere", "action": "LED_ON"}, "unknown_device"),
        ({"device_id": "no such id", "action": "LED_ON"}, "unknown_device"),
        ({"area_id": "no such area", "action": "LED_ON"}, "no_device"),
        ({"entity_id": LIGHT, "action": " "}, "empty_action"),
        (
            {"entity_id": LIGHT, "action": "A", "parameters": {"x": [1]}},
            "bad_parameter",
        ),
        (
            {"entity_id": LIGHT, "action": "A", "parameters": {"x": None}},
            "bad_parameter",
        ),
        (
            {"entity_id": LIGHT, "action": "A", "parameters": {1: "x"}},
            "bad_parameter",
        ),
        (
            {"entity_id": LIGHT, "action": "A", "parameters": {"action": "B"}},
            "bad_parameter",
        ),
    ],
)
async def test_mistakes_are_explained(
    hass: HomeAssistant, data: dict[str, Any], key: str
) -> None:
    """A mistake is refused before anything is sent."""
    before = hass.states.get(EVENT)
    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, **data)
    assert caught.value.translation_key == key
    assert hass.states.get(EVENT) is before


@pytest.mark.usefixtures("entry")
async def test_target_and_action_are_needed(hass: HomeAssistant) -> None:
    """The schema already refuses a call without them."""
    with pytest.raises(vol.Invalid):
        await send(hass, action="LED_ON")
    with pytest.raises(vol.Invalid):
        await send(hass, entity_id=LIGHT)


@pytest.mark.usefixtures("entry")
async def test_device_that_is_away(
    hass: HomeAssistant, cloud: LocalCloud, device: Device
) -> None:
    """One device that is away is an error, and the others get the command."""
    cloud.revoke_key(cloud.master_key(device))
    await cloud.wait_offline(device)
    with pytest.raises(HomeAssistantError) as caught:
        await send(hass, entity_id=[LIGHT, "light.floor_lamp"], action="LED_ON")
    assert caught.value.translation_key == "device_offline"
    assert hass.states.get("light.floor_lamp").state == "on"


async def test_account_that_is_not_loaded(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The action is there all the same, and says what is missing."""
    await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, entity_id=LIGHT, action="LED_ON")
    assert caught.value.translation_key == "account_not_loaded"


async def test_device_of_another_integration(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """A named device has to be one of the cloud's."""
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    stranger = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("other", "1")}
    )
    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, device_id=stranger.id, action="LED_ON")
    assert caught.value.translation_key == "unknown_device"
