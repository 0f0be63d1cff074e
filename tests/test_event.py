"""Every command that arrives is an event."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.espcloud.cloud import Push
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from .common import send_command, wait_for_state

EVENT = "event.desk_lamp_command"
LIGHT = "light.desk_lamp"


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    ("action", "event_type"),
    [("LED_ON", "turn_on"), ("LED_OFF", "turn_off"), ("emulate_steps", "custom")],
)
async def test_command_is_an_event(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, action: str, event_type: str
) -> None:
    """The event says what arrived, and keeps the parameters."""
    await send_command(cloud, device, action, count="3", mode="fast & loud")
    state = hass.states.get(EVENT)
    assert state.attributes["event_type"] == event_type
    assert state.attributes["action"] == action
    assert state.attributes["parameters"] == {"count": "3", "mode": "fast & loud"}


@pytest.mark.usefixtures("entry")
async def test_same_command_again_is_another_event(
    hass: HomeAssistant, cloud: LocalCloud, device: Device
) -> None:
    """The light has no news then, but an automation has."""
    times = set()
    for _ in range(3):
        await send_command(cloud, device, "LED_ON")
        times.add(hass.states.get(EVENT).state)
    assert len(times) == 3


@pytest.mark.usefixtures("entry")
async def test_own_commands_are_events_too(hass: HomeAssistant) -> None:
    """The light's own command has been to the cloud and back."""
    await hass.services.async_call(
        "light", "turn_on", {"entity_id": "light.desk_lamp"}, blocking=True
    )
    assert hass.states.get(EVENT).attributes["event_type"] == "turn_on"


@pytest.mark.usefixtures("entry")
async def test_automation_starts_on_any_action(
    hass: HomeAssistant, cloud: LocalCloud, device: Device
) -> None:
    """Home Assistant's own trigger works, and the action can be looked at."""
    await async_setup_component(
        hass, "input_boolean", {"input_boolean": {"rang": None}}
    )
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "triggers": {
                    "trigger": "event.received",
                    "target": {"entity_id": EVENT},
                    "options": {"event_type": ["custom"]},
                },
                "conditions": {
                    "condition": "template",
                    "value_template": (
                        "{{ state_attr('event.desk_lamp_command', 'action') == 'RING' }}"
                    ),
                },
                "actions": {
                    "action": "input_boolean.turn_on",
                    "target": {"entity_id": "input_boolean.rang"},
                },
            }
        },
    )
    await hass.async_block_till_done()
    await send_command(cloud, device, "KNOCK")
    await send_command(cloud, device, "LED_ON")
    await hass.async_block_till_done()
    assert hass.states.get("input_boolean.rang").state == "off"
    await send_command(cloud, device, "RING")
    await wait_for_state(hass, "input_boolean.rang", "on")


async def test_unloaded_device_fires_no_event(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """Nothing listens any more after unloading, and once only after reloading."""
    (coordinator,) = entry.runtime_data.virtual.coordinators.values()
    await hass.config_entries.async_unload(entry.entry_id)
    assert coordinator._pushes._listeners == []


async def test_parameters_are_texts(
    hass: HomeAssistant, device: Device, entry: MockConfigEntry
) -> None:
    """What no cloud sends does not reach the states."""
    (coordinator,) = entry.runtime_data.virtual.coordinators.values()
    push = Push.from_frame(
        {
            "deliver_to_device": True,
            "get": {"action": "DIM", "level": "30", "deep": [[[]]], "number": 1},
            "method": "GET",
            "nonce": 1,
            "path": "/v1/device/rpc/",
        }
    )
    coordinator.handle_push(push)
    assert hass.states.get(EVENT).attributes["parameters"] == {"level": "30"}
