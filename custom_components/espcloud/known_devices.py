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
            if known_key == master_key or (
                known_id == device.id and (same_server or known_serial == device.serial)
            ):
                return True
    return False


class VirtualDeviceIndex:
    """The devices that Home Assistant is, to look many up at once."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Read them from the accounts."""
        self._known: dict[int, list[tuple[str, str]]] = {}
        for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False):
            server = Server.from_data(entry.data).name
            for subentry in entry.get_subentries_of_type(SUBENTRY_TYPE_DEVICE):
                self._known.setdefault(subentry.data[CONF_DEVICE_ID], []).append(
                    (server, subentry.data[CONF_SERIAL])
                )

    def has(self, server: Server, device: CloudDevice) -> bool:
        """Tell whether a device is one of them, so that nobody has to command it."""
        return any(
            known_server == server.name or known_serial == device.serial
            for known_server, known_serial in self._known.get(device.id, ())
        )
