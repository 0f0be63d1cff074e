"""A connection whose other side is the fuzzer, and a loop that may keep nothing."""

import asyncio
import atexit
from collections.abc import Callable, Coroutine, Iterable
from functools import cache
import logging
import socket
from typing import Any, override

type Pieces = list[bytes]

_PATIENCE = 1000
"""Turns of the loop after which something will not happen any more."""


def cut(data: bytes) -> Pieces:
    """Return the input in pieces as long as its first byte says, 0 for a single one."""
    size, rest = data[0] if data else 0, data[1:]
    if not size:
        return [rest]
    return [rest[start : start + size] for start in range(0, len(rest), size)]


class Socket:
    """A socket of which nobody expects more than options."""

    family = socket.AF_UNIX

    def fileno(self) -> int:
        """Return the number of no open file."""
        return -1

    def setsockopt(self, *option: object) -> None:
        """Take an option."""


class Transport(asyncio.Transport):
    """A transport that keeps what is sent and delivers what it is told."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        """Connect."""
        super().__init__({"peername": ("192.0.2.1", 1), "socket": Socket()})
        self._protocol = protocol
        self._closing = False
        self._reading = True
        self.sent = bytearray()
        protocol.connection_made(self)

    async def deliver(self, pieces: Iterable[bytes]) -> bool:
        """Let the protocol receive, as long as it lives; return whether it goes on reading."""
        for piece in pieces:
            if not await happens(lambda: self._reading or self._closing):
                return False
            if self._closing:
                return True
            self._protocol.data_received(piece)
            await asyncio.sleep(0)
        return await happens(lambda: self._reading or self._closing)

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._closing:
            self.sent += data

    @override
    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol

    @override
    def close(self) -> None:
        if not self._closing:
            self._closing = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    @override
    def abort(self) -> None:
        self.close()

    @override
    def is_closing(self) -> bool:
        return self._closing

    @override
    def is_reading(self) -> bool:
        return self._reading

    @override
    def pause_reading(self) -> None:
        self._reading = False

    @override
    def resume_reading(self) -> None:
        self._reading = True

    @override
    def set_write_buffer_limits(
        self, high: int | None = None, low: int | None = None
    ) -> None:
        pass

    @override
    def get_write_buffer_size(self) -> int:
        return 0


async def happens(it: Callable[[], bool]) -> bool:
    """Let the loop turn until something has happened; return whether it ever does."""
    for _ in range(_PATIENCE):
        if it():
            return True
        await asyncio.sleep(0)
    return False


async def turns(count: int) -> None:
    """Let the loop turn so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


def run(attempt: Coroutine[Any, Any, None]) -> list[str]:
    """Run an attempt to its end, which may leave no task and no timer; return logged errors."""
    loop = _loop()
    _ERRORS.texts.clear()
    logging.getLogger().addHandler(_ERRORS)
    try:
        loop.run_until_complete(attempt)
        assert not asyncio.all_tasks(loop), "a task is left"
        timers = [each for each in loop._scheduled if not each.cancelled()]  # type: ignore[attr-defined]  # asyncio shows its timers nowhere else
        assert not timers, f"a timer is left: {timers}"
    finally:
        logging.getLogger().removeHandler(_ERRORS)
        # After a failure: the next attempt has to begin with nothing.
        for task in (left := asyncio.all_tasks(loop)):
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left))
    return list(_ERRORS.texts)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    atexit.register(loop.close)
    loop.set_exception_handler(lambda _, context: _ERRORS.texts.append(str(context)))
    return loop


class _Keeper(logging.Handler):
    """Keeps the errors that are logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


_ERRORS = _Keeper()
