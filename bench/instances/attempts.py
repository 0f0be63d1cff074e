"""How often an instance tries to connect."""

from collections import deque
import sys
from time import monotonic
from typing import Any


class Attempts:
    """Counts the connection attempts to a port, the refused ones too.

    Python itself reports each: what is counted is what reached the system.
    """

    def __init__(self) -> None:
        """Begin to listen; a hook of this kind cannot be taken away again."""
        self._port = 0
        self._peak = 0
        self._last_second: deque[float] = deque()
        sys.addaudithook(self._note)

    def watch(self, port: int) -> None:
        """Count what goes to this port."""
        self._port = port

    def take_peak(self) -> int:
        """Return the most attempts within any second so far, and begin anew."""
        peak, self._peak = self._peak, 0
        return peak

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "socket.connect" or not self._port:
            return
        _, address = arguments
        if not isinstance(address, tuple) or address[1] != self._port:
            return
        now = monotonic()
        self._last_second.append(now)
        while self._last_second[0] <= now - 1:
            self._last_second.popleft()
        self._peak = max(self._peak, len(self._last_second))
