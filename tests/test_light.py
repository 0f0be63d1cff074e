"""The light follows the cloud, and speaks to it."""

from homeassistant.core import HomeAssistant
from local_cloud import LocalCloud
from local_cloud.models import Device, User

from .common import account_entry, send_command, wait_for_state

LIGHT = "light.desk_lamp"


async def test_light_follows_the_commands_that_arrive(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """A command from the cloud's side changes the state; before any it is unknown."""
    entry = await account_entry(hass, cloud, user.id, device)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, LIGHT, "unknown")

    answer = await send_command(cloud, device, "LED_ON")
    assert answer["status"] == 200
    assert answer["deliver_to_device"] is True
    await wait_for_state(hass, LIGHT, "on")

    await send_command(cloud, device, "LED_OFF")
    await wait_for_state(hass, LIGHT, "off")

    await hass.services.async_call(
        "light", "turn_on", {"entity_id": LIGHT}, blocking=True
    )
    assert hass.states.get(LIGHT).state == "on"
    await hass.config_entries.async_unload(entry.entry_id)
