"""Which devices Home Assistant has already."""

from homeassistant.core import HomeAssistant

from .backends.server import Server
from .cloud import CloudDevice
from .const import CONF_DEVICE_ID, CONF_DEVICE_KEY, CONF_SERIAL, SUBENTRY_TYPE_DEVICE
from .entries import account_entries


class VirtualDeviceIndex:
    """The devices that Home Assistant is, to look up one or many.

    One server can have several names, so number and serial number tell a device, or its
    key; within one server the number alone does.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Read them from the accounts."""
        self._keys: set[str] = set()
        self._known: dict[int, list[tuple[str, str]]] = {}
        for entry in account_entries(hass):
            server = Server.from_data(entry.data).name
            for subentry in entry.get_subentries_of_type(SUBENTRY_TYPE_DEVICE):
                self._keys.add(subentry.data[CONF_DEVICE_KEY])
                self._known.setdefault(subentry.data[CONF_DEVICE_ID], []).append(
                    (server, subentry.data[CONF_SERIAL])
                )

    def has(self, server: Server, device: CloudDevice, master_key: str = "") -> bool:
        """Tell whether a device is one of them, by itself or by its master key."""
        return master_key in self._keys or any(
            known_server == server.name or known_serial == device.serial
            for known_server, known_serial in self._known.get(device.id, ())
        )


def is_set_up(
    hass: HomeAssistant, server: Server, device: CloudDevice, master_key: str
) -> bool:
    """Tell whether an account of Home Assistant's has the device already."""
    return VirtualDeviceIndex(hass).has(server, device, master_key)
