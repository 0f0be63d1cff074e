"""Home Assistant as a device's owner: it asks and commands through the cloud's HTTP API.

When a device counts as on-line is protocol.md §10.2, 5.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, override

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..cloud import (
    CloudError,
    DeviceBusyError,
    DeviceOfflineError,
    OwnedDevice,
    RateLimitedError,
)
from ..kinds.base import Datapoint, Kind
from .base import BackendListener, describes_the_same
from .cloud_account import EspCloudAccount
from .owner import OwnerBackend
from .polling import Poll

MESH_WINDOW: Final = 180.0
"""Seconds that a device in a mesh may be silent, where others may for 60."""
SILENT_POLLS: Final = 2
"""Questions in a row that a device on-line leaves unanswered before it counts as away."""


class RemoteBackend(OwnerBackend[EspCloudAccount]):
    """A device of an account at a cloud, wherever it is."""

    def __init__(
        self,
        hass: HomeAssistant,
        account: EspCloudAccount,
        owned: OwnedDevice,
        kind: Kind[Any],
    ) -> None:
        """Prepare; `async_start` follows the account.

        Args:
            hass: Home Assistant.
            account: the account.
            owned: what it says of the device.
            kind: what to ask the device for.
        """
        super().__init__(account, owned, kind, hass.async_create_background_task)
        self.web_page = account.server.web_page
        self._stops: list[CALLBACK_TYPE] = []
        self._polls: list[Poll] = []
        # When a call proved that it is away, by the server's clock.
        self._away_since: int | None = None
        self._is_listed = False
        self._is_online = False
        self._silent_polls = 0
        # Two questions at a time are one too many for a device.
        self._asking = asyncio.Lock()

    @property
    def is_listed(self) -> bool:
        """Whether the account says that the device is there, so that it can be asked."""
        return self._is_listed

    @override
    @callback
    def async_start(self, listener: BackendListener) -> None:
        """Follow what the account says, and ask the device while it is there."""
        self._listener = listener
        kind = self._kind
        if kind.live is not None:
            self._polls.append(_StreamPoll(self, kind.live, self._poll_live))
        # What a device posts is worth half as many questions.
        self._polls += [
            _StreamPoll(self, stream, self._poll_stored, every=2)
            for stream in kind.stored
        ]
        poller = self._account.poller
        self._stops = [
            self._account.async_listen(self._handle_account),
            *(poller.add(poll) for poll in self._polls),
        ]
        self._handle_account()

    @override
    async def async_close(self) -> None:
        """Follow nothing any more."""
        self._listener = None
        while self._stops:
            self._stops.pop()()
        self._silent.cancel()

    @override
    async def async_refresh(self) -> None:
        """Ask the device, where it is there."""
        for poll in self._polls:
            if poll.is_wanted:
                await poll.async_run()

    @override
    async def async_read(self, stream: str) -> Datapoint:
        """Ask the device."""
        async with self._asking:
            return await super().async_read(stream)

    @override
    def diagnostics(self) -> dict[str, Any]:
        """Return what is known of the device's presence."""
        active = self.device.last_active
        return {
            "seconds_silent": round(self._account.server_time - active)
            if active
            else None,
            "unanswered": self._silent_polls,
        }

    @override
    async def _ask[AnswerT](self, request: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
        """Make a request that the device answers; it is not made where that is away."""
        # Where the account cannot be read, nobody knows whether the device is there.
        if not self._is_online and self._account.last_error is None:
            raise DeviceOfflineError("the device is not connected to the cloud")
        try:
            return await request()
        except DeviceOfflineError as err:
            self._note_away(err)
            raise

    async def _poll_live(self, stream: str) -> None:
        """Ask for what the device itself answers, and tell."""
        if (listener := self._listener) is None:
            return
        try:
            async with self._asking:
                reading = listener.begin_reading()
                datapoint = await self._account.async_as_owner(
                    self.device_id,
                    lambda client, key: client.read_live(key, stream),
                    renews_key=False,
                )
        except DeviceOfflineError as err:
            self._note_away(err)
        except DeviceBusyError as err:
            self._silent_polls += 1
            if self._silent_polls == SILENT_POLLS:
                self._set_offline(err)
        except CloudError as err:
            self._note_failure(err)
        else:
            self._silent_polls = 0
            if self._listener is not None:
                self._set_online()
                listener.handle_datapoint(stream, datapoint, reading)

    async def _poll_stored(self, stream: str) -> None:
        """Ask for what was stored last, and tell."""
        if (listener := self._listener) is None:
            return
        count = self._kind.points_at_once
        try:
            async with self._asking:
                points = await self._account.async_history(
                    self.device_id, stream, count=count
                )
        except CloudError as err:
            self._note_failure(err)
        else:
            newest = self._kind.newest(
                [{**each.values, "at": each.at} for each in points]
            )
            if newest is not None and self._listener is not None:
                listener.handle_datapoint(stream, newest)

    def _note_failure(self, err: CloudError) -> None:
        # Whether the cloud can be reached shows in the list.
        if isinstance(err, RateLimitedError):
            self._account.poller.rest(err.retry_after)

    @callback
    def _handle_account(self) -> None:
        """Judge by the list whether the device is there; that holds until the next one."""
        if self._listener is None:
            # Whoever heard of the list before has closed this.
            return
        account = self._account
        if account.last_error is not None:
            self._is_listed = False
            self._set_offline(account.last_error)
            return
        owned = account.owned.get(self.device_id)
        if owned is None:
            # Whoever manages the devices decides what that means in the long run.
            self._is_listed = False
            self._set_offline(
                DeviceOfflineError("the account does not list the device")
            )
            return
        device = owned.device
        is_news = not describes_the_same(device, self.device)
        self.device = device
        if is_news:
            self._listener.handle_device(device)
        silent = account.server_time - device.last_active
        window = self._kind.window
        if device.is_mesh:
            window = max(window, MESH_WINDOW)
        is_recent = bool(device.last_active) and silent <= window
        if is_recent and self._was_away_after(device.last_active):
            # It was active before that as well. It is to answer first, if it ever does.
            self._is_listed = self._kind.live is not None
            self._ask_soon()
            return
        self._is_listed = is_recent
        if not is_recent:
            self._set_offline(DeviceOfflineError("the device is silent"))
        elif self._silent_polls < SILENT_POLLS:
            self._set_online()

    def _was_away_after(self, last_active: int) -> bool:
        return self._away_since is not None and last_active <= self._away_since

    def _note_away(self, reason: DeviceOfflineError) -> None:
        """A call has proved that the device is away, whatever the list says."""
        self._is_listed = False
        # The cloud counts in whole seconds, and so does what is known of its clock.
        self._away_since = int(self._account.server_time) + 1
        self._set_offline(reason)

    def _set_online(self) -> None:
        if self._is_online or self._listener is None:
            return
        self._is_online = True
        self._away_since = None
        self._listener.handle_connected(self.device)
        self._ask_soon()

    def _ask_soon(self) -> None:
        for poll in self._polls:
            self._account.poller.soon(poll)

    def _set_offline(self, reason: CloudError) -> None:
        if self._listener is None:
            return
        self._is_online = False
        self._listener.handle_disconnected(reason)


class _StreamPoll(Poll):
    """Asks for a datastream of a device that the account says is there."""

    def __init__(
        self,
        backend: RemoteBackend,
        stream: str,
        ask: Callable[[str], Awaitable[None]],
        *,
        every: int = 1,
    ) -> None:
        self.device_id = backend.device_id
        self.every = every
        self._backend = backend
        self._stream = stream
        self._ask = ask

    @property
    @override
    def is_wanted(self) -> bool:
        return self._backend.is_listed

    @override
    async def async_run(self) -> None:
        await self._ask(self._stream)
