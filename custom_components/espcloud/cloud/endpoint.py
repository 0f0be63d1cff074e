"""Where the device socket is, how long it may take, and the way there."""

import asyncio
from dataclasses import dataclass
import socket
import ssl

from aiohappyeyeballs import start_connection


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the device socket is.

    Attributes:
        host: name or address.
        port: 8000 in clear, 8443 with TLS at the public cloud (protocol.md §1).
        ssl_context: a context for TLS, or None to speak in clear. It is only used,
            never changed: it may be shared.
    """

    host: str
    port: int
    ssl_context: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """The socket's deadlines, all in seconds.

    Attributes:
        connect: for the TCP connection and the TLS handshake.
        answer: for any answer of the cloud, a pong included.
        ping_after: a ping goes out after so long without a byte, or a little sooner.
            The cloud's own devices wait 50 (protocol.md §5); half of that notices a
            dead link sooner.
        stable: a connection that lived so long forgets earlier failures.
        taken_over: the shortest wait after the connection was taken over repeatedly.
    """

    connect: float = 10.0
    answer: float = 10.0
    ping_after: float = 25.0
    stable: float = 60.0
    taken_over: float = 300.0


async def open_socket(endpoint: Endpoint) -> socket.socket:
    """Return a socket that is connected to the endpoint; raises OSError, UnicodeError.

    A name may have an address that nobody answers at: IPv6 without a way out would eat
    up the whole time, attempt after attempt. (asyncio's own race of addresses leaves a
    socket behind when it is cancelled.)
    """
    loop = asyncio.get_running_loop()
    return await start_connection(
        await loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM),
        happy_eyeballs_delay=0.25,
        interleave=1,
    )
