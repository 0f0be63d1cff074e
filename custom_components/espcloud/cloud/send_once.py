"""HTTP requests that are sent once, and withdrawn when they are given up."""

import asyncio
import socket
import struct

import aiohttp
from aiohttp.connector import Connection

from .errors import CannotConnectError


async def send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Send a request no second time, and nothing of it once it was given up.

    aiohttp repeats a GET whose connection broke before the answer. That is right for a
    question, but a command may have been carried out already.
    """
    send = request.send
    transport: asyncio.Transport | None = None

    async def send_and_note(conn: Connection) -> aiohttp.ClientResponse:
        nonlocal transport
        transport = conn.transport
        return await send(conn)

    # aiohttp hands out the connection of a request that has no answer yet to nobody.
    request.send = send_and_note  # type: ignore[method-assign]  # as said
    try:
        return await handler(request)
    except asyncio.CancelledError, TimeoutError:
        # The time is up, or nobody waits any more.
        if transport is not None:
            _reset(transport)
        raise
    except aiohttp.ClientConnectorError:
        # Nothing was sent, and aiohttp leaves it at that.
        raise
    except aiohttp.ClientOSError as err:
        # Not an error of aiohttp's any more, so it is not repeated.
        raise not_reached(err) from err
    except aiohttp.ServerDisconnectedError as err:
        # Without the cause: it shows what came of the answer's head.
        raise not_reached(err) from None


def _reset(transport: asyncio.Transport) -> None:
    """End a connection so that what the network has not delivered never arrives.

    A socket that is closed goes on sending for minutes what is still in it: over a hole
    in the network a command would be carried out after it was said to have failed.
    """
    sock: socket.socket | None = transport.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def not_reached(err: Exception) -> CannotConnectError:
    """Return an error that names what kept a request from the cloud."""
    return CannotConnectError(f"the cloud was not reached ({type(err).__name__})")
