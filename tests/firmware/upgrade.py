"""How firmware gets its successor: two requests, and what it makes of the segments (protocol.md §10.4)."""

import asyncio

from . import image
from .sockets import new_socket

_SEGMENT = 1460
_PATIENCE = 120.0
"""Seconds that it allows itself."""


class UpgradeError(Exception):
    """What came is nothing to boot from."""


async def fetch(
    address: tuple[str, int],
    key: str,
    version: str,
    filename: str,
    *,
    source: str = "",
) -> bytes:
    """Return an image. Raises UpgradeError.

    The first request is for the length alone, upon which the flash is erased; the second one is for
    all of it. It connects from the address `source`, or from any where that is empty.
    """
    request = (
        f"GET /v1/device/rom/?action=download_rom&version={version}&filename={filename} "
        f"HTTP/1.0\r\nHost: {address[0]}:{address[1]}\r\nConnection: close\r\n"
        "Cache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (Windows NT 5.1)\r\n"
        f"Accept: */*\r\nAuthorization: token {key}\r\n"
        "Accept-Encoding: gzip,deflate,sdch\r\nAccept-Language: zh-CN,zh;q=0.8\r\n\r\n"
    ).encode()
    async with asyncio.timeout(_PATIENCE):
        await _load(address, source, request, only_length=True)
        content = await _load(address, source, request)
    if not image.is_bootable(content):
        raise UpgradeError("the checksum is wrong")
    return content


async def _load(
    address: tuple[str, int], source: str, request: bytes, *, only_length: bool = False
) -> bytes:
    loop = asyncio.get_running_loop()
    content, length = b"", 0
    with new_socket(source) as connection:
        await loop.sock_connect(connection, address)
        # A string in C is sent with its end.
        await loop.sock_sendall(connection, request + b"\0")
        while not length or len(content) < length:
            segment = await loop.sock_recv(connection, _SEGMENT)
            if not segment:
                raise UpgradeError("it ends too early")
            if content:
                content += segment
                continue
            # Before it has a byte of the file, it takes each segment for the first one.
            length, content = _first_segment(segment)
            if only_length:
                return b""
    return content[:length]


def _first_segment(segment: bytes) -> tuple[int, bytes]:
    """Return the length that the head tells, and what of the file is behind it."""
    head, end, start = segment.partition(b"\r\n\r\n")
    _, found, rest = head.partition(b"Content-Length: ")
    digits, line_end, _ = (rest + end).partition(b"\r\n")
    if not (end and found and line_end and digits.isdigit()):
        raise UpgradeError("no head in the first segment")
    return int(digits), start
