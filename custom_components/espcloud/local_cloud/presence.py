"""Which devices are connected now."""

import asyncio
from collections.abc import Callable
import logging
import time
from typing import Any, Protocol

from .listeners import DeviceConnected, DeviceDisconnected, KeyContested, Listeners
from .models import Device
from .outbox import Outbox
from .rivals import Rivals
from .wire import encode

_LOGGER = logging.getLogger(__name__)

GOODBYE = encode(
    {
        "message": "byebye, close by other peer login with same master key",
        "status": 200,
    }
)
"""What the one that goes of two connections with one key is told (protocol.md §3.2), sorted as all is."""
_OTHER = "another connection took its place"


class Link(Protocol):
    """One connection of the device server."""

    device: Device | None
    """The device that identified on it."""
    peer: str
    """The address of the other side."""
    here: tuple[Any, ...]
    """The address of this side, as the socket has it."""
    is_subscribed: bool
    """Whether it waits for messages (`mailboxes`), and may be silent as a device may."""
    stuck_since: float | None
    """Since when the peer has had to read before anything else happens."""

    @property
    def is_open(self) -> bool:
        """Whether it takes part in anything still."""

    outbox: Outbox

    def send(self, frame: bytes) -> None:
        """Send one frame, given without its newline."""

    def close(self, reason: str = ...) -> None:
        """End the connection once all that was sent is through; no more is read or answered."""

    def abort(self, reason: str = ...) -> None:
        """Reset the connection at once."""


class Presence:
    """The identified connection of each device, one at most, and who waits for a change of it."""

    def __init__(self, listeners: Listeners) -> None:
        """Start with nobody there; `listeners` hear who comes and goes."""
        self._listeners = listeners
        self._links: dict[int, Link] = {}
        self._arrivals: dict[int, int] = {}
        self._waiting: dict[int, set[asyncio.Future[None]]] = {}
        self._rivals = Rivals(time.monotonic)
        self.on_leave: Callable[[Device], None] = lambda device: None
        """Called when a device's connection has ended and no other one took its place."""
        self._newcomers: dict[int, tuple[Link, asyncio.Future[None]]] = {}
        """Who waits to take a device's place, one for each device."""

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
        self.leave(link, "it has identified as another device")
        link.device = device
        self._links[device.id] = link
        self._arrivals[device.id] = self.arrivals(device) + 1
        if older is not None:
            self._rivals.exchanged(device.id)
            self._say_gone(device, _OTHER)
            dismiss(older)
        if self._listeners:
            self._listeners.tell(DeviceConnected(device, link.peer))
        self._tell(device)

    def wait_for_place(self, device: Device, link: Link) -> float | None:
        """Return how many seconds a connection waits until it may arrive, None if it is refused.

        Nobody waits but who would throw another connection out, in a contest of two clients that
        both come back at once (protocol.md §10).
        """
        older = self._links.get(device.id)
        if older is None or older is link:
            return 0.0
        wait = None if device.id in self._newcomers else self._rivals.wait(device.id)
        if wait != 0.0 and self._rivals.is_news(device.id):
            _LOGGER.warning(
                "Device %d (%r): %s and %s throw each other out with the same master key; "
                "the newcomer has to wait",
                *(device.id, device.name, older.peer, link.peer),
            )
            if self._listeners:
                self._listeners.tell(KeyContested(device, (older.peer, link.peer)))
        return wait

    def place(self, device: Device, link: Link, seconds: float) -> asyncio.Future[None]:
        """Return what is done after so many seconds, or when the device's connection has left.

        Cancelled where `link` leaves meanwhile.
        """
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(seconds, _finish, turn)
        self._newcomers[device.id] = link, turn

        def forget(_: object) -> None:
            timer.cancel()
            del self._newcomers[device.id]

        turn.add_done_callback(forget)
        return turn

    def leave(self, link: Link, reason: str) -> None:
        """Note that a connection ended, and why; one that was thrown out changes nothing."""
        for newcomer, turn in self._newcomers.values():
            if newcomer is link:
                turn.cancel()
        device = link.device
        if device is not None and self._links.get(device.id) is link:
            del self._links[device.id]
            self._say_gone(device, reason)
            self.on_leave(device)
            if device.id in self._newcomers:
                _finish(self._newcomers[device.id][1])
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

    def _say_gone(self, device: Device, reason: str) -> None:
        if self._listeners:
            self._listeners.tell(DeviceDisconnected(device, reason))

    def _tell(self, device: Device) -> None:
        for change in self._waiting.pop(device.id, ()):
            _finish(change)


def dismiss(link: Link) -> None:
    """End a connection that has to leave the place to another one, and tell it so."""
    link.send(GOODBYE)
    link.close(_OTHER)


def _finish(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
