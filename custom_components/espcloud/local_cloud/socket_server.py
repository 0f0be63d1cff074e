"""What both servers have in common: the sockets they accept at, and who looks after connections."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Sequence
import socket
import ssl

from .admission import Admission
from .limits import Limits


class SocketServer(ABC):
    """Accepts connections at several ports, and drops those that only cost."""

    def __init__(self, admission: Admission, limits: Limits) -> None:
        """Let in whom `admission` lets in."""
        self._admission = admission
        self._limits = limits
        self._servers: list[asyncio.Server] = []
        self._sweep_timer: asyncio.TimerHandle | None = None

    @abstractmethod
    def connection(self) -> asyncio.Protocol:
        """Return the protocol of one more connection."""

    @abstractmethod
    def _drop_overdue(self) -> None:
        """Drop every connection whose time is over; one timer serves them all."""

    async def open(
        self, sockets: Sequence[socket.socket], ssl_context: ssl.SSLContext | None
    ) -> None:
        """Take sockets that listen at one more port; `serve` accepts at them."""
        self._servers += [
            await self._admission.listen(
                self.connection, sock, ssl_context=ssl_context, limits=self._limits
            )
            for sock in sockets
        ]

    async def serve(self) -> None:
        """Begin to accept, where there is a port."""
        for server in self._servers:
            await server.start_serving()
        if self._servers:
            self._sweep_later()

    def _stop_accepting(self) -> None:
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
        for server in self._servers:
            server.close()

    def _abort_clients(self) -> None:
        for server in self._servers:
            server.abort_clients()

    async def _wait_closed(self) -> None:
        for server in self._servers:
            await server.wait_closed()

    def _sweep(self) -> None:
        self._drop_overdue()
        self._sweep_later()

    def _sweep_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._sweep_timer = loop.call_later(self._limits.sweep, self._sweep)
