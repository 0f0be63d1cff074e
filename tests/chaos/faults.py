"""How a connection may be received in a cloud's place."""

import asyncio
import socket
import struct

from .proxy import Fault

HTML = b"<html><body><h1>Something went wrong</h1></body></html>"


async def mute(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Accept, read, and say nothing until the other end gives up."""
    while await reader.read(65536):
        pass


async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept and close."""
    writer.close()


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept and reset."""
    writer.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )


def http(
    status: int, body: bytes = HTML, *, headers: str = "", length: int | None = None
) -> bytes:
    """Return an HTTP answer; `length` is what it claims, where that is a lie."""
    size = len(body) if length is None else length
    head = f"HTTP/1.1 {status} Whatever\r\n{headers}Content-Length: {size}\r\n\r\n"
    return head.encode() + body


def answer(text: bytes) -> Fault:
    """Answer the first thing that is said, whatever it is, and close."""

    async def fault(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(text)
        await writer.drain()
        writer.write_eof()
        # Reset instead, what was written could be lost.
        await mute(reader, writer)

    return fault


def trickle(text: bytes, pause: float) -> Fault:
    """Answer with a byte now and a byte then."""

    async def fault(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        for at in range(len(text)):
            writer.write(text[at : at + 1])
            await writer.drain()
            await asyncio.sleep(pause)

    return fault


def swallow_answer(upstream: int) -> Fault:
    """Let the cloud do what it is asked, and never tell."""

    async def fault(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", upstream)
        up_writer.write(await reader.read(65536))
        await up_reader.read(1)
        up_writer.transport.abort()
        await reset(reader, writer)

    return fault
