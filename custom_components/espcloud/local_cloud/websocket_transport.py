"""A WebSocket in the shape of a transport, so that a device connection needs to know of no other."""

import asyncio
from collections import deque
from contextlib import suppress
from typing import override

from aiohttp import web

_EXTRA = ("socket", "peername", "sockname", "sslcontext")


class WebSocketTransport(asyncio.Transport):
    """Sends each write as one text message; what comes is read by whoever has made it."""

    def __init__(
        self,
        websocket: web.WebSocketResponse,
        transport: asyncio.Transport,
        protocol: asyncio.Protocol,
    ) -> None:
        """Send on `websocket`, which lies on `transport`, and tell `protocol` how that goes."""
        super().__init__({name: transport.get_extra_info(name) for name in _EXTRA})
        self._websocket = websocket
        self._transport = transport
        self._protocol = protocol
        self._waiting = deque[bytes]()
        self._size = 0
        """Bytes that the transport has not taken yet."""
        self._high = 64 << 10
        self._is_full = False
        self.is_closed_here = False
        """Whether it was closed from this side, which takes a while to be told and answered."""
        self._has_work = asyncio.Event()
        self._may_read = asyncio.Event()
        self._may_read.set()

    async def send(self) -> None:
        """Send what is written until it is closed, which is a part of WebSocket as well."""
        with suppress(ConnectionError):
            while not (self.is_closed_here and not self._waiting):
                await self._has_work.wait()
                self._has_work.clear()
                while self._waiting:
                    data = self._waiting.popleft()
                    await self._websocket.send_str(data.rstrip().decode())
                    self._size -= len(data)
                    if self._is_full and self._size <= self._high // 4:
                        self._is_full = False
                        self._protocol.resume_writing()
            await self._websocket.close()

    async def until_it_may_be_read(self) -> None:
        """Return when the protocol takes more."""
        await self._may_read.wait()

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send a frame, given with its newline, which a message does not need."""
        if self.is_closed_here:
            return
        self._waiting.append(bytes(data))
        self._size += len(data)
        self._has_work.set()
        if self._size > self._high and not self._is_full:
            self._is_full = True
            self._protocol.pause_writing()

    @override
    def get_write_buffer_size(self) -> int:
        """Return how many bytes wait here and in the transport below."""
        return self._size + self._transport.get_write_buffer_size()

    @override
    def set_write_buffer_limits(
        self, high: int | None = None, low: int | None = None
    ) -> None:
        """Set how many bytes may wait before the protocol is told to pause."""
        if high is not None:
            self._high = high

    @override
    def pause_reading(self) -> None:
        """Hand no more messages to the protocol."""
        self._may_read.clear()

    @override
    def resume_reading(self) -> None:
        """Hand messages to the protocol again."""
        self._may_read.set()

    @override
    def is_closing(self) -> bool:
        """Say whether it takes nothing more."""
        return self.is_closed_here or self._transport.is_closing()

    @override
    def close(self) -> None:
        """Close it once all that was written is sent."""
        self.is_closed_here = True
        self._has_work.set()
        self._may_read.set()

    @override
    def abort(self) -> None:
        """Reset the connection at once."""
        self.close()
        self._waiting.clear()
        self._transport.abort()
