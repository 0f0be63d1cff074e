"""Who may connect to the device port."""

from collections import Counter
from collections.abc import Callable
import logging

from .addresses import is_local, network_of

_LOGGER = logging.getLogger(__name__)

_SILENCE = 60.0
"""Seconds between two lines in the log."""


class Peers:
    """Refuses peers from outside the local network, where it is for that alone, and too many of one address.

    Attributes:
        refused: how many connections were refused since the start.
    """

    def __init__(
        self, most: int, now: Callable[[], float], *, local_network_only: bool
    ) -> None:
        """Let in `most` connections of an address; read the time, in seconds, from `now`."""
        self.refused = 0
        self._most = most
        self._now = now
        self._local_network_only = local_network_only
        self._open = Counter[str]()
        self._said_at: float | None = None

    def admit(self, peer: str) -> bool:
        """Say whether one more connection of an address may stay, and count it."""
        if self._local_network_only and not is_local(peer):
            return self._refuse(f"{peer} is not in the local network")
        address = network_of(peer)
        if self._open[address] >= self._most:
            return self._refuse(f"{address} has {self._most} connections")
        self._open[address] += 1
        return True

    def left(self, peer: str) -> None:
        """Count that a connection which was admitted has ended."""
        address = network_of(peer)
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]

    def _refuse(self, reason: str) -> bool:
        self.refused += 1
        now = self._now()
        if self._said_at is None or now - self._said_at >= _SILENCE:
            self._said_at = now
            _LOGGER.warning(
                "Connections to the device port are refused, %d so far: %s",
                self.refused,
                reason,
            )
        return False
