"""Which devices Home Assistant has already."""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import HomeAssistant

from .cloud import CloudDevice
from .const import (
    CONF_DEVICE_ID,
    CONF_DEVICE_KEY,
    CONF_SERIAL,
    DOMAIN,
    SUBENTRY_TYPE_DEVICE,
)
from .server import Server


def is_set_up(
    hass: HomeAssistant, server: Server, device: CloudDevice, master_key: str
) -> bool:
    """Tell whether an account of Home Assistant's has the device already.

    One server can have several names, so the serial number or the key tell the device;
    the id alone does only within one server.
    """
    # What was ignored has no data.
    for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False):
        same_server = Server.from_data(entry.data).name == server.name
        for subentry in entry.get_subentries_of_type(SUBENTRY_TYPE_DEVICE):
            same_serial = device.serial and device.serial == subentry.data[CONF_SERIAL]
            same_device = device.id == subentry.data[CONF_DEVICE_ID] and (
                same_server or same_serial
            )
            if same_device or master_key == subentry.data[CONF_DEVICE_KEY]:
                return True
    return False


def device_unique_id(data: Mapping[str, Any]) -> str:
    """Return what tells a device from every other, on whatever server and account.

    Servers count their devices from one, hence the serial number.

    Args:
        data: its subentry's.
    """
    return f"{data[CONF_DEVICE_ID]}-{data[CONF_SERIAL]}"
