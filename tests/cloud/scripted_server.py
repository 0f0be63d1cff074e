"""Tiny real servers for what no cloud should do: a test plays their part by hand."""

import asyncio
from collections.abc import Mapping
import json
import os
import socket
import ssl
import struct
from types import TracebackType
from typing import Any, Self

import psutil

from custom_components.espcloud.cloud import Endpoint

WAIT = 5.0
"""How long a test waits for what is sure to come."""

DEVICE = {
    "id": 301,
    "name": "Desk lamp",
    "serial": "0a1b2c3d",
    "ptype": 45772,
    "rom_version": "v1.0.5t45772(a)",
    "activate_status": 1,
}

# The states of TCP, as Linux counts them.
_ESTABLISHED = 1
_CLOSED = 7

type Frame = dict[str, Any]


class Peer:
    """The server's end of one connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Speak through these streams."""
        self._reader = reader
        self._writer = writer

    async def receive(self) -> Frame:
        """Wait for the next frame."""
        async with asyncio.timeout(WAIT):
            frame: Frame = json.loads(await self._reader.readuntil(b"\n"))
        return frame

    async def receive_head(self) -> str:
        """Wait for the head of an HTTP request."""
        async with asyncio.timeout(WAIT):
            return (await self._reader.readuntil(b"\r\n\r\n")).decode()

    def send(self, *frames: Mapping[str, Any] | bytes) -> None:
        """Send frames, or just bytes, in one segment."""
        self._writer.write(
            b"".join(
                frame
                if isinstance(frame, bytes)
                else json.dumps(frame).encode() + b"\n"
                for frame in frames
            )
        )

    async def send_all(self, data: bytes) -> None:
        """Send bytes and wait until the other end has taken nearly all of them."""
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self, answer: Mapping[str, Any]) -> Frame:
        """Wait for a request, answer it, and return it."""
        request = await self.receive()
        self.send({"status": 200, **answer, "nonce": request["nonce"]})
        return request

    async def identify(self) -> Frame:
        """Answer an identify as the cloud does, take the ping behind it, return the request."""
        request = await self.answer({"device": DEVICE})
        assert (await self.receive())["path"] == "/v1/ping/"
        return request

    def stop_reading(self) -> None:
        """Leave what comes in the socket."""
        transport = self._writer.transport
        assert isinstance(transport, asyncio.ReadTransport)
        transport.pause_reading()

    def resume_reading(self) -> None:
        """Take from the socket again."""
        transport = self._writer.transport
        assert isinstance(transport, asyncio.ReadTransport)
        transport.resume_reading()

    def write_eof(self) -> None:
        """Say that nothing more will come."""
        self._writer.write_eof()

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    def reset(self) -> None:
        """Break the connection off."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def wait_closed(self) -> bytes:
        """Wait until the other end has hung up, and return what came before that."""
        received = b""
        async with asyncio.timeout(WAIT):
            try:
                while chunk := await self._reader.read(65536):
                    received += chunk
            except ConnectionError:
                pass
        return received

    async def wait_reset(self) -> bool:
        """Wait until the other end has ended it; return whether that was a reset.

        What the system knows is asked, since TLS has a farewell of its own before it.
        """
        sock: socket.socket = self._writer.get_extra_info("socket")
        async with asyncio.timeout(WAIT):
            while True:
                (state, *_) = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
                if state != _ESTABLISHED:
                    return state == _CLOSED
                await asyncio.sleep(0.005)


class ScriptedServer:
    """Listens on a free port of loopback and hands every connection to the test."""

    def __init__(self, context: ssl.SSLContext | None = None, port: int = 0) -> None:
        """Listen on entering; `context` puts TLS on the port, 0 is any free one."""
        self._context = context
        self._arrived: asyncio.Queue[Peer] = asyncio.Queue()
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server
        self.connections = 0
        self.port = port

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", self.port, ssl=self._context, limit=1 << 24
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Hang up on everybody and stop listening."""
        self._server.close()
        self._server.abort_clients()
        for writer in self._writers:
            try:
                async with asyncio.timeout(WAIT):
                    await writer.wait_closed()
            except OSError:
                pass
        await self._server.wait_closed()

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens, as a device port in clear."""
        return Endpoint("127.0.0.1", self.port)

    @property
    def url(self) -> str:
        """Where it listens, as a web server."""
        return f"http://127.0.0.1:{self.port}"

    async def accept(self) -> Peer:
        """Wait for the next connection."""
        async with asyncio.timeout(WAIT):
            return await self._arrived.get()

    def _connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        self._writers.append(writer)
        self._arrived.put_nowait(Peer(reader, writer))


class DeafServer:
    """Listens, but its queue is full: whoever connects hears nothing, ever."""

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        """Listen on entering."""
        self._address = address, port
        self._sockets: list[socket.socket] = []
        self.port = 0

    def __enter__(self) -> Self:
        """Listen, and fill the queue."""
        server = socket.socket()
        self._sockets.append(server)
        server.bind(self._address)
        server.listen(0)
        self.port = server.getsockname()[1]
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            self._sockets.append(client)
            client.connect_ex(server.getsockname())
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        for each in self._sockets:
            each.close()

    @property
    def waiting(self) -> int:
        """How many sockets of this process wait to be let in, or are in its queue."""
        return client_sockets(self.port)

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens."""
        return Endpoint("127.0.0.1", self.port)


def http_answer(
    body: bytes | Mapping[str, Any],
    status: str = "200 OK",
    *headers: str,
    length: int | None = None,
) -> bytes:
    """Return an HTTP answer, byte for byte; `length` lies about the body's."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    head = [
        f"HTTP/1.1 {status}",
        f"Content-Length: {len(body) if length is None else length}",
        *headers,
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def client_sockets(port: int) -> int:
    """Return how many sockets of this process are connected, or connecting, to the port."""
    return sum(
        connection.raddr != () and connection.raddr.port == port
        for connection in psutil.Process(os.getpid()).net_connections("tcp4")
    )
