"""A device with Espressif's firmware and its connection (protocol.md §3.2, §3.3, §3.6, §3.9)."""

import asyncio
from contextlib import suppress
import socket
from typing import Any, Unpack

from . import frames, parser, timers, upgrade
from .appliance import Appliance
from .builds import RTOS, Build
from .clock import MACHINE_CLOCK, Clock
from .device import Device, Identity


class Firmware(Device):
    """A device that keeps a connection while it has power.

    It takes what lies in its socket, up to its buffer's size, for one segment, and acts on the first
    thing that it knows there; after whatever it does it is busy for a while. What it drives keeps its
    state without power; timers are gone.

    Attributes:
        appliance: what it drives.
        actions: what it has made of each segment, oldest first.
        timers: the text of its timers, None before it has had them.
        rom_version: what is running.
        flash: what an upgrade has written into the half that is not running.
    """

    def __init__(
        self,
        address: tuple[str, int],
        master_key: str,
        appliance: Appliance,
        *,
        build: Build = RTOS,
        busy: float = 0.02,
        beacon: float = 50.0,
        retry: float = 0.05,
        http_port: int = 80,
        clock: Clock = MACHINE_CLOCK,
        **identity: Unpack[Identity],
    ) -> None:
        """Prepare a device for the server at `address`.

        Args:
            address: host and port of the device server.
            master_key: the key in its flash.
            appliance: what it drives.
            build: which firmware it has.
            busy: seconds until it reads again after it has done something.
            beacon: seconds without a byte until it sends a ping (protocol.md §5).
            retry: seconds until it connects again; a real one waits a second.
            http_port: where it fetches firmware from the same host; a real one knows no other than 80.
            clock: what its timers go by.
            **identity: see Identity.
        """
        super().__init__(address, master_key, **identity)
        self.appliance = appliance
        self._build = build
        self._active_nonce = 0
        self._busy = busy
        self._beacon = beacon
        self._retry = retry
        self._clock = clock
        self.actions: list[str] = []
        self.timers: str | None = None
        self._ticking: asyncio.Task[None] | None = None
        """Runs the timers."""
        self._awaits_pong = False
        self.rom_version = appliance.rom_version
        self.flash = b""
        self._running = 1
        """Which half of the flash it runs from."""
        self._new_version = ""
        """What the other half holds."""
        self._download_address = address[0], http_port

    @property
    def state(self) -> dict[str, Any]:
        """What can be seen of it from outside, and what its appliance shows."""
        return {
            **super().state,
            "rom_version": self.rom_version,
            "timers": self.timers,
            "appliance": self.appliance.state,
        }

    def press(self, button: int = 0) -> None:
        """Press a button of the appliance, which works without a connection but not without power."""
        if not self.is_on:
            raise ValueError("it has no power")
        self.appliance.press(button)

    async def _run(self) -> None:
        self._boot()
        while True:
            with suppress(OSError):
                await self._connect()
            await asyncio.sleep(self._retry)

    def _boot(self) -> None:
        self.boots += 1
        self._active_nonce = 0
        self._tick([], 0)
        self.timers = None

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        with self._new_socket() as connection:
            await loop.sock_connect(connection, self.address)
            self._socket = connection
            self.connections += 1
            self._awaits_pong = False
            try:
                await self._introduce()
                await self._serve(connection)
            finally:
                self._socket = None

    async def _introduce(self) -> None:
        if self._activated:
            await self._send(frames.identify(self.master_key))
        else:
            self._active_nonce = frames.ACTIVATE_NONCE
            await self._send(frames.activate(self, self.rom_version))

    async def _serve(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        held = b""
        while True:
            # What arrives meanwhile becomes one segment.
            await asyncio.sleep(self._busy)
            try:
                async with asyncio.timeout(self._beacon):
                    segment = await loop.sock_recv(connection, parser.FIRMWARE_BUFFER)
            except TimeoutError:
                if self._awaits_pong and self._build.misses_pongs:
                    return
                self._awaits_pong = True
                await self._send(frames.ping(self.master_key))
                continue
            if not segment:
                return
            held += segment
            if len(segment) == parser.HELD_SEGMENT:
                continue
            segment, held = held, b""
            if len(segment) <= parser.FIRMWARE_BUFFER and not await self._act(segment):
                return

    async def _act(self, segment: bytes) -> bool:
        """Do what the first match says, nothing else; return whether the connection goes on."""
        action = parser.first_match(segment, self._active_nonce)
        self.actions.append(action)
        match action:
            case "activated":
                self._activated, self._active_nonce = True, 0
                if self._build.restarts_activated:
                    self._boot()
                    return False
                await self._send(frames.identify(self.master_key))
            case "fetch timers":
                await self._fetch_timers(segment)
            case "timers":
                self.timers = parser.timers_text(segment)
                entries = timers.parse(self.timers, self._build.timer_entries)
                self._tick(entries, parser.timers_time(segment))
            case "push":
                if parser.method(segment) == "POST":
                    self.appliance.set(segment)
                await self._send(self.appliance.answer(parser.nonce(segment)))
            case "pong":
                self._awaits_pong = False
            case "upgrade":
                await self._acknowledge(segment)
                self._spawn(self._upgrade(parser.upgrade_version(segment)))
            case "reboot":
                # It is gone before it could answer.
                self._boot()
                if self._new_version:
                    # What it is called in the image, without what came from the push.
                    self.rom_version = self._new_version.partition('"')[0]
                    self._new_version = ""
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
                self._download_address,
                self.master_key,
                version,
                filename,
                source=self.source,
            )
            self._new_version, action = version, "device_upgrade_success"
        await self._send_later(
            frames.upgrade_message(self.master_key, action, self.rom_version, version)
        )

    def _tick(self, entries: list[timers.Entry], now: int) -> None:
        """Run these timers instead of those that it had."""
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
        if entries:
            self._ticking = self._spawn(
                timers.run(entries, now, self._clock, self.appliance.perform)
            )

    async def _fetch_timers(self, segment: bytes) -> None:
        """Ask for the timers: after identify, and when a push says that they have changed."""
        if b'"method": ' not in segment:
            await self._send(frames.timers(self.master_key))
            return
        await self._acknowledge(segment)
        if self._build.fetch_delay:
            self._spawn(self._fetch_later())
        else:
            await self._send(frames.timers(self.master_key))

    async def _fetch_later(self) -> None:
        connection = self._socket
        await self._clock.sleep(self._build.fetch_delay)
        if self._socket is connection:
            await self._send_later(frames.timers(self.master_key))

    async def _acknowledge(self, segment: bytes) -> None:
        await self._send(frames.acknowledgement(parser.nonce(segment)))

    async def _send_later(self, frame: bytes) -> None:
        """Send from beside the connection, which may have ended."""
        if self._socket is not None:
            with suppress(OSError):
                await self._send(frame)
