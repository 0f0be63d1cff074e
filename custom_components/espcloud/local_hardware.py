"""The devices of the cloud that runs in Home Assistant: each is there by its subentry."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .backends.base import Backend
from .backends.local import LocalBackend, LocalServer, PendingHardware
from .cloud import OwnedDevice
from .const import CONF_KIND, SUBENTRY_TYPE_LOCAL
from .coordinator import EspCloudConfigEntry, EspCloudCoordinator
from .hardware import HardwareDevices
from .identity import Identity
from .kinds import catalog
from .kinds.base import Kind
from .local_issues import LocalIssues
from .settings import HardwareSettings
from .state_store import StateStore


class LocalHardware(HardwareDevices):
    """The devices that a person has confirmed.

    The database has a device's key, the subentry the key's hash. Where one of both is
    missing, the other decides: a device whose subentry was deleted loses its key, and one
    that only the subentry remembers is taken in again as soon as it knocks.

    Attributes:
        account: the account that they are of.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: EspCloudConfigEntry,
        server: LocalServer,
        states: StateStore,
        add: Callable[[EspCloudCoordinator], None],
        *,
        issues: LocalIssues,
    ) -> None:
        """Show nothing yet; `async_start` does."""
        super().__init__(hass, entry, server.account, states, add)
        self.account = server.account
        self._server = server
        self._issues = issues

    @override
    @callback
    def async_follow(self) -> None:
        """Show what there is to show, and forget what a person has deleted."""
        if self._is_stopped:
            return
        chosen = HardwareSettings.of_entry(self._entry)
        for device_id, owned in list(self.account.owned.items()):
            if device_id in chosen:
                _, settings = chosen[device_id]
                self.account.set_kind(device_id, settings.kind or "")
                continue
            if owned.device.product_id:
                # Made over the HTTP API, where there is no dialog.
                self.async_add_subentry(owned, {})
            else:
                self._async_forget_device(device_id)
        super().async_follow()

    @callback
    def async_add_subentry(
        self, owned: OwnedDevice, choices: Mapping[str, Any]
    ) -> ConfigSubentry:
        """Show a device of the database from now on, with what a person has chosen for it."""
        device = owned.device
        subentry = ConfigSubentry(
            data=MappingProxyType({**self._identity(owned).as_data(), **choices}),
            subentry_type=SUBENTRY_TYPE_LOCAL,
            title=device.title,
            unique_id=self._identity(owned).unique_id,
        )
        self._hass.config_entries.async_add_subentry(self._entry, subentry)
        return subentry

    def pending(self, key_hash: str) -> PendingHardware | None:
        """Return a device that knocks, by the hash of its key; None where none does."""
        return next(
            (each for each in self._server.pending() if each.key_hash == key_hash), None
        )

    def remembered(self, key_hash: str) -> ConfigSubentry | None:
        """Return the subentry of a device that was confirmed before, by its key's hash."""
        return next(
            (
                each
                for each in self._entry.get_subentries_of_type(SUBENTRY_TYPE_LOCAL)
                if each.unique_id == key_hash
            ),
            None,
        )

    async def async_take_back(
        self, pending: PendingHardware, subentry: ConfigSubentry
    ) -> None:
        """Take in a device that the database does not know any more, as it was."""
        owned = await self.account.async_adopt(
            pending, subentry.title, subentry.data.get(CONF_KIND, pending.kind)
        )
        self._hass.config_entries.async_update_subentry(
            self._entry,
            subentry,
            data={**subentry.data, **self._identity(owned).as_data()},
        )

    @override
    @callback
    def note_upgraded(self, device_id: int) -> None:
        """Follow a light to the stream that its new firmware speaks (protocol.md §4)."""
        subentry, settings = HardwareSettings.of_entry(self._entry)[device_id]
        owned = self.account.renew(device_id)
        if owned is None or settings.kind not in catalog.LIGHTS:
            return
        kind = catalog.kind_of(
            ptype=owned.device.ptype, rom_version=owned.device.rom_version
        )
        self._hass.config_entries.async_update_subentry(
            self._entry, subentry, data={**subentry.data, CONF_KIND: kind}
        )

    @callback
    def _async_forget_device(self, device_id: int) -> None:
        if (coordinator := self.coordinators.get(device_id)) is not None:
            self._async_remove(coordinator)
        self._issues.clear_contested(device_id)
        self._entry.async_create_task(
            self._hass,
            self.account.async_remove(device_id),
            f"forget device {device_id}",
        )

    @override
    def _is_shown(self, owned: OwnedDevice, subentry: ConfigSubentry | None) -> bool:
        """Tell whether a person has confirmed it."""
        return subentry is not None

    @override
    def _make_backend(self, owned: OwnedDevice, kind: Kind[Any]) -> Backend:
        return LocalBackend(
            self._hass, self._entry, self._server, owned, kind, issues=self._issues
        )

    @override
    def _identity(self, owned: OwnedDevice) -> Identity:
        device = owned.device
        return Identity(device.id, device.serial, self.account.key_hash_of(device.id))

    @override
    @callback
    def _async_forget(self, unique_id: str) -> None:
        super()._async_forget(unique_id)
        # One that goes with its subentry is gone from the registry already, mostly.
        device = self._registered(unique_id)
        if device is not None:
            dr.async_get(self._hass).async_remove_device(device.id)
