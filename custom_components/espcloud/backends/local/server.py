"""The cloud that runs in Home Assistant: its ports, and who is told of what happens."""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
import errno
from typing import Any, Final, Protocol

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ...cloud import Answer
from ...identity import key_hash
from ...kinds.base import Datapoint
from ...local_cloud import Limits, LocalCloud
from ...local_cloud.errors import ApiError, StateFileError
from ...local_cloud.listeners import (
    DatapointReceived,
    DeviceActivated,
    DeviceConnected,
    DeviceDisconnected,
    Event,
    KeyContested,
    PendingAppeared,
    PendingChanged,
    PendingGone,
)
from ...local_cloud.sign_up import SignUp
from ..base import FirmwarePortError, OnProgress
from .account import LocalAccount
from .database import backup_is_running, database_path
from .firmware import LocalFirmware
from .pending import PendingHardware

HOSTS: Final = ("0.0.0.0", "::")

LIMITS: Final = Limits(connections_of_address=256)
"""A household has fewer devices behind one address than a cloud for everybody."""
FIRMWARE_PORT: Final = 80
"""Firmware fetches from no other one (protocol.md §10.4, 1)."""


class ServerUnusableError(Exception):
    """The cloud cannot run.

    Attributes:
        obstacle: `port_taken`, `port_forbidden`, `port_unusable` or `database_unusable`, the
            translation key of an error.
        port: the port that it is about, None where it is about none.
    """

    def __init__(self, obstacle: str, port: int | None = None) -> None:
        """Say what is wrong."""
        super().__init__(obstacle)
        self.obstacle = obstacle
        self.port = port


class DeviceListener(Protocol):
    """Whoever follows one device."""

    def handle_arrival(self) -> None:
        """Note that it has identified."""

    def handle_departure(self, reason: str) -> None:
        """Note that its connection has ended."""

    def handle_post(self, stream: str, datapoint: Datapoint) -> None:
        """Take over a datapoint that it posted, with its `at`."""

    def handle_contest(self, addresses: tuple[str, str]) -> None:
        """Note that another device at the second address has its key."""

    def handle_record(self) -> None:
        """Note that more is known of it: it has activated, or there is firmware for it."""


type PendingListener = Callable[[PendingHardware, bool], None]
"""Hears of a device with an unknown key, and whether it still is one."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What a person has chosen for the cloud.

    Attributes:
        device_port: where devices connect.
        api_port: where the HTTP API is, None where it is off.
    """

    device_port: int
    api_port: int | None = None


