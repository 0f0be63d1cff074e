"""Which devices Home Assistant has already."""

from homeassistant.core import HomeAssistant

from .backends.server import Server
from .cloud import CloudDevice
from .const import (
    CONF_DEVICE_ID,
    CONF_DEVICE_KEY,
    CONF_SERIAL,
    DOMAIN,
    SUBENTRY_TYPE_DEVICE,
)


def is_set_up(
    hass: HomeAssistant, server: Server, device: CloudDevice, master_key: str
) -> bool:
    """Tell whether an account of Home Assistant's has the device already.

    One server can have several names, so number and serial number tell the device, or
    its key; within one server the number alone does.
    """
    # What was ignored has no data.
    for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False):
        same_server = Server.from_data(entry.data).name == server.name
        for subentry in entry.get_subentries_of_type(SUBENTRY_TYPE_DEVICE):
            known_id, known_serial, known_key = (
                subentry.data[name]
                for name in (CONF_DEVICE_ID, CONF_SERIAL, CONF_DEVICE_KEY)
            )
            if (master_key and known_key == master_key) or (
                known_id == device.id and (same_server or known_serial == device.serial)
            ):
                return True
    return False


def is_virtual(hass: HomeAssistant, server: Server, device: CloudDevice) -> bool:
    """Tell whether Home Assistant is the device, which it need not command then."""
    return is_set_up(hass, server, device, "")
