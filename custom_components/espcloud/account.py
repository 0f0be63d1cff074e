"""An account: its server, its key, and what it says of its devices."""

from collections.abc import Callable
from datetime import datetime
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady

from .cloud import AuthenticationError, CloudDevice, CloudError, ConnectPacer
from .const import CONF_USER_KEY
from .errors import translated
from .server import Server

_LOGGER = logging.getLogger(__name__)


class EspCloudAccount:
    """The account of a config entry, over HTTP.

    Attributes:
        server: where the account lives.
        pacer: spaces out the connection attempts of the account's devices.
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Prepare; `async_sign_in` makes the first request."""
        self.server = Server.from_data(entry.data)
        self.pacer = ConnectPacer()
        self._hass = hass
        self._entry = entry
        self._client = self.server.client(hass)
        self._devices: dict[int, CloudDevice] = {}
        self._owner_keys: dict[int, str] = {}
        self._listeners: list[Callable[[], None]] = []

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
                self._entry.async_start_reauth(self._hass)
                raise
            new_key = self._owner_keys.get(device_id, master_key)
            if new_key == key:
                raise
        return await self._client.call_rpc(new_key, action, **parameters)

    async def async_refresh(self, _now: datetime | None = None) -> None:
        """Ask again for what the cloud never pushes: names, firmware, keys."""
        try:
            await self._async_read_devices()
        except AuthenticationError:
            self._entry.async_start_reauth(self._hass)
            return
        except CloudError as err:
            # The devices' own connections tell whether the cloud is there.
            _LOGGER.debug("The account could not be read: %s", err)
            return
        for listener in list(self._listeners):
            listener()

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call the listener each time the account was read anew."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def _async_read_devices(self) -> None:
        owned = await self._client.list_devices(self._entry.data[CONF_USER_KEY])
        self._devices = {each.device.id: each.device for each in owned}
        self._owner_keys = {
            each.device.id: each.owner_key for each in owned if each.owner_key
        }
