"""Real devices as entities, each with what a person has chosen for it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import nullcontext
import logging
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import Platform
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .backends.account import Account
from .backends.base import Backend
from .cloud import CloudError, OwnedDevice, StreamTemplate
from .const import DOMAIN
from .coordinator import EspCloudConfigEntry, EspCloudCoordinator
from .identity import Identity
from .kinds.base import Kind
from .kinds.light import NewLightKind, OldLightKind
from .kinds.rpc import RpcKind
from .kinds.sensors import Measuring
from .kinds.stored_light import as_stored, from_stored
from .kinds.strip import StripKind
from .settings import HardwareSettings
from .state_store import HARDWARE, StateStore
from .unanswered import UnansweredCalls

_LOGGER = logging.getLogger(__name__)


class HardwareDevices(ABC):
    """The devices of an account, wherever its server runs.

    Attributes:
        coordinators: one per device, by the cloud's id.
        upgrading: the ids of those on their way to other firmware: each has that version
            at the cloud, and so seems to be another kind perhaps, before it runs it.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: EspCloudConfigEntry,
        account: Account,
        states: StateStore,
        add: Callable[[EspCloudCoordinator], None],
    ) -> None:
        """Show nothing yet; `async_start` does.

        Args:
            hass: Home Assistant.
            entry: the account's entry.
            account: the account.
            states: what was known of the devices before.
            add: shows a device and connects it.
        """
        self.coordinators: dict[int, EspCloudCoordinator] = {}
        self.upgrading: set[int] = set()
        self._hass = hass
        self._entry = entry
        self._account = account
        self._states = states
        self._add = add
        # What was chosen for a device when it was shown: its subentry changes in place.
        self._shown_with: dict[int, Mapping[str, Any]] = {}
        self._templates: dict[int, list[StreamTemplate]] = {}
        self._asked_templates: set[int] = set()
        self._is_reading_templates = False
        self._stop_listening: CALLBACK_TYPE | None = None
        self._is_stopped = False

    @callback
    def async_start(self) -> None:
        """Follow the account from now on."""
        if self._account.shows_devices:
            self._stop_listening = self._account.async_listen(self._handle_account)
            self.async_follow()

    @callback
    def async_stop(self) -> None:
        """Follow nothing any more; whoever calls it closes the coordinators."""
        self._is_stopped = True
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None

    @callback
    def async_follow(self) -> None:
        """Show what there is to show, each with what a person has chosen for it."""
        if not self._account.shows_devices or self._is_stopped:
            return
        owned = self._account.owned
        if not self._asked_templates.issuperset(owned):
            # What they are depends on it; one request for all of them.
            self._asked_templates.update(owned)
            self._entry.async_create_background_task(
                self._hass, self._async_read_templates(), "read the datastreams"
            )
        elif not self._is_reading_templates:
            self._async_show_all(owned)

    @callback
    def _async_show_all(self, owned: Mapping[int, OwnedDevice]) -> None:
        chosen = HardwareSettings.of_entry(self._entry)
        for device_id, each in owned.items():
            subentry, settings = chosen.get(device_id, (None, HardwareSettings()))
            if not self._is_shown(each, subentry):
                continue
            coordinator = self.coordinators.get(device_id)
            kind = settings.make_kind(each.device, self._templates.get(device_id, []))
            if coordinator is None:
                self._async_show(each, kind, subentry)
            elif device_id not in self.upgrading and (
                coordinator.kind.name != kind.name
                or self._shown_with[device_id] != _choices(subentry)
            ):
                self._async_replace(coordinator)

    async def _async_read_templates(self) -> None:
        self._is_reading_templates = True
        try:
            self._templates = await self._account.async_templates()
        except CloudError as err:
            # A person can name the datastreams; without, a device has its actions.
            _LOGGER.debug("The datastreams could not be read: %s", err)
        finally:
            self._is_reading_templates = False
        self.async_follow()

    @callback
    def _handle_account(self) -> None:
        """Follow what the account says by now."""
        if self._account.last_error is None:
            self.async_follow()

    @callback
    def async_leave_virtual(self) -> None:
        """Show no device any more that Home Assistant is by now."""

    @callback
    def note_upgraded(self, device_id: int) -> None:
        """Note that a device runs other firmware now, with which it may be something else."""

    @abstractmethod
    def _is_shown(self, owned: OwnedDevice, subentry: ConfigSubentry | None) -> bool:
        """Tell whether Home Assistant is to show a device of the account.

        Args:
            owned: the device.
            subentry: what a person has chosen for it.
        """

    @abstractmethod
    def _make_backend(self, owned: OwnedDevice, kind: Kind[Any]) -> Backend:
        """Return the way to a device."""

    def _identity(self, owned: OwnedDevice) -> Identity:
        """Return what tells a device from every other."""
        return Identity(owned.device.id, owned.device.serial)

    @callback
    def _async_show(
        self, owned: OwnedDevice, kind: Kind[Any], subentry: ConfigSubentry | None
    ) -> None:
        """Show a device and follow it."""
        device = owned.device
        identity = self._identity(owned)
        key = f"{HARDWARE}{identity.unique_id}"
        calls = UnansweredCalls(self._hass, self._entry, identity, device.title)
        coordinator = EspCloudCoordinator(
            self._hass,
            self._entry,
            name=device.title,
            identity=identity,
            kind=kind,
            backend=self._make_backend(owned, kind),
            subentry=subentry,
            suggested_area=owned.group or None,
            # The others say all that there is to know.
            state=from_stored(self._states.get(key), kind)
            if isinstance(kind, OldLightKind | NewLightKind)
            else None,
            remember=(lambda state: self._states.async_set(key, as_stored(state)))
            if isinstance(kind, OldLightKind | NewLightKind)
            else None,
            watch_call=calls.watching
            if isinstance(kind, RpcKind) and not kind.is_silent
            else nullcontext,
        )
        coordinator.async_on_shutdown(calls.clear)
        self.coordinators[device.id] = coordinator
        self._shown_with[device.id] = _choices(subentry)
        self._add(coordinator)
        self._async_remove_other_entities(coordinator)
        if isinstance(kind, Measuring) and kind.stored:
            self._entry.async_create_background_task(
                self._hass,
                self._async_import_past(coordinator),
                f"import the past of {coordinator.name}",
            )

    async def _async_import_past(self, coordinator: EspCloudCoordinator) -> None:
        if "recorder" in self._hass.config.components:
            # Not before: where there is no recorder, what it needs may not be there.
            from .statistics_import import async_import_past  # noqa: PLC0415 - as said

            await async_import_past(
                self._hass, self._account, coordinator, self._states
            )

    @callback
    def _async_replace(self, coordinator: EspCloudCoordinator) -> None:
        """Show a device anew: it has become something else."""

        async def replace_it() -> None:
            await coordinator.async_remove_entities()
            await coordinator.async_shutdown()
            if self.coordinators.get(coordinator.identity.device_id) is coordinator:
                del self.coordinators[coordinator.identity.device_id]
                self.async_follow()

        self._entry.async_create_task(
            self._hass, replace_it(), f"show {coordinator.name} anew"
        )

    @callback
    def _async_remove_other_entities(self, coordinator: EspCloudCoordinator) -> None:
        """Remove the entities that the device had as something else."""
        device = self._registered(coordinator.unique_id)
        registry = er.async_get(self._hass)
        for entity in er.async_entries_for_device(
            registry, device.id if device else "", include_disabled_entities=True
        ):
            if entity.unique_id in coordinator.entity_ids:
                continue
            if (
                isinstance(coordinator.kind, RpcKind)
                and entity.domain == Platform.SENSOR
            ):
                # What it measures shows once it has posted.
                continue
            if isinstance(coordinator.kind, StripKind) and entity.unique_id.startswith(
                f"{coordinator.unique_id}-socket-"
            ):
                # How many it has shows once the strip has answered.
                continue
            registry.async_remove(entity.entity_id)

    @callback
    def _async_remove(self, coordinator: EspCloudCoordinator) -> None:
        """Remove a device with all that Home Assistant knows of it."""
        del self.coordinators[coordinator.identity.device_id]
        self._entry.async_create_task(
            self._hass, coordinator.async_shutdown(), f"close {coordinator.name}"
        )
        self._async_forget(coordinator.unique_id)

    @callback
    def _async_forget(self, unique_id: str) -> None:
        self._states.async_forget(f"{HARDWARE}{unique_id}")
        device = self._registered(unique_id)
        # Not the one that Home Assistant has become.
        if device is not None and device.config_subentry_id is None:
            dr.async_get(self._hass).async_remove_device(device.id)

    def _registered(self, unique_id: str) -> dr.DeviceEntry | None:
        return registered_device(self._hass, self._entry.entry_id, unique_id)


def _choices(subentry: ConfigSubentry | None) -> Mapping[str, Any]:
    return subentry.data if subentry is not None else {}


def registered_device(
    hass: HomeAssistant, entry_id: str, unique_id: str
) -> dr.DeviceEntry | None:
    """Return an account's device in the registry, None where there is none."""
    return dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, unique_id), entry_id
    )
