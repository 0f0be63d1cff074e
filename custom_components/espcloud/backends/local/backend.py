"""Home Assistant as a device's owner and as its cloud: the device's own connection is here."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
import time
from typing import Any, Final, Protocol, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ...cloud import CloudError, DeviceOfflineError, OwnedDevice
from ...kinds.base import Datapoint, Kind
from ..base import BackendListener, OnProgress, describes_the_same
from ..owner import OwnerBackend
from .account import LocalAccount
from .server import LocalServer

READ_EVERY: Final = 30.0
"""Seconds between two questions to a device that changes by command alone."""
READ_BUTTON_EVERY: Final = 10.0
"""Seconds where a person may press its button, which it tells nobody (protocol.md §10.2, 2)."""


class ContestIssues(Protocol):
    """Whoever tells a person of devices with one key."""

    def raise_contested(
        self, device_id: int, device: str, addresses: tuple[str, str]
    ) -> None:
        """Say that two devices have one key, and where they are."""

    def clear_contested(self, device_id: int) -> None:
        """Nobody else uses the key of a device any more."""


class LocalBackend(OwnerBackend[LocalAccount]):
    """A device at the cloud that runs in Home Assistant.

    It is there while its connection is. What only wakes to post has none: it is there for
    the time of its kind after each post.
    """

    comes_from_subentry = True
    has_patience = True

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        server: LocalServer,
        owned: OwnedDevice,
        kind: Kind[Any],
        *,
        issues: ContestIssues,
    ) -> None:
        """Prepare; `async_start` follows the server.

        Args:
            hass: Home Assistant.
            entry: whose tasks the questions are.
            server: the server.
            owned: what it says of the device.
            kind: what to ask the device for.
            issues: what a person has to know of it.
        """
        super().__init__(
            server.account,
            owned,
            kind,
            lambda call, name: entry.async_create_background_task(hass, call, name),
        )
        self._hass = hass
        self._entry = entry
        self._server = server
        self._issues = issues
        self._stop_following: CALLBACK_TYPE | None = None
        self._cancel_question: CALLBACK_TYPE | None = None
        self._question: asyncio.Task[None] | None = None
        self._cancel_window: CALLBACK_TYPE | None = None
        self._is_asking = False
        self._is_online = False

    @override
    @callback
    def async_start(self, listener: BackendListener) -> None:
        """Follow what the server hears of the device, and ask it while it is there."""
        self._listener = listener
        self._stop_following = self._server.async_follow(self.device_id, self)
        for stream in self._kind.stored:
            if (datapoint := self._account.latest(self.device_id, stream)) is not None:
                listener.handle_datapoint(stream, datapoint)
        if self._server.is_online(self.device_id):
            self._set_online()
        # What answers questions has a connection, or is away, however lately it was there.
        elif self._kind.live is not None or not self._be_there_after(
            self.device.last_active
        ):
            self._set_offline("the device is not connected")

    @override
    async def async_close(self) -> None:
        """Follow nothing any more."""
        self._listener = None
        if self._stop_following is not None:
            self._stop_following()
            self._stop_following = None
        self._stop_asking()
        if self._question is not None:
            self._question.cancel()
        self._stop_window()
        self._silent.cancel()

    @override
    async def async_refresh(self) -> None:
        """Ask the device, where it is there."""
        stream, listener = self._kind.live, self._listener
        if stream is None or listener is None or not self._is_online or self._is_asking:
            return
        self._is_asking = True
        try:
            reading = listener.begin_reading()
            datapoint = await self._account.async_read(self.device_id, stream)
        except CloudError:
            # Whether it is there its connection tells.
            return
        finally:
            self._is_asking = False
        if self._listener is not None:
            self._listener.handle_datapoint(stream, datapoint, reading)

    @override
    def serving_firmware(
        self, version: str, on_progress: OnProgress
    ) -> AbstractAsyncContextManager[None]:
        """Open the port that devices fetch firmware from, for this one."""
        return self._server.serving_firmware(self.device_id, version, on_progress)

    @override
    def diagnostics(self) -> dict[str, Any]:
        """Return what is known of the device's presence."""
        owned = self._account.renew(self.device_id)
        active = owned.device.last_active if owned is not None else 0
        return {
            "address": self._server.address_of(self.device_id),
            "identified": self._server.is_online(self.device_id),
            "seconds_silent": round(time.time() - active) if active else None,
        }

    @override
    async def _ask[AnswerT](self, request: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
        """Make a request that the device answers."""
        if not self._server.is_online(self.device_id):
            raise DeviceOfflineError("the device is not connected")
        return await request()

    # What the server hears of the device

    @callback
    def handle_arrival(self) -> None:
        """Note that it has identified."""
        self._look()
        self._stop_window()
        self._set_online()

    @callback
    def handle_departure(self, reason: str) -> None:
        """Note that its connection has ended."""
        self._stop_asking()
        self._set_offline(reason)

    @callback
    def handle_post(self, stream: str, datapoint: Datapoint) -> None:
        """Take over what it posted."""
        if self._listener is None:
            return
        if not self._server.is_online(self.device_id):
            self._be_there_after(time.time())
        self._listener.handle_datapoint(stream, datapoint)

    @callback
    def handle_contest(self, addresses: tuple[str, str]) -> None:
        """Say that another device has its key."""
        self._issues.raise_contested(self.device_id, self.device.title, addresses)

    @override
    def note_stable(self) -> None:
        """Its connection has lived for so long that nobody else wants its place."""
        self._issues.clear_contested(self.device_id)

    @callback
    def handle_record(self) -> None:
        """Take over its address, its version, and what there is for it."""
        self._look()

    def _look(self) -> None:
        """Look at what the server knows of the device."""
        owned = self._account.renew(self.device_id)
        if owned is None or self._listener is None:
            return
        is_news = not describes_the_same(owned.device, self.device)
        self.device = owned.device
        if is_news:
            self._listener.handle_device(owned.device)

    def _set_online(self) -> None:
        if self._listener is None:
            return
        if not self._is_online:
            self._is_online = True
            self._listener.handle_connected(self.device)
        if self._server.is_online(self.device_id):
            self._ask_in(0.0)

    def _set_offline(self, reason: str) -> None:
        if self._listener is not None:
            self._is_online = False
            self._listener.handle_disconnected(DeviceOfflineError(reason))

    def _be_there_after(self, active: float) -> bool:
        """Take it for there until it has been silent for too long.

        Args:
            active: when it was heard last, in epoch seconds.

        Returns:
            Whether that is not too long ago already.
        """
        self._stop_window()
        left = active + self._kind.window - time.time()
        if left <= 0:
            return False
        self._cancel_window = async_call_later(
            self._hass, left, HassJob(self._end_window, cancel_on_shutdown=True)
        )
        self._set_online()
        return True

    @callback
    def _end_window(self, _now: datetime) -> None:
        self._cancel_window = None
        self._set_offline("the device is silent")

    def _stop_window(self) -> None:
        if self._cancel_window is not None:
            self._cancel_window()
            self._cancel_window = None

    # Asking what it does not tell

    def _ask_in(self, seconds: float) -> None:
        self._stop_asking()
        if self._kind.live is not None and self._listener is not None:
            self._cancel_question = async_call_later(
                self._hass,
                seconds,
                HassJob(self._begin_question, cancel_on_shutdown=True),
            )

    def _stop_asking(self) -> None:
        if self._cancel_question is not None:
            self._cancel_question()
            self._cancel_question = None

    @callback
    def _begin_question(self, _now: datetime) -> None:
        self._cancel_question = None
        if self._question is not None and not self._question.done():
            # It goes on by itself.
            return
        self._question = self._entry.async_create_background_task(
            self._hass, self._ask_by_itself(), f"ask device {self.device_id}"
        )

    async def _ask_by_itself(self) -> None:
        await self.async_refresh()
        if self._is_online and self._cancel_question is None:
            self._ask_in(
                READ_BUTTON_EVERY if self._kind.changes_by_hand else READ_EVERY
            )
