"""How much of a file the other side of a connection has."""

import asyncio
from collections.abc import Callable

from .undelivered import undelivered_bytes


class FileProgress:
    """Counts what the other side has confirmed, not what was given to the system to send.

    The system takes hundreds of KB at once, of which firmware reads a few KB at a time.
    """

    def __init__(
        self, transport: asyncio.Transport, tell: Callable[[int], None]
    ) -> None:
        """Count on a fresh answer; `tell` the bytes that have arrived, each time there are more."""
        self._transport = transport
        self._tell = tell
        self._written = 0
        self.sent = 0
        """Bytes of the file that have arrived."""

    def wrote(self, size: int) -> None:
        """Note that so many more bytes of the file are on their way."""
        self._written += size
        self.look()

    def look(self) -> None:
        """Ask the system, which tells nobody by itself; of a closed socket it knows nothing."""
        if self._transport.is_closing():
            return
        sent = self._written - undelivered_bytes(self._transport)
        if sent > self.sent:
            self.sent = sent
            self._tell(sent)
