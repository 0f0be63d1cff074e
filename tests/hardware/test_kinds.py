"""Each kind of device in Home Assistant: shown, commanded, read."""

from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from tests.common import wait_for_state

from .house import House


async def press(
    hass: HomeAssistant, entity_id: str, service: str, **data: object
) -> None:
    """Do what a person does in the user interface."""
    await hass.services.async_call(
        entity_id.partition(".")[0],
        service,
        {ATTR_ENTITY_ID: entity_id, **data},
        blocking=True,
    )


async def test_plug(hass: HomeAssistant, house: House) -> None:
    """It is switched, toggled, and read where somebody presses its button."""
    plug = await house.add("Kettle", "plug", activates=True, bssid="18:fe:34:00:00:99")
    await house.wait_online("Kettle")
    await house.set_up()
    switch = "switch.kettle"
    await wait_for_state(hass, switch, "off")
    await press(hass, switch, "turn_on")
    assert plug.appliance.is_on
    assert hass.states.get(switch).state == "on"
    await press(hass, switch, "toggle")
    assert hass.states.get(switch).state == "off"
    plug.press()
    await wait_for_state(hass, switch, "on")
    (device,) = dr.async_entries_for_config_entry(
        dr.async_get(hass), house.entry.entry_id
    )
    assert device.name == "Kettle"
    assert device.model == "Plug"
    assert device.sw_version == plug.rom_version
    assert device.connections == {("mac", "18:fe:34:00:00:99")}
    assert hass.states.get("binary_sensor.kettle_connectivity").state == "on"