class LocalServer:
    """The cloud, with its database in Home Assistant's storage folder.

    Attributes:
        settings: what a person has chosen.
        account: its account, from `async_bind` on.
        firmware: what it has for its devices.
    """

    account: LocalAccount

    def __init__(
        self,
        hass: HomeAssistant,
        settings: ServerSettings,
        *,
        is_ignored: Callable[[str], bool] = lambda key_hash: False,
        hosts: Iterable[str] | None = None,
    ) -> None:
        """Prepare; `async_bind`, then `async_serve` begin.

        Args:
            hass: Home Assistant.
            settings: what a person has chosen.
            is_ignored: tells by the hash of its key whether a person wants to hear nothing
                of a device.
            hosts: the addresses to listen at, HOSTS where none are named.
        """
        self.settings = settings
        self._hass = hass
        self._cloud = LocalCloud(
            tuple(hosts or HOSTS),
            settings.api_port,
            settings.device_port,
            serves_http=settings.api_port is not None,
            state_file=database_path(hass),
            pending_devices=True,
            is_ignored=lambda key: is_ignored(key_hash(key)),
            local_network_only=True,
            limits=LIMITS,
            # The one account is Home Assistant's; nobody else is to keep anything here.
            sign_up=SignUp.CLOSED,
        )
        self.firmware = LocalFirmware(self._cloud)
        self._followers: dict[int, DeviceListener] = {}
        self._pending_listeners: list[PendingListener] = []
        self._stop_listening: CALLBACK_TYPE | None = None

    async def async_bind(self) -> None:
        """Open the database and take the ports; nobody is served yet.

        Raises:
            ServerUnusableError: that is not possible; nothing is left open.
        """
        try:
            await self._cloud.bind(backup_is_running=backup_is_running(self._hass))
        except StateFileError as err:
            raise ServerUnusableError("database_unusable") from err
        except OSError as err:
            if self.settings.api_port is not None:
                # It is opened first.
                await self.async_try_port(self.settings.api_port)
            raise _port_error(err, self.settings.device_port) from err
        try:
            self.account = await LocalAccount.open(self._cloud, self.url)
        except BaseException as err:
            await self._cloud.close()
            if isinstance(err, ApiError):
                # At the first start it has to be written.
                raise ServerUnusableError("database_unusable") from err
            raise
        self._stop_listening = self._cloud.listeners.add(self._handle_event)

    @staticmethod
    async def async_try_port(port: int) -> None:
        """Find out whether a port can be had. Raises ServerUnusableError."""
        cloud = LocalCloud(HOSTS, None, port, serves_http=False)
        try:
            await cloud.bind()
        except OSError as err:
            raise _port_error(err, port) from err
        finally:
            await cloud.close()

    async def async_serve(self) -> None:
        """Let devices in."""
        await self._cloud.serve()

    async def async_close(self) -> None:
        """End everything: every connection, the ports, the database."""
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None
        await self._cloud.close()

    async def async_add_firmware(
        self, version: str, files: Mapping[str, bytes]
    ) -> None:
        """Add a version with both its files, and offer it. Raises FirmwareRefusedError."""
        await self.firmware.async_add(version, files)
        await self._renew_offers()

    async def async_remove_firmware(self, version: str) -> None:
        """Remove a version, which is offered no more. Raises FirmwareRefusedError."""
        await self.firmware.async_remove(version)
        await self._renew_offers()

    async def _renew_offers(self) -> None:
        await self.account.async_refresh()
        for listener in list(self._followers.values()):
            listener.handle_record()

    @asynccontextmanager
    async def serving_firmware(
        self, device_id: int, version: str, on_progress: OnProgress
    ) -> AsyncGenerator[None]:
        """Let a device fetch a version meanwhile; nobody else gets anything there.

        Raises:
            FirmwarePortError: the port is somebody else's.
            CloudError: the device is not there, or there is no such version.
        """
        device = self._cloud.store.devices[device_id]
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(
                    self._cloud.serving_firmware(
                        device, version, FIRMWARE_PORT, on_progress
                    )
                )
            except OSError as err:
                raise FirmwarePortError from err
            except ApiError as err:
                Answer(err.status, {"message": err.message}).require_taken()
            yield

    async def async_prepare_backup(self) -> None:
        """Let the database file stay as it is. Raises ServerUnusableError."""
        try:
            await self._cloud.prepare_backup()
        except StateFileError as err:
            raise ServerUnusableError("database_unusable") from err

    async def async_finish_backup(self) -> None:
        """Let the database file change again."""
        await self._cloud.finish_backup()

    @property
    def url(self) -> str:
        """What texts call the server."""
        return f"port {self.settings.device_port}"

    def is_online(self, device_id: int) -> bool:
        """Say whether a device has an identified connection."""
        device = self._cloud.store.devices.get(device_id)
        return device is not None and self._cloud.is_online(device)

    def address_of(self, device_id: int) -> str | None:
        """Return where a connected device is in the network."""
        return next(
            (
                each.address
                for each in self._cloud.operator.connections()
                if each.device is not None and each.device.id == device_id
            ),
            None,
        )

    def pending(self) -> list[PendingHardware]:
        """Return the devices with unknown keys that are there now."""
        return [
            PendingHardware.of(each) for each in self._cloud.operator.pending_devices()
        ]

    @callback
    def async_follow(self, device_id: int, listener: DeviceListener) -> CALLBACK_TYPE:
        """Tell the listener what happens to a device, which has one follower at a time."""
        self._followers[device_id] = listener

        def stop() -> None:
            if self._followers.get(device_id) is listener:
                del self._followers[device_id]

        return stop

    @callback
    def async_listen_pending(self, listener: PendingListener) -> CALLBACK_TYPE:
        """Tell the listener of devices with unknown keys."""
        self._pending_listeners.append(listener)
        return lambda: self._pending_listeners.remove(listener)

    @callback
    def _handle_event(self, event: Event) -> None:
        match event:
            case PendingAppeared(pending=pending) | PendingChanged(pending=pending):
                self._tell_pending(PendingHardware.of(pending), is_there=True)
            case PendingGone(pending=pending):
                self._tell_pending(PendingHardware.of(pending), is_there=False)
            case (
                DatapointReceived(device=device)
                | DeviceConnected(device=device)
                | DeviceDisconnected(device=device)
                | DeviceActivated(device=device)
                | KeyContested(device=device)
            ):
                if (listener := self._followers.get(device.id)) is not None:
                    _tell(listener, event)
                elif self.account.is_news(device.id):
                    self.account.look()

    def _tell_pending(self, pending: PendingHardware, *, is_there: bool) -> None:
        for listener in list(self._pending_listeners):
            listener(pending, is_there)

    def diagnostics(self) -> dict[str, Any]:
        """Return what a report may show of the server."""
        connections = self._cloud.operator.connections()
        return {
            "device_port": self.settings.device_port,
            "api_port": self.settings.api_port,
            "connections": len(connections),
            "identified": sum(each.device is not None for each in connections),
            "pending": len(self._cloud.operator.pending_devices()),
            "refused_peers": self._cloud.operator.refused_peers,
        }


def _tell(
    listener: DeviceListener,
    event: DatapointReceived
    | DeviceConnected
    | DeviceDisconnected
    | DeviceActivated
    | KeyContested,
) -> None:
    match event:
        case DatapointReceived():
            listener.handle_post(event.stream, {**event.values, "at": event.at})
        case DeviceConnected():
            listener.handle_arrival()
        case DeviceDisconnected():
            listener.handle_departure(event.reason)
        case KeyContested():
            listener.handle_contest(event.addresses)
        case DeviceActivated():
            listener.handle_record()


def _port_error(err: OSError, port: int) -> ServerUnusableError:
    match err.errno:
        case errno.EADDRINUSE:
            return ServerUnusableError("port_taken", port)
        case errno.EACCES | errno.EPERM:
            return ServerUnusableError("port_forbidden", port)
    return ServerUnusableError("port_unusable", port)
