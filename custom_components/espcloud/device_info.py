"""What the device registry shows of a device."""

from typing import TYPE_CHECKING

from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr

from .const import DOMAIN, MANUFACTURER, MODELS

if TYPE_CHECKING:
    from .coordinator import EspCloudCoordinator


@callback
def async_register_device(coordinator: EspCloudCoordinator) -> None:
    """Write what is known of a device into the registry."""
    device = coordinator.backend.device
    model = None
    if device is not None and device.ptype:
        # A self-made device that is of no product has 0.
        model = MODELS.get(device.ptype, f"Type {device.ptype}")
    connections = set()
    if (mac := coordinator.backend.mac) is not None:
        connections = {(dr.CONNECTION_NETWORK_MAC, mac)}
    dr.async_get(coordinator.hass).async_get_or_create(
        config_entry_id=coordinator.config_entry.entry_id,
        config_subentry_id=coordinator.registry_subentry_id,
        identifiers={(DOMAIN, coordinator.unique_id)},
        connections=connections,
        configuration_url=coordinator.backend.web_page,
        manufacturer=MANUFACTURER,
        name=device.title if device is not None else coordinator.name,
        model=model,
        serial_number=coordinator.identity.serial or None,
        suggested_area=coordinator.suggested_area,
        sw_version=(device.rom_version or None) if device is not None else None,
    )
