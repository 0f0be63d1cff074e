"""The server for devices: TCP, one JSON object a line (protocol.md §3)."""

import asyncio
from collections.abc import Callable, Collection
from functools import partial
import logging
from typing import override

from .admission import Admission
from .device_connection import DeviceConnection
from .frame_taps import FrameTaps
from .limits import Limits
from .mailboxes import Mailboxes
from .models import Device
from .peers import Peers
from .pending import PendingDevices
from .presence import Presence
from .router import Router
from .socket_server import SocketServer


class DeviceServer(SocketServer):
    """Listens for devices, and drops connections that only cost."""

    def __init__(
        self,
        router: Router,
        presence: Presence,
        mailboxes: Mailboxes,
        admission: Admission,
        *,
        peers: Peers,
        taps: FrameTaps,
        pending: PendingDevices | None,
        heard: Callable[[Device], None],
        delivery_timeout: float,
        limits: Limits,
    ) -> None:
        """Hand requests to `router`, tell `presence` who comes and goes, and `mailboxes` who goes.

        `admission` and `peers` say who may.
        """
        super().__init__(admission, limits)
        self._make_connection = partial(
            DeviceConnection,
            self,
            router,
            taps=taps,
            pending=pending,
            heard=heard,
            delivery_timeout=delivery_timeout,
            limits=limits,
        )
        self._pending = pending
        self._presence = presence
        self._mailboxes = mailboxes
        self._peers = peers
        self._connections: set[DeviceConnection] = set()
        self._unread: dict[DeviceConnection, int] = {}
        self._unread_total = 0
        self._all_lost = asyncio.Event()

    @override
    def connection(self) -> DeviceConnection:
        """Return the protocol of one more connection."""
        return self._make_connection()

    async def close(self) -> None:
        """Stop listening and end every connection; nothing is left behind."""
        self._stop_accepting()
        connections = list(self._connections)
        for connection in connections:
            connection.close("the server closes")
        try:
            async with asyncio.timeout(1):
                await self._until_all_lost()
        except TimeoutError:
            self._abort_clients()
            await self._until_all_lost()
        for connection in connections:
            await connection.finish()
        # A connection that is still in its TLS handshake is no connection of ours yet.
        self._abort_clients()
        await self._wait_closed()

    def connections(self) -> Collection[DeviceConnection]:
        """Return those that are open."""
        return self._connections

    def opened(self, connection: DeviceConnection) -> bool:
        """Note a new connection, and say whether it may stay."""
        if not self._peers.admit(connection.peer):
            return False
        self._connections.add(connection)
        return True

    def left(self, connection: DeviceConnection, reason: str) -> None:
        """Note that a connection carries no device any more, and why."""
        self._presence.leave(connection, reason)
        self._mailboxes.left(connection)
        if self._pending is not None:
            self._pending.left(connection)

    def lost(self, connection: DeviceConnection) -> None:
        """Note the end of a connection, which may be one that was refused."""
        if connection in self._connections:
            self._connections.remove(connection)
            self._peers.left(connection.peer)
        if not self._connections:
            self._all_lost.set()

    def count_unread(self, connection: DeviceConnection) -> None:
        """Keep all unfinished lines together below the limit: the longest one goes."""
        size = connection.unread_bytes
        known = self._unread.pop(connection, 0)
        if size:
            self._unread[connection] = size
        elif not known:
            return
        self._unread_total += size - known
        if self._unread_total > self._limits.partial_lines:
            longest = max(self._unread, key=lambda one: self._unread[one])
            longest.drop("too many unfinished lines", level=logging.WARNING)

    async def _until_all_lost(self) -> None:
        while self._connections:
            self._all_lost.clear()
            await self._all_lost.wait()

    @override
    def _drop_overdue(self) -> None:
        """Drop who is silent, or does not read."""
        now, limits = asyncio.get_running_loop().time(), self._limits
        for connection in list(self._connections):
            is_somebody = connection.device is not None or connection.is_subscribed
            silence = limits.silent if is_somebody else limits.unidentified
            if connection.stuck_since is not None:
                if now - connection.stuck_since > limits.unread:
                    connection.drop("it does not read")
            elif not connection.is_pending and now - connection.heard_at > silence:
                connection.drop(f"silent for {silence:g} seconds", resets=False)
        if self._pending is not None:
            self._pending.sweep()
