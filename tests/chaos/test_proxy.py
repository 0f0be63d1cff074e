"""The proxy does what the other tests rely on."""

import asyncio
from collections.abc import AsyncGenerator
from typing import override

import pytest

from .pieces import bytewise, split_at, twice
from .proxy import ChaosProxy


class _Ear(asyncio.Protocol):
    """Notes what it receives, reading by reading."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.changed = asyncio.Event()
        self.ended: Exception | bool | None = None
        self.transport: asyncio.Transport

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self.heard.append(data)
        self.changed.set()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = exc or True
        self.changed.set()

    async def until(self, text: bytes) -> None:
        """Wait until this has been received."""
        async with asyncio.timeout(5):
            while b"".join(self.heard) != text:
                self.changed.clear()
                await self.changed.wait()

    async def until_ended(self) -> None:
        """Wait for the end."""
        async with asyncio.timeout(5):
            while self.ended is None:
                self.changed.clear()
                await self.changed.wait()


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


@pytest.fixture
async def proxy(loopback: None) -> AsyncGenerator[ChaosProxy]:
    """Stand before an echo."""
    echo = await asyncio.start_server(_echo, "127.0.0.1", 0)
    proxy = ChaosProxy(echo.sockets[0].getsockname()[1])
    await proxy.start()
    yield proxy
    await proxy.close()
    echo.close()
    await echo.wait_closed()
    await asyncio.sleep(0)


async def _connect(proxy: ChaosProxy) -> _Ear:
    _, ear = await asyncio.get_running_loop().create_connection(
        _Ear, "127.0.0.1", proxy.port
    )
    return ear


async def test_pieces_arrive_as_pieces(proxy: ChaosProxy) -> None:
    """One byte a reading, or two pieces, or each line twice."""
    ear = await _connect(proxy)
    for shape, pieces in (
        (bytewise, [b"a", b"b", b"\n"]),
        (split_at(1), [b"a", b"b\n"]),
        (split_at(9), [b"ab\n"]),
        (twice, [b"ab\nab\n"]),
    ):
        proxy.shape = shape
        ear.heard.clear()
        ear.transport.write(b"ab\n")
        await ear.until(b"".join(pieces))
        assert ear.heard == pieces
    ear.transport.abort()


async def test_silence_keeps_what_gathers(proxy: ChaosProxy) -> None:
    """Both directions stand still with the socket open, then all comes in one piece."""
    ear = await _connect(proxy)
    proxy.freeze(up=False)
    ear.transport.write(b"one ")
    await asyncio.sleep(0.05)
    ear.transport.write(b"two")
    await asyncio.sleep(0.05)
    assert ear.heard == []
    assert ear.ended is None
    proxy.thaw()
    await ear.until(b"one two")
    assert ear.heard == [b"one two"]
    ear.transport.abort()


async def test_refused_cut_and_severed(proxy: ChaosProxy) -> None:
    """The port stays the proxy's own; a cut lets so many bytes through."""
    ear = await _connect(proxy)
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        await _connect(proxy)
    proxy.cut_after(2)
    ear.transport.write(b"abc")
    await ear.until_ended()
    assert ear.heard == [b"ab"]
    assert isinstance(ear.ended, ConnectionResetError)

    await proxy.listen()
    ear = await _connect(proxy)
    ear.transport.write(b"abc")
    await ear.until(b"abc")
    await proxy.empty()
    await ear.until_ended()
    assert isinstance(ear.ended, ConnectionResetError)
    assert len(proxy.arrivals) == 2
