"""An account: its server, its key, and what it says of its devices."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
import logging
import time
from typing import Any

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.event import async_call_later
from homeassistant.util.hass_dict import HassKey

from ..cloud import (
    AccountPushes,
    AuthenticationError,
    CloudDevice,
    CloudError,
    ConnectPacer,
    OwnedDevice,
    OwnerClient,
    PushLimits,
    RateLimitedError,
    StoredPoint,
    StreamTemplate,
    refusal_backoff,
)
from ..const import CONF_SHOW_DEVICES, CONF_USER_KEY, DOMAIN
from ..errors import translated
from ..flood import FloodWatch
from ..refusals import Refusals
from .polling import Poller
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
        poller: asks for what nobody tells, within a share of what the cloud allows.
        shows_devices: whether the account's own devices become entities, and so whether
            their state has to be known.
        last_error: why the account cannot be read, None while it can; a single failure
            is none.
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Prepare; `async_sign_in` makes the first request."""
        self.server = Server.from_data(entry.data)
        self.pacer = ConnectPacer()
        self.pushes = AccountPushes(PUSH_LIMITS)
        self.flood = FloodWatch(hass, entry)
        self.shows_devices: bool = entry.options.get(CONF_SHOW_DEVICES, True)
        self.last_error: CloudError | None = None
        self._hass = hass
        self._entry = entry
        self._client = self.server.client(hass)
        self.poller = Poller(hass, entry, self._seconds_to_rest)
        self._owned: dict[int, OwnedDevice] = {}
        # Seconds that the server's clock is ahead of this machine's.
        self._clock_ahead = 0.0
        self._is_reading = False
        self._failures = 0
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
        self.poller.close()
        self.flood.close()

    @callback
    def _cancel_retry_later(self) -> None:
        if self._cancel_retry is not None:
            self._cancel_retry()
            self._cancel_retry = None

    @property
    def owned(self) -> Mapping[int, OwnedDevice]:
        """The devices of the account by their ids, as it said last."""
        return self._owned

    @property
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

    def device(self, device_id: int) -> CloudDevice | None:
        """Return what the account says of a device, None where it has no such device."""
        owned = self._owned.get(device_id)
        return owned.device if owned is not None else None

    async def async_templates(self) -> dict[int, list[StreamTemplate]]:
        """Return what the account's products say of their datastreams, by device ids.

        Raises:
            CloudError: as `CloudClient.list_templates`.
        """
        return await self._client.list_templates(self._entry.data[CONF_USER_KEY])

    async def async_as_owner[AnswerT](
        self,
        device_id: int,
        request: Callable[[OwnerClient, str], Awaitable[AnswerT]],
        *,
        master_key: str = "",
        renews_key: bool = True,
    ) -> AnswerT:
        """Make a request about a device with its owner key.

        An owner key can be replaced at any time, so a refused one is read anew once.

        Args:
            device_id: the device.
            request: what to ask, given the client and the key.
            master_key: the key to use where the account has no owner key.
            renews_key: whether that is worth the requests. What is asked again and again
                can wait for the list that is read every minute.

        Raises:
            CloudError: as the request.
        """
        client = self._client.owner
        if not (key := self._key(device_id, master_key)):
            raise AuthenticationError("no key of the device")
        try:
            return await request(client, key)
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
        return await request(client, new_key)

    def _key(self, device_id: int, master_key: str) -> str:
        owned = self._owned.get(device_id)
        return owned.owner_key if owned is not None and owned.owner_key else master_key

    async def async_read(
        self, device_id: int, stream: str, *, master_key: str = ""
    ) -> Mapping[str, Any]:
        """Ask a device for a datastream. Raises CloudError as `OwnerClient.read_live`."""
        return await self.async_as_owner(
            device_id,
            lambda client, key: client.read_live(key, stream),
            master_key=master_key,
        )

    async def async_write(
        self,
        device_id: int,
        stream: str,
        datapoint: Mapping[str, Any],
        *,
        master_key: str = "",
    ) -> Mapping[str, Any] | None:
        """Command by a datapoint; return the one of the device's answer, if it has one.

        Raises:
            CloudError: as `OwnerClient.write_live`.
        """
        answer = await self.async_as_owner(
            device_id,
            lambda client, key: client.write_live(key, stream, datapoint),
            master_key=master_key,
        )
        answered = answer.get("datapoint")
        return answered if isinstance(answered, dict) else None

    async def async_call(
        self,
        device_id: int,
        action: str,
        parameters: Mapping[str, str],
        *,
        master_key: str = "",
    ) -> dict[str, Any]:
        """Send an action. Raises CloudError as `OwnerClient.call`."""
        return await self.async_as_owner(
            device_id,
            lambda client, key: client.call(key, action, parameters),
            master_key=master_key,
        )

    async def async_history(
        self,
        device_id: int,
        stream: str,
        *,
        count: int,
        start: int = 0,
        end: int | None = None,
        offset: int = 0,
    ) -> list[StoredPoint]:
        """Return what is stored, the newest first; nobody waits for it.

        Args:
            device_id: the device.
            stream: the datastream.
            count: how many points at most.
            start: the first epoch second.
            end: the last one, None for the present.
            offset: how many of the newest to leave out.

        Raises:
            CloudError: as `OwnerClient.history`.
        """
        # A little later: a point of this very second is one of the present.
        last = end if end is not None else int(self.server_time) + 1
        return await self.async_as_owner(
            device_id,
            lambda client, key: client.history(
                key, stream, start=start, end=last, offset=offset, count=count
            ),
            renews_key=False,
        )

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

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call the listener each time the account was read anew, or cannot be any more."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def _async_read_devices(self) -> None:
        if self.shows_devices:
            # Whether a device is on-line is a matter of the server's clock.
            self._clock_ahead = await self._client.ping() - time.time()
        owned = await self._client.list_devices(self._entry.data[CONF_USER_KEY])
        self._note_success()
        self._owned = {each.device.id: each for each in owned}

    def _note_failure(self, reason: CloudError) -> None:
        self._failures += 1
        if isinstance(reason, RateLimitedError):
            self.poller.rest(reason.retry_after)
        if self._failures > 1 and self.last_error is None:
            self.last_error = reason
            self._tell_listeners()

    def _tell_listeners(self) -> None:
        for listener in list(self._listeners):
            listener()

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
