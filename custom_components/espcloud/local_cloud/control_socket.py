"""How commands reach a cloud that runs: a Unix socket beside its state file, for its owner alone.

Who asks sends one JSON object as a line, and gets one back (`operator_requests`). Only the user whose
process runs the cloud can open the socket, so there is no password to it.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import logging
import os
from pathlib import Path
import socket

from .operator_requests import answer
from .server import LocalCloud
from .wire import JsonObject, NotAnObjectError, decode, encode

_LOGGER = logging.getLogger(__name__)

_PATIENCE = 30.0
"""Seconds for a request to come, or for an answer."""
_OTHERS = 0o077
"""What nobody but the owner may do."""


def control_path(state: Path) -> Path:
    """Return where the socket of the cloud with this state file is."""
    return state.with_name(f"{state.name}.control")


@asynccontextmanager
async def control_socket(cloud: LocalCloud, state: Path) -> AsyncGenerator[None]:
    """Answer commands for as long as the context lasts.

    Where the system has no such sockets, or allows no path so long, the cloud runs without.
    """
    path = control_path(state)
    try:
        sock = _listen(path)
    except (OSError, AttributeError) as error:
        _LOGGER.warning(
            "Commands cannot reach this cloud while it runs, at %s: %s", path, error
        )
        yield
        return
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        task.add_done_callback(connections.discard)
        try:
            async with asyncio.timeout(_PATIENCE):
                writer.write(encode(await _answer(cloud, await reader.readline())))
                writer.write(b"\n")
                await writer.drain()
        except (OSError, TimeoutError, ValueError) as error:
            _LOGGER.debug("A command was not answered: %s", error)
        finally:
            writer.close()

    server = await asyncio.start_unix_server(serve, sock=sock)
    try:
        yield
    finally:
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        path.unlink(missing_ok=True)


async def ask(state: Path, request: JsonObject) -> JsonObject | None:
    """Have the cloud that runs with this state file answer; None where none does.

    Raises OSError where the socket may not be opened, or where no answer comes.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(control_path(state))
    except FileNotFoundError, ConnectionRefusedError:
        return None
    try:
        async with asyncio.timeout(_PATIENCE):
            writer.write(encode(request) + b"\n")
            return decode(await reader.readline(), any_size=True)
    except NotAnObjectError:
        raise ConnectionAbortedError("the cloud ended before it answered") from None
    finally:
        writer.close()


def _listen(path: Path) -> socket.socket:
    """Return the socket, in place of one that a cloud left behind which was killed.

    The state file is ours, so no other cloud can be using it.
    """
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(_OTHERS)
    try:
        sock.bind(str(path))
    except BaseException:
        sock.close()
        raise
    finally:
        os.umask(before)
    return sock


async def _answer(cloud: LocalCloud, line: bytes) -> JsonObject:
    try:
        request = decode(line)
    except NotAnObjectError:
        return {"message": "a JSON object is wanted", "status": 400}
    return await answer(cloud, request)
