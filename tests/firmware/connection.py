"""A device with RTOS firmware and its connection (protocol.md §3.2, §3.3, §3.6, §3.9)."""

import asyncio
from contextlib import suppress
import socket
from types import TracebackType
from typing import Self

from . import parser, upgrade
from .appliance import Appliance

_ACTIVE_NONCE, _IDENTIFY_NONCE = 66, 67
_TOKEN = "0123456789abcdefghijklmnopqrstuvwxyz0123"


class Firmware:
    """A device that is switched on in an `async with`.

    It takes what lies in its socket, up to its buffer's size, for one segment, and acts on the first
    thing that it knows there; after whatever it does it is busy for a while.

    Attributes:
        appliance: what it drives.
        actions: what it has made of each segment, oldest first.
        timers: the text of its timers, None before it has had them.
        boots: how often it has started.
        connections: how often it has connected.
        rom_version: what is running.
        flash: what an upgrade has written into the half that is not running.
    """

    def __init__(
        self,
        address: tuple[str, int],
        master_key: str,
        appliance: Appliance,
        *,
        activates: bool = False,
        busy: float = 0.02,
        beacon: float = 50.0,
        retry: float = 0.05,
        http_port: int = 80,
    ) -> None:
        """Prepare a device for the server at `address`.

        Args:
            address: host and port of the device server.
            master_key: the key in its flash.
            appliance: what it drives.
            activates: whether it is new, and begins each connection until then by activating.
            busy: seconds until it reads again after it has done something.
            beacon: seconds without a byte until it sends a ping (protocol.md §5).
            retry: seconds until it connects again; a real one waits a second.
            http_port: where it fetches firmware from the same host; a real one knows no other than 80.
        """
        self._address = address
        self._key = master_key
        self.appliance = appliance
        self._activated = not activates
        self._active_nonce = 0
        self._busy = busy
        self._beacon = beacon
        self._retry = retry
        self.actions: list[str] = []
        self.timers: str | None = None
        self.boots = 0
        self.connections = 0
        self.rom_version = appliance.rom_version
        self.flash = b""
        self._running = 1
        """Which half of the flash it runs from."""
        self._new_version = ""
        """What the other half holds."""
        self._download_address = address[0], http_port
        self._download: asyncio.Task[None] | None = None
        self._socket: socket.socket | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Switch it on."""
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Switch it off; no test passes with a device that has crashed."""
        assert self._task is not None
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        if self._download is not None:
            self._download.cancel()
            with suppress(asyncio.CancelledError):
                await self._download

    def disconnect(self) -> None:
        """Lose the connection; it comes back by itself."""
        if self._socket is not None:
            self._socket.shutdown(socket.SHUT_RDWR)

    async def _run(self) -> None:
        self.boots += 1
        while True:
            with suppress(OSError):
                await self._connect()
            await asyncio.sleep(self._retry)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        with socket.socket() as connection:
            connection.setblocking(False)
            await loop.sock_connect(connection, self._address)
            self._socket = connection
            self.connections += 1
            try:
                await self._introduce()
                await self._serve(connection)
            finally:
                self._socket = None

    async def _introduce(self) -> None:
        if self._activated:
            await self._identify()
        else:
            self._active_nonce = _ACTIVE_NONCE
            await self._send(
                b'{"nonce": %d, "path": "/v1/device/activate/", "method": "POST", '
                b'"body": {"encrypt_method": "PLAIN", "token": "%b", '
                b'"bssid": "18:fe:34:00:00:01","rom_version":"%b"}, '
                b'"meta": {"Authorization": "token %b"}}\n'
                % (
                    _ACTIVE_NONCE,
                    _TOKEN.encode(),
                    self.rom_version.encode(),
                    self._key.encode(),
                )
            )

    async def _serve(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            # What arrives meanwhile becomes one segment.
            await asyncio.sleep(self._busy)
            try:
                async with asyncio.timeout(self._beacon):
                    segment = await loop.sock_recv(connection, parser.FIRMWARE_BUFFER)
            except TimeoutError:
                await self._ping()
                continue
            if not segment:
                return
            if not await self._act(segment):
                return

    async def _act(self, segment: bytes) -> bool:
        """Do what the first match says, nothing else; return whether the connection goes on."""
        action = parser.first_match(segment, self._active_nonce)
        self.actions.append(action)
        match action:
            case "activated":
                self._activated, self._active_nonce = True, 0
                await self._identify()
            case "fetch timers":
                await self._fetch_timers(segment)
            case "timers":
                self.timers = parser.timers_text(segment)
            case "push":
                if parser.method(segment) == "POST":
                    self.appliance.set(segment)
                await self._send(self.appliance.answer(parser.nonce(segment)))
            case "upgrade":
                await self._acknowledge(segment)
                version = parser.upgrade_version(segment)
                self._download = asyncio.create_task(self._upgrade(version))
            case "reboot":
                # It is gone before it could answer.
                self.boots += 1
                if self._new_version:
                    self.rom_version, self._new_version = self._new_version, ""
                    self._running = self._free
                return False
        return True

    @property
    def _free(self) -> int:
        return 3 - self._running

    async def _upgrade(self, version: str) -> None:
        """Write the image for the free half of the flash, and tell how it went (§3.7)."""
        filename = f"user{self._free}.bin"
        self._new_version, action = "", "device_upgrade_failed"
        with suppress(OSError, TimeoutError, upgrade.UpgradeError):
            self.flash = await upgrade.fetch(
                self._download_address, self._key, version, filename
            )
            self._new_version, action = version, "device_upgrade_success"
        await self._send(
            b'{"path": "/v1/messages/", "method": "POST", '
            b'"meta": {"Authorization": "token %b"},"get":{"action":"%b"},'
            b'"body":{"pre_rom_version":"%b","rom_version":"%b"}}\n'
            % (
                self._key.encode(),
                action.encode(),
                self.rom_version.encode(),
                version.encode(),
            )
        )

    async def _identify(self) -> None:
        await self._send(
            b'{"nonce": %d, "path": "/v1/device/identify", "method": "GET", '
            b'"meta": {"Authorization": "token %b"}}\n'
            % (_IDENTIFY_NONCE, self._key.encode())
        )

    async def _fetch_timers(self, segment: bytes) -> None:
        """Ask for the timers: after identify, and when a push says that they have changed."""
        if b'"method": ' in segment:
            await self._acknowledge(segment)
        await self._send(
            b'{"body": {}, "get": {"is_humanize_format_simple": "true"}, '
            b'"meta": {"Authorization": "Token %b"}, "path": "/v1/device/timers/", '
            b'"post": {}, "method": "GET"}\n' % self._key.encode()
        )

    async def _acknowledge(self, segment: bytes) -> None:
        await self._send(
            b'{"status": 200, "nonce": %d, "deliver_to_device": true}\n'
            % parser.nonce(segment)
        )

    async def _ping(self) -> None:
        await self._send(
            b'{"path": "/v1/ping/", "method": "POST", '
            b'"meta": {"Authorization": "token %b"}}\n' % self._key.encode()
        )

    async def _send(self, frame: bytes) -> None:
        assert self._socket is not None
        await asyncio.get_running_loop().sock_sendall(self._socket, frame)
