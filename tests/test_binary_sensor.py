"""Whether a device is connected."""

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from .common import account_entry, let_time_pass, wait_for_coordinator, wait_for_state

SENSOR = "binary_sensor.desk_lamp_connectivity"


async def test_connectivity(
    hass: HomeAssistant,
    entity_registry: er.EntityRegistry,
    cloud: LocalCloud,
    user: User,
    device: Device,
) -> None:
    """It says that the device is away, when the other entities are unavailable."""
    entry = await account_entry(hass, cloud, user.id, device)
    await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, SENSOR, "on")
    registered = entity_registry.async_get(SENSOR)
    assert registered.entity_category is er.EntityCategory.DIAGNOSTIC
    assert registered.original_device_class == "connectivity"

    (coordinator,) = entry.runtime_data.virtual.coordinators.values()
    cloud.revoke_key(cloud.master_key(device))
    await wait_for_coordinator(coordinator, lambda it: not it.availability.connected)
    assert hass.states.get(SENSOR).state == "on"
    await let_time_pass(hass, 15)
    assert hass.states.get(SENSOR).state == "off"
    assert hass.states.get("light.desk_lamp").state == "unavailable"
