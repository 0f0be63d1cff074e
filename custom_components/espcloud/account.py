"""An account: its server, its key, and what it says of its devices."""

from collections.abc import Callable
from datetime import datetime
import logging
from typing import Any

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.event import async_call_later
from homeassistant.util.hass_dict import HassKey

from .cloud import (
    AccountPushes,
    AuthenticationError,
    CloudDevice,
    CloudError,
    ConnectPacer,
    PushLimits,
    refusal_backoff,
)
from .const import CONF_USER_KEY, DOMAIN
from .errors import translated
from .flood import FloodWatch
from .refusals import Refusals
from .server import Server

_LOGGER = logging.getLogger(__name__)

PUSH_LIMITS = PushLimits()

# By the id of the entry: an account that cannot be set up is made anew each time.
_REFUSALS: HassKey[dict[str, Refusals]] = HassKey(f"{DOMAIN}_refusals")


class EspCloudAccount:
    """The account of a config entry, over HTTP.

    Attributes:
        server: where the account lives.
        pacer: spaces out the connection attempts of the account's devices.
        pushes: how many commands they carry out.
        flood: is told of each command that is one too many.
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Prepare; `async_sign_in` makes the first request."""
        self.server = Server.from_data(entry.data)
        self.pacer = ConnectPacer()
        self.pushes = AccountPushes(PUSH_LIMITS)
        self.flood = FloodWatch(hass, entry)
        self._hass = hass
        self._entry = entry
        self._client = self.server.client(hass)
        self._devices: dict[int, CloudDevice] = {}
        self._owner_keys: dict[int, str] = {}
        self._listeners: list[Callable[[], None]] = []
        self._backoff = refusal_backoff()
        self._cancel_retry: CALLBACK_TYPE | None = None

    async def async_sign_in(self) -> None:
        """Read the account's devices and their owner keys.

        Raises:
            ConfigEntryNotReady: the cloud cannot be asked right now, or refuses the
                account's key. It is asked again: after ConfigEntryAuthFailed nobody
                would notice that the key works again.
        """
        try:
            await self._async_read_devices()
        except CloudError as err:
            if isinstance(err, AuthenticationError):
                self._note_refusal()
            raise translated(ConfigEntryNotReady, err, url=self.server.url) from err

    @callback
    def async_close(self) -> None:
        """Leave no timer behind."""
        self._cancel_retry_later()
        self.flood.close()

    @callback
    def _cancel_retry_later(self) -> None:
        if self._cancel_retry is not None:
            self._cancel_retry()
            self._cancel_retry = None

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
                self._note_refusal()
                self._retry_later()
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
            self._note_refusal()
            self._retry_later()
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
        self._note_success()
        self._devices = {each.device.id: each.device for each in owned}
        self._owner_keys = {
            each.device.id: each.owner_key for each in owned if each.owner_key
        }

    @callback
    def _note_refusal(self) -> None:
        """Ask the person to sign in, where the key is not just unknown for a moment."""
        refusals = self._hass.data.setdefault(_REFUSALS, {})
        if refusals.setdefault(self._entry.entry_id, Refusals()).note():
            self._entry.async_start_reauth(self._hass)

    @callback
    def _retry_later(self) -> None:
        if self._cancel_retry is None:
            self._cancel_retry = async_call_later(
                self._hass,
                self._backoff.next_delay(),
                HassJob(self._async_retry, cancel_on_shutdown=True),
            )

    async def _async_retry(self, now: datetime) -> None:
        self._cancel_retry = None
        await self.async_refresh(now)

    @callback
    def _note_success(self) -> None:
        """The key works, so nobody has to sign in."""
        self._hass.data.get(_REFUSALS, {}).pop(self._entry.entry_id, None)
        self._backoff.reset()
        self._cancel_retry_later()
        for flow in list(
            self._entry.async_get_active_flows(self._hass, {SOURCE_REAUTH})
        ):
            self._hass.config_entries.flow.async_abort(flow["flow_id"])
