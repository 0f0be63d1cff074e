"""Accepting connections, and refusing them while there are still files to open."""

import asyncio
from collections.abc import Callable
import logging
import os
import resource
import socket
import ssl
import sys
import time

from .limits import Limits

_LOGGER = logging.getLogger(__name__)

_BACKLOG = 1024
_KEPT = 64
"""Open files for the state file and the like."""
_AT_LEAST = 32
"""Open files up to which everybody is let in, whatever the limit."""
_SILENCE = 60.0
"""Seconds between two lines in the log."""


def backlog() -> int:
    """Return how many may wait at a port; asyncio takes in as many at a time, before it asks here."""
    return min(_BACKLOG, _most_files() // 8)


def _most_files() -> int:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit


class Admission:
    """Guards the limit of open files for both ports.

    Were it reached, asyncio would try to accept, fail, and log it thousands of times a second, more
    each time.
    """

    def __init__(self) -> None:
        """Begin with nothing refused."""
        self._full = False
        self._said_at = -_SILENCE

    async def listen(
        self,
        make_connection: Callable[[], asyncio.BaseProtocol],
        sock: socket.socket,
        *,
        ssl_context: ssl.SSLContext | None,
        limits: Limits,
    ) -> asyncio.Server:
        """Return what makes a connection of whoever is admitted at a socket, once it serves."""

        def let_in() -> asyncio.BaseProtocol:
            self.admit()
            return make_connection()

        return await asyncio.get_running_loop().create_server(
            let_in,
            sock=sock,
            ssl=ssl_context,
            ssl_handshake_timeout=limits.tls_handshake if ssl_context else None,
            ssl_shutdown_timeout=limits.unread if ssl_context else None,
            backlog=backlog(),
            start_serving=False,
        )

    def admit(self) -> None:
        """Raise ConnectionRefusedError, upon which asyncio drops the connection, if it is one too many."""
        if not self._full:
            # Both ports may take in a whole backlog before the first of them gets here.
            most = _most_files() - 2 * (backlog() + 1) - _KEPT
            # The system gives out the lowest number that is free.
            lowest_free = os.open(os.devnull, os.O_RDONLY)
            os.close(lowest_free)
            if lowest_free < max(most, _AT_LEAST):
                return
            # Those that were let in together are refused together: the number that the first one
            # leaves free says nothing of how many there are.
            self._full = True
            asyncio.get_running_loop().call_soon(self._look_again)
            self._say(lowest_free)
        raise ConnectionRefusedError

    def _look_again(self) -> None:
        self._full = False

    def _say(self, files: int) -> None:
        now = time.monotonic()
        if now - self._said_at >= _SILENCE:
            self._said_at = now
            _LOGGER.warning("Connections are refused: %d files are open", files)
