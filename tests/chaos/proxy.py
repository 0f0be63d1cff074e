"""A TCP proxy that misbehaves on demand."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
import socket
import struct

from .pieces import whole

type Fault = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Receives a connection in the cloud's place; when it returns, the connection ends."""

type Shape = Callable[[bytes], Iterable[bytes]]
"""Cuts what the cloud sends into the pieces that arrive."""

LOOPBACK = "127.0.0.1"


@dataclass(slots=True)
class _Link:
    """One connection through the proxy; `left` bytes may still come down."""

    down: asyncio.StreamWriter
    up: asyncio.StreamWriter | None = None
    left: int | None = None


class ChaosProxy:
    """Stands before one port of a cloud; "up" is towards the cloud.

    Attributes:
        port: where to connect; it stays the same and is kept while nobody listens.
        upstream: the port of the cloud behind it, for connections to come.
        fault: what receives a connection instead of the cloud, None to pass it on.
        shape: how what the cloud sends is cut up.
        delay: how many seconds late what the cloud sends is delivered.
        arrivals: when connections came, in the loop's time.
    """

    def __init__(self, upstream: int = 0) -> None:
        """Prepare; `start` listens."""
        self.port = 0
        self.upstream = upstream
        self.fault: Fault | None = None
        self.shape: Shape = whole
        self.delay = 0.0
        self.arrivals: list[float] = []
        self._links: dict[asyncio.Task[None], _Link] = {}
        self._up_flows, self._down_flows = asyncio.Event(), asyncio.Event()
        self._keeper = socket.socket()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Take a port and listen."""
        # It never listens: it keeps the port from others while connections are refused.
        self._keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._keeper.bind((LOOPBACK, 0))
        self.port = self._keeper.getsockname()[1]
        self.thaw()
        await self.listen()

    async def close(self) -> None:
        """End everything."""
        self.refuse()
        self.thaw()
        await self.empty()
        self._keeper.close()

    # Faults of the port

    async def listen(self) -> None:
        """Accept connections, again."""
        if self._server is not None:
            return
        self._server = await asyncio.start_server(
            self._serve, LOOPBACK, self.port, backlog=1024
        )

    def refuse(self) -> None:
        """Refuse new connections; those that are there stay."""
        if self._server is not None:
            self._server.close()
            self._server = None

    # Faults of the connections that are there

    def sever(self) -> None:
        """Reset every connection, at both ends."""
        for link in self._links.values():
            _reset(link.down)
            if link.up is not None:
                _reset(link.up)

    async def empty(self) -> None:
        """Reset every connection, and return when both ends know."""
        self.sever()
        if self._links:
            await asyncio.wait(self._links)
        # A connection that idles in a pool learns of it in one of the loop's next turns.
        for _ in range(3):
            await asyncio.sleep(0)

    def half_close(self, *, up: bool = False) -> None:
        """Say to one end of every connection that nothing more will come."""
        for link in self._links.values():
            writer = link.up if up else link.down
            if writer is not None and writer.can_write_eof():
                writer.write_eof()

    def freeze(self, *, up: bool = True, down: bool = True) -> None:
        """Deliver nothing any more, in one direction or both; every socket stays open."""
        if up:
            self._up_flows.clear()
        if down:
            self._down_flows.clear()

    def thaw(self) -> None:
        """Deliver again, what has gathered first."""
        self._up_flows.set()
        self._down_flows.set()

    def cut_after(self, size: int | None) -> None:
        """Reset each connection once this many more bytes have come down, None for never."""
        for link in self._links.values():
            link.left = size

    # How it works

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.arrivals.append(asyncio.get_running_loop().time())
        task = asyncio.current_task()
        assert task is not None
        link = self._links[task] = _Link(writer)
        try:
            if self.fault is not None:
                await self.fault(reader, writer)
            else:
                await self._pass_on(link, reader)
        except OSError:
            pass
        finally:
            del self._links[task]
            writer.transport.abort()
            if link.up is not None:
                link.up.transport.abort()

    async def _pass_on(self, link: _Link, reader: asyncio.StreamReader) -> None:
        up_reader, link.up = await asyncio.open_connection(LOOPBACK, self.upstream)
        pumps = [
            asyncio.create_task(self._pump_up(reader, link.up)),
            asyncio.create_task(self._pump_down(up_reader, link)),
        ]
        # One end that broke ends both; one that only said goodbye does not.
        done, pending = await asyncio.wait(pumps, return_when=asyncio.FIRST_EXCEPTION)
        for pump in pending:
            pump.cancel()
        await asyncio.gather(*done, *pending, return_exceptions=True)

    async def _pump_up(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(65536):
            await self._up_flows.wait()
            writer.write(data)
            await writer.drain()
        await self._up_flows.wait()
        writer.write_eof()

    async def _pump_down(self, reader: asyncio.StreamReader, link: _Link) -> None:
        while data := await reader.read(65536):
            if self.delay:
                await asyncio.sleep(self.delay)
            if not self._down_flows.is_set():
                await self._down_flows.wait()
                # What gathered meanwhile comes in one piece with it.
                data += await _at_hand(reader)
            for piece in self.shape(data):
                await self._deliver(piece, link)
        await self._down_flows.wait()
        link.down.write_eof()

    @staticmethod
    async def _deliver(piece: bytes, link: _Link) -> None:
        if link.left is not None:
            piece = piece[: link.left]
            link.left -= len(piece)
        link.down.write(piece)
        await link.down.drain()
        # The other end is in the same loop: it reads a turn later, before the next piece.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if link.left == 0:
            _reset(link.down)
            raise ConnectionAbortedError("cut")


async def _at_hand(reader: asyncio.StreamReader) -> bytes:
    """Return what has arrived already, without waiting for more."""
    read = asyncio.ensure_future(reader.read(1 << 20))
    await asyncio.sleep(0)
    read.cancel()
    await asyncio.wait([read])
    return b"" if read.cancelled() else read.result()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection without a goodbye."""
    if not writer.transport.is_closing():
        # Without lingering the close of the socket is a reset, not an orderly end.
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        writer.transport.abort()
