"""The start of an HTTP connection, where firmware asks for its files in its own way."""

import asyncio
from collections.abc import Callable
from typing import override

from aiohttp import web

_DOWNLOAD = b"GET /v1/device/rom/?"
_BODY = (b"\r\ncontent-length", b"\r\ntransfer-encoding")
_MAX_HEAD = 8 << 10
"""Bytes of a head; that of firmware has some 500."""
_END = b"\r\n\r\n"


class HttpConnection(asyncio.Protocol):
    """Takes the NUL byte that firmware sends behind its request (protocol.md §10.4, 2).

    Everything goes to aiohttp as it comes, which answers 400 to that byte. So it is left out where
    it stands behind the first request of a connection, one for a file that has no body, and
    nothing behind it is read: where requests end is seen as everybody else sees it. A connection
    that begins in another way is aiohttp's own from then on.
    """

    def __init__(self, http: web.RequestHandler, at_end: Callable[[], None]) -> None:
        """Hand what comes to `http`; call `at_end` when nothing more comes, with the socket still there."""
        self._http = http
        self._at_end = at_end
        self._transport: asyncio.Transport  # there from connection_made on
        self._head = bytearray()
        """What has come so far."""
        self._is_over = False
        """Whether the NUL byte has come, behind which nothing counts."""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._http.connection_made(transport)

    @override
    def data_received(self, data: bytes) -> None:
        """Take bytes in, however they were cut."""
        if self._is_over:
            return
        known = len(self._head)
        self._head += data
        end = self._head.find(_END)
        size = len(self._head) if end < 0 else end + len(_END)
        if self._head[size : size + 1] == b"\0" and self._may_be_download(size):
            self._is_over = True
            data = data[: size - known]
            if not data:
                return
        elif len(self._head) > size or not self._may_be_download(size):
            self._transport.set_protocol(self._http)
        self._http.data_received(data)

    @override
    def eof_received(self) -> bool | None:
        """Hear that nothing more comes."""
        self._at_end()
        self._http.eof_received()
        return None

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._http.connection_lost(exc)

    @override
    def pause_writing(self) -> None:
        """Wait with the answer."""
        self._http.pause_writing()

    @override
    def resume_writing(self) -> None:
        """Go on with the answer."""
        self._http.resume_writing()

    def _may_be_download(self, size: int) -> bool:
        """Say whether this much of the head is, or begins, a request for a file."""
        head = bytes(self._head[:size])
        if size > _MAX_HEAD or not (
            head.startswith(_DOWNLOAD) or _DOWNLOAD.startswith(head)
        ):
            return False
        return not any(name in head.lower() for name in _BODY)
