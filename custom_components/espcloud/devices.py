"""The devices of an account: those that Home Assistant is, and those that the account has."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Self

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.util.async_ import create_eager_task

from .account_hardware import AccountHardware
from .backends.account import Account
from .backends.cloud_account import EspCloudAccount
from .backends.local import LocalServer
from .const import DOMAIN
from .coordinator import EspCloudConfigEntry, EspCloudCoordinator
from .hardware import HardwareDevices
from .local_hardware import LocalHardware
from .local_issues import LocalIssues
from .state_store import StateStore
from .virtual_devices import VirtualDevices

type DeviceListener = Callable[[EspCloudCoordinator], None]


class EspCloudDevices:
    """The runtime data of a config entry.

    Attributes:
        account: what all its devices share.
        virtual: the devices that Home Assistant is; none where it is the cloud.
        hardware: the devices that the account has.
        server: the cloud, where Home Assistant is it.
        local: the devices that are there, likewise; the same as `hardware`.
    """

    hardware: HardwareDevices

    def __init__(
        self, hass: HomeAssistant, account: Account, states: StateStore
    ) -> None:
        """Start nothing yet; `of_account` and `of_server` are how to get here."""
        self.account = account
        self.virtual: VirtualDevices | None = None
        self.server: LocalServer | None = None
        self.local: LocalHardware | None = None
        self._hass = hass
        self._states = states
        self._listeners: list[DeviceListener] = []

    @classmethod
    def of_account(
        cls,
        hass: HomeAssistant,
        entry: EspCloudConfigEntry,
        account: EspCloudAccount,
        states: StateStore,
    ) -> Self:
        """Return the devices of an account at a cloud."""
        devices = cls(hass, account, states)
        add = devices._async_add
        devices.virtual = VirtualDevices(hass, entry, account, states, add)
        devices.hardware = AccountHardware(hass, entry, account, states, add)
        return devices

    @classmethod
    def of_server(
        cls,
        hass: HomeAssistant,
        entry: EspCloudConfigEntry,
        server: LocalServer,
        states: StateStore,
        issues: LocalIssues,
    ) -> Self:
        """Return the devices of the cloud that Home Assistant is."""
        devices = cls(hass, server.account, states)
        devices.server = server
        devices.hardware = devices.local = LocalHardware(
            hass, entry, server, states, devices._async_add, issues=issues
        )
        return devices

    def __iter__(self) -> Iterator[EspCloudCoordinator]:
        """Return every device."""
        if self.virtual is not None:
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

    def virtual_device(self, subentry_id: str) -> EspCloudCoordinator | None:
        """Return a device that Home Assistant is, None where it is none of this entry's."""
        if self.virtual is None:
            return None
        return self.virtual.coordinators.get(subentry_id)

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
        if self.virtual is not None:
            self.virtual.async_follow_subentries()
        self.hardware.async_start()

    @callback
    def async_retry_refused_keys(self, _now: datetime) -> None:
        """Give the refused keys of virtual devices another chance."""
        if self.virtual is not None:
            self.virtual.async_retry_refused_keys()

    @callback
    def async_follow_subentries(self) -> None:
        """Start, stop and change devices as the entry's subentries say."""
        if self._hass.is_stopping:
            # Nobody would close the connections.
            return
        if self.virtual is not None:
            # Home Assistant may have taken the place of one, or given it back.
            self.hardware.async_leave_virtual()
            self.virtual.async_follow_subentries()
        self.hardware.async_follow()

    async def async_close(self, _event: Event | None = None) -> None:
        """Close every device's connection, and save what arrived on them.

        All of them end in this turn of the loop: when Home Assistant stops, it stores
        the states in the same turn, and what arrives later is to be refused, not lost.
        """
        if self.virtual is not None:
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


def loaded_devices(entry: ConfigEntry | None) -> EspCloudDevices | None:
    """Return the devices of an entry, None where it is not set up, or there is none."""
    if entry is None or entry.state is not ConfigEntryState.LOADED:
        return None
    devices: EspCloudDevices = entry.runtime_data
    return devices


def loaded_local(entry: ConfigEntry | None) -> LocalHardware | None:
    """Return the devices of the cloud in Home Assistant, None where it does not run."""
    devices = loaded_devices(entry)
    return devices.local if devices is not None else None
