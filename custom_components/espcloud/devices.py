"""The devices of an account: those that Home Assistant is, and those that the account has."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime

from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.util.async_ import create_eager_task

from .backends.account import EspCloudAccount
from .const import DOMAIN
from .coordinator import EspCloudConfigEntry, EspCloudCoordinator
from .hardware import HardwareDevices
from .state_store import StateStore
from .virtual_devices import VirtualDevices

type DeviceListener = Callable[[EspCloudCoordinator], None]


class EspCloudDevices:
    """The runtime data of an account's config entry.

    Attributes:
        account: what all its devices share.
        virtual: the devices that Home Assistant is.
        hardware: the devices that the account has.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: EspCloudConfigEntry,
        account: EspCloudAccount,
        states: StateStore,
    ) -> None:
        """Start nothing yet; `async_start` does."""
        self.account = account
        self._hass = hass
        self._states = states
        self._listeners: list[DeviceListener] = []
        self.virtual = VirtualDevices(hass, entry, account, states, self._async_add)
        self.hardware = HardwareDevices(hass, entry, account, states, self._async_add)

    def __iter__(self) -> Iterator[EspCloudCoordinator]:
        """Return every device."""
        yield from self.virtual.coordinators.values()
        yield from self.hardware.coordinators.values()

    def of(
        self, device: dr.DeviceEntry | dr.ChildDeviceEntry
    ) -> EspCloudCoordinator | None:
        """Return the coordinator of a device in the registry, None without one."""
        return next(
            (each for each in self if (DOMAIN, each.unique_id) in device.identifiers),
            None,
        )

    @callback
    def async_for_each_device(self, listener: DeviceListener) -> CALLBACK_TYPE:
        """Call the listener with every device there is and every one that will come."""
        for coordinator in self:
            listener(coordinator)
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_start(self) -> None:
        """Show and connect all devices."""
        if self._hass.is_stopping:
            # Nobody would close the connections.
            return
        self.virtual.async_follow_subentries()
        self.hardware.async_start()

    @callback
    def async_retry_refused_keys(self, _now: datetime) -> None:
        """Give the refused keys of virtual devices another chance."""
        self.virtual.async_retry_refused_keys()

    @callback
    def async_follow_subentries(self) -> None:
        """Start, stop and change devices as the entry's subentries say."""
        if self._hass.is_stopping:
            # Nobody would close the connections.
            return
        # Home Assistant may have taken the place of one, or given it back.
        self.hardware.async_leave_virtual()
        self.virtual.async_follow_subentries()
        self.hardware.async_follow()

    async def async_close(self, _event: Event | None = None) -> None:
        """Close every device's connection, and save what arrived on them.

        All of them end in this turn of the loop: when Home Assistant stops, it stores
        the states in the same turn, and what arrives later is to be refused, not lost.
        """
        self.virtual.clear_issues()
        self.hardware.async_stop()
        await asyncio.gather(
            *(create_eager_task(coordinator.async_shutdown()) for coordinator in self)
        )
        await self._states.async_flush()

    @callback
    def _async_add(self, coordinator: EspCloudCoordinator) -> None:
        """Show a device, then connect it."""
        coordinator.async_register()
        for listener in self._listeners:
            listener(coordinator)
        # Last: a command that nobody hears must not be acknowledged.
        coordinator.async_connect()
