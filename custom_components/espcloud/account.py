"""An account while it is set up: its client, its keys and its devices."""

from collections.abc import Callable
from datetime import datetime
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady

from .cloud import AuthenticationError, CloudDevice, CloudError, ConnectPacer
from .const import CONF_USER_KEY, SUBENTRY_TYPE_DEVICE
from .coordinator import EspCloudCoordinator
from .errors import translated
from .server import Server

_LOGGER = logging.getLogger(__name__)

type EspCloudConfigEntry = ConfigEntry[EspCloudAccount]
type DeviceListener = Callable[[EspCloudCoordinator], None]


class EspCloudAccount:
    """The runtime data of an account's config entry.

    Attributes:
        coordinators: one per device, by the id of its subentry.
        server: where the account lives.
        pacer: spaces out the devices' connection attempts.
    """

    def __init__(self, hass: HomeAssistant, entry: EspCloudConfigEntry) -> None:
        """Prepare; `async_sign_in` makes the first request."""
        self.hass = hass
        self.entry = entry
        self.server = Server.from_data(entry.data)
        self.pacer = ConnectPacer()
        self.coordinators: dict[str, EspCloudCoordinator] = {}
        self._client = self.server.client(hass)
        self._devices: dict[int, CloudDevice] = {}
        self._owner_keys: dict[int, str] = {}
        self._listeners: list[DeviceListener] = []

    async def async_sign_in(self) -> None:
        """Read the account's devices and their owner keys.

        Raises:
            ConfigEntryAuthFailed: the account's key is refused.
            ConfigEntryNotReady: the cloud cannot be asked right now.
        """
        try:
            await self._async_read_devices()
        except AuthenticationError as err:
            raise translated(ConfigEntryAuthFailed, err) from err
        except CloudError as err:
            raise translated(ConfigEntryNotReady, err, url=self.server.url) from err

    def device(self, device_id: int) -> CloudDevice | None:
        """Return what the account says of a device, None where it has no such device."""
        return self._devices.get(device_id)

    async def async_call_rpc(
        self, device_id: int, master_key: str, action: str, parameters: dict[str, str]
    ) -> dict[str, Any]:
        """Send a command with the owner key, or with the master key where there is none.

        An owner key can be replaced at any time, so a refused one is read anew once.

        Raises:
            CloudError: as `CloudClient.call_rpc`.
        """
        key = self._owner_keys.get(device_id, master_key)
        try:
            return await self._client.call_rpc(key, action, **parameters)
        except AuthenticationError:
            try:
                await self._async_read_devices()
            except AuthenticationError:
                self.entry.async_start_reauth(self.hass)
                raise
            new_key = self._owner_keys.get(device_id, master_key)
            if new_key == key:
                raise
        return await self._client.call_rpc(new_key, action, **parameters)

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
            for subentry in self.entry.get_subentries_of_type(SUBENTRY_TYPE_DEVICE)
        }
        for subentry_id in self.coordinators.keys() - subentries.keys():
            coordinator = self.coordinators.pop(subentry_id)
            self.entry.async_create_task(
                self.hass,
                coordinator.async_shutdown(),
                f"close {coordinator.name}",
            )
        for subentry_id, subentry in subentries.items():
            if (known := self.coordinators.get(subentry_id)) is not None:
                known.async_follow_subentry()
            else:
                self._async_start(subentry)

    @callback
    def async_retry(self, subentry_id: str) -> None:
        """Give a device's key another chance: somebody says that it works again."""
        if (coordinator := self.coordinators.get(subentry_id)) is not None:
            coordinator.async_retry_refused_key()

    async def async_refresh(self, _now: datetime | None = None) -> None:
        """Ask again for what the cloud never pushes: names, firmware, keys."""
        try:
            await self._async_read_devices()
        except AuthenticationError:
            self.entry.async_start_reauth(self.hass)
            return
        except CloudError as err:
            # The devices' own connections tell whether the cloud is there.
            _LOGGER.debug("The account could not be read: %s", err)
            return
        for coordinator in self.coordinators.values():
            coordinator.async_follow_account()

    async def async_close(self, _event: Event | None = None) -> None:
        """Close every device's connection."""
        for coordinator in self.coordinators.values():
            await coordinator.async_shutdown()

    @callback
    def _async_start(self, subentry: ConfigSubentry) -> None:
        coordinator = EspCloudCoordinator(self, subentry)
        self.coordinators[subentry.subentry_id] = coordinator
        coordinator.async_start()
        for listener in self._listeners:
            listener(coordinator)

    async def _async_read_devices(self) -> None:
        owned = await self._client.list_devices(self.entry.data[CONF_USER_KEY])
        self._devices = {each.device.id: each.device for each in owned}
        self._owner_keys = {
            each.device.id: each.owner_key for each in owned if each.owner_key
        }
