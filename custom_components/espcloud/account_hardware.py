"""The devices that an account at a cloud has: they come and go as the account says."""

from collections.abc import Callable
from typing import Any, override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .backends.base import Backend
from .backends.cloud_account import EspCloudAccount
from .backends.remote import RemoteBackend
from .cloud import OwnedDevice
from .const import DOMAIN, SUBENTRY_TYPE_HARDWARE
from .coordinator import EspCloudConfigEntry, EspCloudCoordinator
from .entries import account_entries
from .hardware import HardwareDevices, registered_device
from .identity import Identity
from .kinds.base import Kind
from .known_devices import VirtualDeviceIndex
from .missing import MissingDevices
from .state_store import StateStore


class AccountHardware(HardwareDevices):
    """The devices of an account, over its HTTP API."""

    _account: EspCloudAccount
    # As it was when the devices were looked at last.
    _virtual: VirtualDeviceIndex

    def __init__(
        self,
        hass: HomeAssistant,
        entry: EspCloudConfigEntry,
        account: EspCloudAccount,
        states: StateStore,
        add: Callable[[EspCloudCoordinator], None],
    ) -> None:
        """Show nothing yet; `async_start` does."""
        super().__init__(hass, entry, account, states, add)
        self._missing = MissingDevices()

    @override
    @callback
    def async_follow(self) -> None:
        """Show what there is to show, each with what a person has chosen for it."""
        self._virtual = VirtualDeviceIndex(self._hass)
        super().async_follow()

    @callback
    def async_leave_virtual(self) -> None:
        """Show no device any more that Home Assistant is by now."""
        self._virtual = VirtualDeviceIndex(self._hass)
        for device_id, owned in self._account.owned.items():
            coordinator = self.coordinators.get(device_id)
            if coordinator is not None and not self._is_shown(owned, None):
                self._async_remove(coordinator)

    @override
    def _is_shown(self, owned: OwnedDevice, subentry: ConfigSubentry | None) -> bool:
        """Tell whether it is a device that Home Assistant is not itself.

        One that was never switched on has nothing to show.
        """
        device = owned.device
        return device.activated and not self._virtual.has(self._account.server, device)

    @override
    def _make_backend(self, owned: OwnedDevice, kind: Kind[Any]) -> Backend:
        return RemoteBackend(self._hass, self._account, owned, kind)

    @override
    @callback
    def _async_show(
        self, owned: OwnedDevice, kind: Kind[Any], subentry: ConfigSubentry | None
    ) -> None:
        identity = self._identity(owned)
        if self._is_held_elsewhere(identity):
            return
        registered = self._registered(identity.unique_id)
        if registered is not None and registered.config_subentry_id is not None:
            # Home Assistant was this device; that one goes with its subentry.
            dr.async_get(self._hass).async_remove_device(registered.id)
        super()._async_show(owned, kind, subentry)

    @override
    @callback
    def _handle_account(self) -> None:
        super()._handle_account()
        if self._account.last_error is None:
            self._async_look_for_missing()

    @callback
    def _async_look_for_missing(self) -> None:
        """Remove what has been missing from the account for long enough."""
        listed = {
            Identity(each.device.id, each.device.serial).unique_id
            for each in self._account.owned.values()
        }
        for unique_id in self._missing.note(self._known_ids(), listed):
            for coordinator in list(self.coordinators.values()):
                if coordinator.unique_id == unique_id:
                    self._async_remove(coordinator)
            self._async_forget(unique_id)
            self._async_remove_choices(unique_id)

    def _known_ids(self) -> set[str]:
        """Return the unique ids of the account's devices in the registry."""
        registry = dr.async_get(self._hass)
        return {
            unique_id
            for device in dr.async_entries_for_config_entry(
                registry, self._entry.entry_id
            )
            if device.config_subentry_id is None
            for domain, unique_id in device.identifiers
            if domain == DOMAIN
        }

    @callback
    def _async_remove_choices(self, unique_id: str) -> None:
        """Remove what was chosen for a device that is gone."""
        for subentry in list(
            self._entry.get_subentries_of_type(SUBENTRY_TYPE_HARDWARE)
        ):
            if Identity.from_data(subentry.data).unique_id == unique_id:
                self._hass.config_entries.async_remove_subentry(
                    self._entry, subentry.subentry_id
                )

    def _is_held_elsewhere(self, identity: Identity) -> bool:
        """Tell whether another account shows the device: one is shared by two people.

        It stays with whoever had it first: also while that account is loaded anew, and
        has not come to show it yet.
        """
        is_ours = self._registered(identity.unique_id) is not None
        for entry in account_entries(self._hass):
            if entry is self._entry or entry.disabled_by is not None:
                continue
            # It is there from an entry's set-up on, and until it is unloaded.
            devices = getattr(entry, "runtime_data", None)
            if devices is not None:
                if any(
                    each.identity == identity
                    for each in devices.hardware.coordinators.values()
                ):
                    return True
                if identity.device_id not in devices.account.owned:
                    continue
            if not is_ours and registered_device(
                self._hass, entry.entry_id, identity.unique_id
            ):
                return True
        return False
