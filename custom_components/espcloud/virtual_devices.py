"""The devices that Home Assistant is: they come and go as the entry's subentries do."""

from collections.abc import Callable

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback

from .backends.cloud_account import EspCloudAccount
from .backends.virtual import VirtualBackend
from .const import CONF_DEVICE_ID, CONF_DEVICE_KEY, SUBENTRY_TYPE_DEVICE
from .coordinator import EspCloudConfigEntry, EspCloudCoordinator
from .entries import account_entries
from .identity import Identity
from .issues import DeviceIssues
from .settings import lamp_kind
from .state_store import StateStore


class VirtualDevices:
    """The virtual devices of an entry.

    Attributes:
        coordinators: one per device, by the id of its subentry.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: EspCloudConfigEntry,
        account: EspCloudAccount,
        states: StateStore,
        add: Callable[[EspCloudCoordinator], None],
    ) -> None:
        """Start nothing yet; `async_follow_subentries` does.

        Args:
            hass: Home Assistant.
            entry: the account's entry.
            account: the account.
            states: what was known of the devices before.
            add: shows a device and connects it.
        """
        self.coordinators: dict[str, EspCloudCoordinator] = {}
        self._hass = hass
        self._entry = entry
        self._account = account
        self._states = states
        self._add = add
        # The devices that another account has, by the id of their subentry here.
        self._held_elsewhere: dict[str, DeviceIssues] = {}

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
            self._states.async_forget(subentry_id)
            self._entry.async_create_task(
                self._hass, coordinator.async_shutdown(), f"close {coordinator.name}"
            )
        for subentry_id in self._held_elsewhere.keys() - subentries.keys():
            self._held_elsewhere.pop(subentry_id).clear()
        for subentry_id, subentry in subentries.items():
            if (known := self.coordinators.get(subentry_id)) is not None:
                self._async_follow(known, subentry)
            else:
                self._async_start(subentry)

    @callback
    def async_retry_refused_keys(self) -> None:
        """Give refused keys another chance."""
        for coordinator in self.coordinators.values():
            backend_of(coordinator).async_retry_refused_key()

    @callback
    def clear_issues(self) -> None:
        """Nobody has to put anything right that is not served any more."""
        for issues in self._held_elsewhere.values():
            issues.clear()

    @callback
    def _async_follow(
        self, coordinator: EspCloudCoordinator, subentry: ConfigSubentry
    ) -> None:
        """Take over what changed in the subentry."""
        coordinator.async_follow_subentry(subentry, lamp_kind(subentry.data))
        backend_of(coordinator).async_set_key(subentry.data[CONF_DEVICE_KEY])

    @callback
    def _async_start(self, subentry: ConfigSubentry) -> None:
        issues = DeviceIssues(self._hass, self._entry, subentry)
        if (holder := self._async_holder(subentry)) is not None:
            # A second connection would take the commands, and no entity hear them.
            issues.raise_set_up_twice(holder.title)
            self._held_elsewhere[subentry.subentry_id] = issues
            return
        if (raised := self._held_elsewhere.pop(subentry.subentry_id, None)) is not None:
            raised.clear()
        subentry_id, data = subentry.subentry_id, subentry.data
        kind = lamp_kind(data)
        coordinator = EspCloudCoordinator(
            self._hass,
            self._entry,
            name=subentry.title,
            identity=Identity.from_data(data),
            subentry=subentry,
            kind=kind,
            backend=VirtualBackend(
                self._hass,
                self._entry,
                self._account,
                issues,
                device_id=data[CONF_DEVICE_ID],
                master_key=data[CONF_DEVICE_KEY],
                name=subentry.title,
            ),
            state=kind.from_stored(self._states.get(subentry_id)),
            remember=lambda state: self._states.async_set(
                subentry_id, kind.as_stored(state)
            ),
        )
        self.coordinators[subentry_id] = coordinator
        self._add(coordinator)

    @callback
    def _async_holder(self, subentry: ConfigSubentry) -> EspCloudConfigEntry | None:
        """Return the other account that has the device, whatever its server is called."""
        identity = Identity.from_data(subentry.data)
        for entry in account_entries(self._hass):
            # It is there from an entry's set-up on, and until it is unloaded.
            devices = getattr(entry, "runtime_data", None)
            if devices is None or devices.virtual in (None, self):
                continue
            for coordinator in devices.virtual.coordinators.values():
                if (
                    backend_of(coordinator).master_key == subentry.data[CONF_DEVICE_KEY]
                    or coordinator.identity == identity
                ):
                    return entry
        return None


def backend_of(coordinator: EspCloudCoordinator) -> VirtualBackend:
    """Return the way to a virtual device."""
    assert isinstance(coordinator.backend, VirtualBackend)
    return coordinator.backend
