"""The devices of an account: they come and go as the entry's subentries do."""

import asyncio
from collections.abc import Callable

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.util.async_ import create_eager_task

from .account import EspCloudAccount
from .const import CONF_DEVICE_KEY, DOMAIN, SUBENTRY_TYPE_DEVICE
from .coordinator import EspCloudConfigEntry, EspCloudCoordinator
from .issues import DeviceIssues
from .known_devices import device_unique_id
from .state_store import StateStore

type DeviceListener = Callable[[EspCloudCoordinator], None]


class EspCloudDevices:
    """The runtime data of an account's config entry.

    Attributes:
        account: what all its devices share.
        coordinators: one per device, by the id of its subentry.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: EspCloudConfigEntry,
        account: EspCloudAccount,
        states: StateStore,
    ) -> None:
        """Start nothing yet; `async_follow_subentries` does."""
        self.account = account
        self.coordinators: dict[str, EspCloudCoordinator] = {}
        self._hass = hass
        self._entry = entry
        self._states = states
        self._listeners: list[DeviceListener] = []
        # The devices that another account has, by the id of their subentry here.
        self._held_elsewhere: dict[str, DeviceIssues] = {}

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
        if self._hass.is_stopping:
            # Nobody would close the connections.
            return
        subentries = {
            subentry.subentry_id: subentry
            for subentry in self._entry.get_subentries_of_type(SUBENTRY_TYPE_DEVICE)
        }
        for subentry_id in self.coordinators.keys() - subentries.keys():
            coordinator = self.coordinators.pop(subentry_id)
            self._states.async_forget(subentry_id)
            self._entry.async_create_task(
                self._hass, coordinator.async_shutdown(), f"close {coordinator.name}"
            )
        for subentry_id in self._held_elsewhere.keys() - subentries.keys():
            self._held_elsewhere.pop(subentry_id).clear()
        for subentry_id, subentry in subentries.items():
            if (known := self.coordinators.get(subentry_id)) is not None:
                known.async_follow_subentry()
            else:
                self._async_start(subentry)

    async def async_close(self, _event: Event | None = None) -> None:
        """Close every device's connection, and save what arrived on them.

        All of them end in this turn of the loop: when Home Assistant stops, it stores
        the states in the same turn, and what arrives later is to be refused, not lost.
        """
        for issues in self._held_elsewhere.values():
            issues.clear()
        await asyncio.gather(
            *(
                create_eager_task(coordinator.async_shutdown())
                for coordinator in self.coordinators.values()
            )
        )
        await self._states.async_flush()

    @callback
    def _async_start(self, subentry: ConfigSubentry) -> None:
        if (holder := self._async_holder(subentry)) is not None:
            # A second connection would take the commands, and no entity hear them.
            issues = DeviceIssues(self._hass, self._entry, subentry)
            issues.raise_set_up_twice(holder.title)
            self._held_elsewhere[subentry.subentry_id] = issues
            return
        if (raised := self._held_elsewhere.pop(subentry.subentry_id, None)) is not None:
            raised.clear()
        coordinator = EspCloudCoordinator(
            self._hass, self._entry, subentry, self.account, self._states
        )
        self.coordinators[subentry.subentry_id] = coordinator
        coordinator.async_register()
        for listener in self._listeners:
            listener(coordinator)
        # Last: a command that nobody hears must not be acknowledged.
        coordinator.async_connect()

    @callback
    def _async_holder(self, subentry: ConfigSubentry) -> EspCloudConfigEntry | None:
        """Return the other account that has the device, whatever its server is called."""
        wanted = subentry.data
        for entry in self._hass.config_entries.async_entries(DOMAIN):
            # It is there from an entry's set-up on, and until it is unloaded.
            devices: EspCloudDevices | None = getattr(entry, "runtime_data", None)
            if devices is None or devices is self:
                continue
            for coordinator in devices.coordinators.values():
                held = coordinator.subentry.data
                if held[CONF_DEVICE_KEY] == wanted[
                    CONF_DEVICE_KEY
                ] or coordinator.unique_id == device_unique_id(wanted):
                    return entry
        return None
