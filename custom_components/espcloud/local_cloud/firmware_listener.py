"""A port from which devices fetch firmware, open only while they do (protocol.md §10.4)."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from .access import MASTER, Access
from .addresses import host_of, is_same
from .admission import Admission
from .api.roms import RomApi, named_version
from .errors import ApiError, peer_disconnected
from .http_server import HttpServer
from .limits import Limits
from .listeners import Callbacks
from .listening import usable_addresses
from .models import Device, Key
from .ports import service_ports
from .presence import Link, Presence
from .request import Answer, Request
from .roms import Roms, bin_not_found
from .router import Route, Router

PORT = 80
"""Firmware knows no other one (protocol.md §10.4, 1)."""

type OnProgress = Callable[[int, int], None]


class _Upgrade:
    """A device that is upgrading now."""

    def __init__(
        self, device: Device, version: str, link: Link, on_progress: OnProgress | None
    ) -> None:
        self.device = device
        self.version = version
        self.address = link.peer
        """Where its device connection comes from, or the last one did."""
        self._sent = 0
        self._listeners = Callbacks[int, int]()
        if on_progress is not None:
            self._listeners.add(on_progress)

    def served(self, sent: int, total: int) -> None:
        """Tell what has arrived, over whichever connection; never less than before."""
        if sent > self._sent:
            self._sent = sent
            self._listeners.tell(sent, total)


class _Port:
    """A server, and how many upgrades need it."""

    def __init__(self, server: HttpServer) -> None:
        self.server = server
        self.number = 0
        self.users = 0


class FirmwareListener:
    """Serves firmware to devices that are upgrading, each the version that it was told to fetch.

    Whatever else is asked for gets no answer at all: the connection ends. Firmware takes whatever stands
    behind a head for the file, an error with a body ends up in its flash, and of an answer without
    one it is not known what it does. A connection that ends is a download that failed: it says so to
    its cloud, and runs on as it is.
    """

    def __init__(
        self,
        *,
        access: Access,
        admission: Admission,
        api: RomApi,
        roms: Roms,
        presence: Presence,
        limits: Limits,
    ) -> None:
        """Hand out what `api` does, to devices whose connections are in `presence`."""
        self._admission = admission
        self._api = api
        self._roms = roms
        self._presence = presence
        self._limits = limits
        fetch = access.device(MASTER, self._fetch)
        self._router = Router([Route(("GET",), "/v1/device/rom/", fetch)])
        self._upgrades: dict[int, _Upgrade] = {}
        self._ports: dict[tuple[str, int], _Port] = {}
        self._lock = asyncio.Lock()
        """Held while a port opens."""

    @asynccontextmanager
    async def serving(
        self,
        device: Device,
        version: str,
        port: int = PORT,
        on_progress: OnProgress | None = None,
    ) -> AsyncGenerator[int]:
        """Let a device fetch a version meanwhile, and give the number of the port, which is open.

        The port is at the address that the device has its connection to. Several upgrades share it; it
        closes with the last one, and what is being sent ends with it. 0 is any free port, which no
        real device would find.

        `on_progress` is called with the bytes that have arrived at the device and those of the whole
        file, each time there are more. Of the two connections that RTOS opens the one that is further
        counts: after the first one, of some KB, it stands still until the second has caught up.

        Raises OSError where the port cannot be had, and ApiError: 404 for a device that is away or a
        version that is not complete, 409 for a device that is upgrading already.
        """
        if not self._roms.has(device, version):
            raise bin_not_found()
        link = self._presence.link(device)
        if link is None:
            raise peer_disconnected()
        if device.id in self._upgrades:
            raise ApiError(409, "the device is upgrading already")
        self._upgrades[device.id] = _Upgrade(device, version, link, on_progress)
        try:
            async with self._open(host_of(link.here), port) as number:
                yield number
        finally:
            del self._upgrades[device.id]

    @asynccontextmanager
    async def _open(self, host: str, port: int) -> AsyncGenerator[int]:
        """Have a port open; the first one opens it, the last one closes it."""
        async with self._lock:
            shared = self._ports.get((host, port))
            if shared is None:
                shared = _Port(self._server())
                ports = service_ports(port, None, None)
                number, _ = await ports.open(
                    shared.server, await usable_addresses([host])
                )
                await shared.server.serve()
                shared.number = number or 0
                self._ports[host, port] = shared
            shared.users += 1
        try:
            yield shared.number
        finally:
            shared.users -= 1
            if not shared.users and self._ports.get((host, port)) is shared:
                del self._ports[host, port]
                await shared.server.close()

    def _server(self) -> HttpServer:
        return HttpServer(
            self._router,
            self._admission,
            self._limits,
            knows=lambda token: False,
            is_silent=True,
        )

    async def close(self) -> None:
        """Close what is open still; who is inside `serving` finds that out by the device."""
        async with self._lock:
            while self._ports:
                _, shared = self._ports.popitem()
                await shared.server.close()

    def _fetch(self, request: Request, device: Device, key: Key) -> Answer:
        """Hand out a file to a device that is upgrading to its version, at its own address."""
        upgrade = self._upgrades.get(device.id)
        if upgrade is None:
            raise ApiError(403, "the device is not upgrading")
        # A device that fetches may be silent for longer than its connection is kept.
        if (link := self._presence.link(device)) is not None:
            upgrade.address = link.peer
        if (
            not is_same(request.peer, upgrade.address)
            or request.query.get("action") != "download_rom"
            or named_version(request) != upgrade.version
        ):
            raise ApiError(403, "this is not the device's upgrade")
        return self._api.file(request, device, upgrade.served)
