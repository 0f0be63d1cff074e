"""Home Assistant in a device's place: it holds the device's connection (protocol.md §3)."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..cloud import (
    AuthenticationError,
    CloudDevice,
    CloudError,
    DeviceOfflineError,
    DeviceSession,
    TakenOverError,
    virtual_bssid,
)
from ..const import CONNECT_NOW_WAIT, DOMAIN, RECONNECT_WAIT
from ..issues import DeviceIssues
from ..kinds.base import Datapoint
from .base import Backend, BackendListener, describes_the_same
from .cloud_account import EspCloudAccount


class VirtualBackend(Backend):
    """The connection of a device that Home Assistant is.

    What Home Assistant itself commands goes out to the cloud with the account's keys and
    comes back over this connection as anybody's command does.

    Attributes:
        master_key: the key that it connects with.
    """

    is_virtual = True
    comes_from_subentry = True
    has_patience = True

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        account: EspCloudAccount,
        issues: DeviceIssues,
        *,
        device_id: int,
        master_key: str,
        name: str,
    ) -> None:
        """Prepare; `async_start` connects.

        Args:
            hass: Home Assistant.
            entry: the account's entry, which the connection's task belongs to.
            account: the account.
            issues: what a person has to put right about the device.
            device_id: the cloud's id of the device.
            master_key: the key to connect with.
            name: how the log calls the device.
        """
        self.url = account.server.url
        self.web_page = account.server.web_page
        self.device = account.device(device_id)
        self._hass = hass
        self._entry = entry
        self._account = account
        self._issues = issues
        self._device_id = device_id
        self.master_key = master_key
        self._name = name
        self._listener: BackendListener | None = None
        self._session: DeviceSession | None = None
        self._stop_listening: CALLBACK_TYPE | None = None
        self._closed = False

    @property
    def session(self) -> DeviceSession | None:
        """The session; None before the start, between two keys and after the end."""
        return self._session

    @override
    @callback
    def async_start(self, listener: BackendListener) -> None:
        """Begin to keep the device connected."""
        self._listener = listener
        self._stop_listening = self._account.async_listen(self._handle_account)
        self._open_session(listener)

    @override
    async def async_close(self) -> None:
        """Close the connection."""
        self._closed = True
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None
        self._issues.clear()
        if (session := self._session) is not None:
            self._session = None
            await session.close()

    @callback
    def async_set_key(self, master_key: str) -> None:
        """Use another master key, if it is one: that needs a new connection."""
        if master_key == self.master_key:
            return
        self.master_key = master_key
        if (session := self._session) is None:
            return
        self._session = None

        async def replace_it() -> None:
            await session.close()
            if not self._closed and self._listener is not None:
                self._open_session(self._listener)

        self._entry.async_create_task(
            self._hass, replace_it(), f"reconnect {self._name}"
        )

    @callback
    def async_retry_refused_key(self) -> None:
        """Try a refused key at once."""
        if self._session is not None and self._session.refused:
            self._session.retry_now()

    async def async_connect_now(self) -> bool:
        """Take the device's place back, since a person says so; return whether it worked."""
        return self._session is not None and await self._session.connect_now(
            CONNECT_NOW_WAIT
        )

    @override
    async def async_refresh(self) -> None:
        """Ask for what the cloud never pushes."""
        await self._account.async_refresh()

    @override
    async def async_read(self, stream: str) -> Datapoint:
        """Ask the cloud, which asks Home Assistant."""
        await self._wait_connected()
        return await self._account.async_read(
            self._device_id, stream, master_key=self.master_key
        )

    @override
    async def async_write(self, stream: str, datapoint: Datapoint) -> Datapoint | None:
        """Send a datapoint through the cloud; it comes back as a push."""
        await self._wait_connected()
        return await self._account.async_write(
            self._device_id, stream, datapoint, master_key=self.master_key
        )

    @override
    async def async_call(
        self, action: str, parameters: Mapping[str, str]
    ) -> dict[str, Any]:
        """Send an action through the cloud; it comes back as a push."""
        await self._wait_connected()
        return await self._account.async_call(
            self._device_id, action, parameters, master_key=self.master_key
        )

    @override
    def note_stable(self) -> None:
        """Not before: whoever fought for the place may be back at once."""
        self._issues.clear_taken_over()

    @override
    def diagnostics(self) -> dict[str, Any]:
        """Return how the connections went."""
        session = self._session
        return {
            "statistics": asdict(session.statistics) if session else None,
            "attempts_failed": session.attempts_failed if session else None,
            "contested": session.contested if session else None,
        }

    async def _wait_connected(self) -> None:
        """Wait a little for a connection that is down; raises CloudError without it."""
        session = self._session
        if session is not None and await session.wait_connected(RECONNECT_WAIT):
            return
        if session is not None and session.refused:
            raise AuthenticationError("the master key is refused")
        if session is not None and session.contested:
            raise TakenOverError("another client has the device's place")
        raise DeviceOfflineError("not connected")

    def _open_session(self, listener: BackendListener) -> None:
        self._session = DeviceSession(
            self._account.server.endpoint(),
            self.master_key,
            virtual_bssid(self._device_id),
            # As it is: it is called for every command.
            on_push=listener.handle_push,
            on_connected=self._handle_connected,
            on_disconnected=self._handle_disconnected,
            on_refused=lambda: self._account.flood.note(self._name),
            pacer=self._account.pacer,
            pushes=self._account.pushes,
        )
        # A background task: a dead device delays neither the others nor the start.
        self._entry.async_create_background_task(
            self._hass, self._session.run(), f"{DOMAIN} {self._name}"
        )

    @callback
    def _handle_account(self) -> None:
        """Take over what the account says now."""
        device = self._account.device(self._device_id)
        if device is None or describes_the_same(device, self.device):
            return
        self.device = device
        assert self._listener is not None
        self._listener.handle_device(device)

    @callback
    def _handle_connected(self, device: CloudDevice) -> None:
        self._issues.note_connected()
        self.device = device
        assert self._listener is not None
        self._listener.handle_connected(device)

    @callback
    def _handle_disconnected(self, reason: CloudError) -> None:
        is_contested = self._session is not None and self._session.contested
        self._issues.note_disconnected(reason, is_contested=is_contested)
        assert self._listener is not None
        self._listener.handle_disconnected(reason)
