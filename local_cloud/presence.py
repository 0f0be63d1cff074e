"""Which devices are connected now."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from .models import Device
from .outbox import Outbox
from .wire import encode

GOODBYE = encode(
    {
        "message": "byebye, close by other peer login with same master key",
        "status": 200,
    }
)
"""What the older of two connections with one key is told (protocol.md §3.2), sorted as all is."""


class Link(Protocol):
    """One connection of the device server."""

    device: Device | None
    """The device that identified on it."""
    outbox: Outbox

    def send(self, frame: bytes) -> None:
        """Send one frame, given without its newline."""

    def close(self) -> None:
        """End the connection once all that was sent is through; no more is read or answered."""

    def abort(self) -> None:
        """Reset the connection at once."""


class Presence:
    """The identified connection of each device, one at most, and who waits for a change of it."""

    def __init__(self) -> None:
        """Start with nobody there."""
        self._links: dict[int, Link] = {}
        self._arrivals: dict[int, int] = {}
        self._waiting: dict[int, set[asyncio.Future[None]]] = {}

    def link(self, device: Device) -> Link | None:
        """Return the device's connection."""
        return self._links.get(device.id)

    def arrivals(self, device: Device) -> int:
        """Return how many connections have identified as this device so far."""
        return self._arrivals.get(device.id, 0)

    def arrive(self, device: Device, link: Link) -> None:
        """Note that a connection has identified; an older one of the device is thrown out."""
        older = self._links.get(device.id)
        if older is link:
            return
        self.leave(link)
        link.device = device
        self._links[device.id] = link
        self._arrivals[device.id] = self.arrivals(device) + 1
        if older is not None:
            older.send(GOODBYE)
            older.close()
        self._tell(device)

    def leave(self, link: Link) -> None:
        """Note that a connection ended; one that was thrown out changes nothing."""
        device = link.device
        if device is not None and self._links.get(device.id) is link:
            del self._links[device.id]
            self._tell(device)

    async def wait(self, device: Device, happened: Callable[[], bool]) -> None:
        """Return when `happened` is true; asked now and after every change of this device."""
        while not happened():
            change = asyncio.get_running_loop().create_future()
            waiting = self._waiting.setdefault(device.id, set())
            waiting.add(change)
            try:
                await change
            finally:
                waiting.discard(change)

    def _tell(self, device: Device) -> None:
        for change in self._waiting.pop(device.id, ()):
            if not change.done():
                change.set_result(None)
