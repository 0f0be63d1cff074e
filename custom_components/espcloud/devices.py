"""The devices of an account: they come and go as the entry's subentries do."""

import asyncio
from collections.abc import Callable

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.util.async_ import create_eager_task

from .account import EspCloudAccount
from .const import SUBENTRY_TYPE_DEVICE
from .coordinator import EspCloudCoordinator

type EspCloudConfigEntry = ConfigEntry[EspCloudDevices]
type DeviceListener = Callable[[EspCloudCoordinator], None]


class EspCloudDevices:
    """The runtime data of an account's config entry.

    Attributes:
        account: what all its devices share.
        coordinators: one per device, by the id of its subentry.
    """

    def __init__(
        self, hass: HomeAssistant, entry: EspCloudConfigEntry, account: EspCloudAccount
    ) -> None:
        """Start nothing yet; `async_follow_subentries` does."""
        self.account = account
        self.coordinators: dict[str, EspCloudCoordinator] = {}
        self._hass = hass
        self._entry = entry
        self._listeners: list[DeviceListener] = []

    @callback
    def async_for_each_device(self, listener: DeviceListener) -> CALLBACK_TYPE:
        """Call the listener with every device there is and every one that will come."""
        for coordinator in self.coordinators.values():
            listener(coordinator)
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_follow_subentries(self) -> None:
        """Start, stop and change devices as the entry's subentries say.

        Each device stands for itself, so that adding one does not disconnect the others.
        """
        subentries = {
            subentry.subentry_id: subentry
            for subentry in self._entry.get_subentries_of_type(SUBENTRY_TYPE_DEVICE)
        }
        for subentry_id in self.coordinators.keys() - subentries.keys():
            coordinator = self.coordinators.pop(subentry_id)
            self._entry.async_create_task(
                self._hass, coordinator.async_shutdown(), f"close {coordinator.name}"
            )
        for subentry_id, subentry in subentries.items():
            if (known := self.coordinators.get(subentry_id)) is not None:
                known.async_follow_subentry()
            else:
                self._async_start(subentry)

    async def async_close(self, _event: Event | None = None) -> None:
        """Close every device's connection.

        All of them end in this turn of the loop: when Home Assistant stops, it stores
        the states in the same turn, and what arrives later is to be refused, not lost.
        """
        await asyncio.gather(
            *(
                create_eager_task(coordinator.async_shutdown())
                for coordinator in self.coordinators.values()
            )
        )

    @callback
    def _async_start(self, subentry: ConfigSubentry) -> None:
        coordinator = EspCloudCoordinator(
            self._hass, self._entry, subentry, self.account
        )
        self.coordinators[subentry.subentry_id] = coordinator
        coordinator.async_register()
        for listener in self._listeners:
            listener(coordinator)
        # Last: a command that nobody hears must not be acknowledged.
        coordinator.async_connect()
