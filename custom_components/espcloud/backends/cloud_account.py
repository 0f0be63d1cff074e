"""An account at a cloud, over HTTP."""

from collections.abc import Awaitable, Callable
from datetime import datetime
import logging
import time
from typing import Any, override

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.event import async_call_later
from homeassistant.util.hass_dict import HassKey

from ..cloud import (
    AccountPushes,
    AuthenticationError,
    CloudError,
    ConnectPacer,
    OwnerClient,
    PushLimits,
    RateLimitedError,
    refusal_backoff,
)
from ..const import CONF_SHOW_DEVICES, CONF_USER_KEY, DOMAIN
from ..errors import translated
from ..flood import FloodWatch
from ..refusals import Refusals
from .account import Account
from .polling import Poller
from .server import Server

_LOGGER = logging.getLogger(__name__)

PUSH_LIMITS = PushLimits()

# By the id of the entry: an account that cannot be set up is made anew each time.
_REFUSALS: HassKey[dict[str, Refusals]] = HassKey(f"{DOMAIN}_refusals")


class EspCloudAccount(Account):
    """The account of a config entry, over HTTP.

    Attributes:
        server: where the account lives.
        pacer: spaces out the connection attempts of the account's devices.
        pushes: how many commands they carry out.
        flood: is told of each command that is one too many.
        poller: asks for what nobody tells, within a share of what the cloud allows.
        shows_devices: also whether the state of the account's devices has to be known.
        last_error: a single failure is none.
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Prepare; `async_sign_in` makes the first request."""
        self.server = Server.from_data(entry.data)
        super().__init__(self.server.client(hass))
        self.url = self.server.url
        self.pacer = ConnectPacer()
        self.pushes = AccountPushes(PUSH_LIMITS)
        self.flood = FloodWatch(hass, entry)
        self.shows_devices = entry.options.get(CONF_SHOW_DEVICES, True)
        self._hass = hass
        self._entry = entry
        self.poller = Poller(hass, entry, self._seconds_to_rest)
        # Seconds that the server's clock is ahead of this machine's.
        self._clock_ahead = 0.0
        self._is_reading = False
        self._failures = 0
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
        self.poller.close()
        self.flood.close()

    @callback
    def _cancel_retry_later(self) -> None:
        if self._cancel_retry is not None:
            self._cancel_retry()
            self._cancel_retry = None

    @property
    @override
    def user_key(self) -> str:
        """The account's own key, as the entry has it."""
        key: str = self._entry.data[CONF_USER_KEY]
        return key

    @property
    @override
    def server_time(self) -> float:
        """What time it is at the server, in seconds since 1970."""
        return time.time() + self._clock_ahead

    def _seconds_to_rest(self) -> float:
        """Return how long to leave the rest of the server's requests to people."""
        limits = self._client.limits
        if (
            limits is None
            or limits.limit is None
            or limits.remaining is None
            or limits.reset is None
            or limits.remaining >= limits.limit / 4
        ):
            return 0.0
        return limits.reset - self.server_time

    @override
    async def async_turn(self) -> None:
        """Wait until the budget for polling has room."""
        await self.poller.async_slot()

    @override
    def diagnostics(self) -> dict[str, Any]:
        """Return how often each device is asked."""
        return self.poller.diagnostics()

    @override
    async def async_as_owner[AnswerT](
        self,
        device_id: int,
        request: Callable[[OwnerClient, str], Awaitable[AnswerT]],
        *,
        master_key: str = "",
        renews_key: bool = True,
    ) -> AnswerT:
        """Make a request about a device with its owner key.

        An owner key can be replaced at any time, so a refused one is read anew once; not
        for what is asked again and again, which can wait for the list of every minute.
        """
        if not (key := self._key(device_id, master_key)):
            raise AuthenticationError("no key of the device")
        try:
            return await super().async_as_owner(
                device_id, request, master_key=master_key
            )
        except AuthenticationError:
            if not renews_key:
                raise
            try:
                await self._async_read_devices()
            except AuthenticationError:
                self._note_refusal()
                self._retry_later()
                raise
            new_key = self._key(device_id, master_key)
            if not new_key or new_key == key:
                raise
        return await request(self._client.owner, new_key)

    @override
    async def async_refresh(self, _now: datetime | None = None) -> None:
        """Ask again for what the cloud never pushes: who is there, names, firmware, keys."""
        if self._is_reading:
            return
        self._is_reading = True
        try:
            await self._async_read_devices()
        except AuthenticationError as err:
            self._note_refusal()
            self._retry_later()
            self._note_failure(err)
        except CloudError as err:
            # The virtual devices' own connections tell whether the cloud is there.
            _LOGGER.debug("The account could not be read: %s", err)
            self._note_failure(err)
        else:
            self._tell_listeners()
        finally:
            self._is_reading = False

    async def _async_read_devices(self) -> None:
        if self.shows_devices:
            # Whether a device is on-line is a matter of the server's clock.
            self._clock_ahead = await self._client.ping() - time.time()
        owned = await self._client.list_devices(self.user_key)
        self._note_success()
        self.owned = {each.device.id: each for each in owned}

    def _note_failure(self, reason: CloudError) -> None:
        self._failures += 1
        if isinstance(reason, RateLimitedError):
            self.poller.rest(reason.retry_after)
        if self._failures > 1 and self.last_error is None:
            self.last_error = reason
            self._tell_listeners()

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
        self._failures = 0
        self.last_error = None
        self._cancel_retry_later()
        for flow in list(
            self._entry.async_get_active_flows(self._hass, {SOURCE_REAUTH})
        ):
            self._hass.config_entries.flow.async_abort(flow["flow_id"])
