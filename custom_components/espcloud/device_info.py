"""What the device registry shows of a device."""

from typing import TYPE_CHECKING

from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr

from .cloud import CloudDevice
from .const import CONF_SERIAL, DOMAIN, MANUFACTURER, MODELS

if TYPE_CHECKING:
    from .coordinator import EspCloudCoordinator


@callback
def async_register_device(
    coordinator: EspCloudCoordinator, device: CloudDevice | None
) -> None:
    """Write what the cloud says of a device, None for nothing yet, into the registry."""
    model = None
    if device is not None and device.ptype is not None:
        model = MODELS.get(device.ptype, f"Type {device.ptype}")
    subentry = coordinator.subentry
    dr.async_get(coordinator.hass).async_get_or_create(
        config_entry_id=coordinator.config_entry.entry_id,
        config_subentry_id=subentry.subentry_id,
        identifiers={(DOMAIN, coordinator.unique_id)},
        configuration_url=coordinator.account.server.web_page,
        manufacturer=MANUFACTURER,
        name=device.title if device is not None else subentry.title,
        model=model,
        serial_number=subentry.data[CONF_SERIAL] or None,
        sw_version=(device.rom_version or None) if device is not None else None,
    )
