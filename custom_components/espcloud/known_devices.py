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
            if known_key == master_key or (
                known_id == device.id and (same_server or known_serial == device.serial)
            ):
                return True
    return False


def device_unique_id(data: Mapping[str, Any]) -> str:
    """Return what tells a device from every other, on whatever server and account.

    Servers count their devices from one, hence the serial number.

    Args:
        data: its subentry's.
    """
    return f"{data[CONF_DEVICE_ID]}-{data[CONF_SERIAL]}"
