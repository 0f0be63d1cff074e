"""Devices with unknown keys: not served, but kept, so that somebody can take them in.

A device that another cloud activated years ago has nothing to say but its key (protocol.md §10.2,
10). From a private address its identify, its activation and the datapoints that it posts are refused
as everybody's are; yet its connection stays, and what it says is noted. One pushed GET, which
changes nothing, asks for its state, whose shape tells its kind (§10.2, 3). Taking the key in ends the
connection, and the device comes back by itself.

Nothing of it is stored, and nothing but that GET is delivered to it. It may say as much as anybody
without a good key: 64 frames of 4 KiB a minute.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
import re
import time
from typing import Protocol

from .addresses import is_local
from .errors import ApiError
from .limits import Limits
from .listeners import Listeners, PendingAppeared, PendingChanged, PendingGone
from .outbox import Outbox
from .pending_device import MAX_TEXT, PendingDevice, read_point, with_points
from .request import Request
from .times import DEFAULT_ZONE
from .wire import JsonObject

MAX_PENDING = 16
"""Devices that are pending at a time."""
MAX_OF_ADDRESS = 4
"""Of these, devices at one address; so there are no more connections either."""

_KEY = re.compile(r"[0-9a-f]{40}")
"""What a master key looks like; nothing else could be taken in."""
_PROBE: JsonObject = {
    "deliver_to_device": True,
    "get": {},
    # Pushes carry their sender's key (protocol.md §3.4); there is no sender.
    "meta": {"Authorization": f"token {'0' * 40}", "Time-Zone": DEFAULT_ZONE},
    "method": "GET",
    "path": "/v1/datastreams/state/datapoint/",
}
"""Firmware answers it with its state, whatever the name of the stream."""


class PendingLink(Protocol):
    """A connection of the device server."""

    peer: str
    outbox: Outbox
    is_pending: bool
    """Whether it is kept here, and may be silent for longer than others."""

    def drop(self, reason: str, *, resets: bool = ...) -> None:
        """End it, and log why."""

    def close(self, reason: str = ...) -> None:
        """End it."""


@dataclass(slots=True)
class _Entry:
    """A device, when it was last heard, and its connection where it has one."""

    device: PendingDevice
    heard_at: float
    is_told: bool = False
    link: PendingLink | None = None
    is_asked: bool = False
    """Whether it was asked for its state on that connection."""


class PendingDevices:
    """Those that there are now; a device is pending by its key, whether connected or not."""

    def __init__(
        self,
        listeners: Listeners,
        limits: Limits,
        is_ignored: Callable[[str], bool],
    ) -> None:
        """Tell `listeners` who appears, changes and goes; a key that `is_ignored` takes no place."""
        self._listeners = listeners
        self._limits = limits
        self._is_ignored = is_ignored
        self._entries: dict[str, _Entry] = {}
        self._keys: dict[PendingLink, str] = {}
        self.clock: Callable[[], float] = time.monotonic
        """The time in seconds; a test may put another clock here."""

    def devices(self) -> list[PendingDevice]:
        """Return them, the one that came first in front."""
        return [entry.device for entry in self._entries.values()]

    def refused(self, link: PendingLink, request: Request) -> None:
        """Note that a request on a connection was refused, for its key is unknown."""
        key = request.token
        if key is None or not _says_something(request):
            return
        entry = self._entries.get(key)
        if entry is None or entry.link is not link:
            if not self._may_stay(key, link.peer):
                return
            entry = self._attach(key, link)
        entry.heard_at = self.clock()
        self._change(entry, _with_words(entry.device, request))
        if request.segments[1] == "device" and entry.link is link:
            self._ask(entry, link)

    def heard(self, link: PendingLink) -> None:
        """Note that a frame came on a pending connection."""
        self._entries[self._keys[link]].heard_at = self.clock()

    def left(self, link: PendingLink) -> None:
        """Note that a connection has ended, or is somebody's; its device may come back."""
        link.is_pending = False
        key = self._keys.pop(link, None)
        if key is not None:
            self._entries[key].link = None

    def taken_in(self, key: str) -> None:
        """End the connection of a device whose key is known now; it comes back by itself."""
        self._remove(key, "taken in", lambda link: link.close("its key was taken in"))

    def sweep(self) -> None:
        """Drop those that were silent for too long, and let go of those that are ignored now."""
        oldest = self.clock() - self._limits.pending
        for key, entry in list(self._entries.items()):
            if entry.heard_at < oldest:
                reason = f"silent for {self._limits.pending:g} seconds"
                self._remove(key, reason, partial(_drop, reason))
            elif self._is_ignored(key):
                self._remove(key, "ignored", lambda link: None)

    def _may_stay(self, key: str, address: str) -> bool:
        """Say whether there is a place for a key at an address."""
        if (
            not _KEY.fullmatch(key)
            or not is_local(address)
            or self._is_ignored(key)
            or (key not in self._entries and len(self._entries) >= MAX_PENDING)
        ):
            return False
        others = [
            entry
            for other, entry in self._entries.items()
            if other != key and entry.device.address == address
        ]
        return len(others) < MAX_OF_ADDRESS

    def _attach(self, key: str, link: PendingLink) -> _Entry:
        """Keep a connection for a device; one that it had before is nobody's from now on."""
        self.left(link)
        entry = self._entries.setdefault(
            key, _Entry(PendingDevice(key=key, address=link.peer), self.clock())
        )
        if entry.link is not None:
            self.left(entry.link)
        entry.link = link
        entry.is_asked = False
        self._keys[link] = key
        link.is_pending = True
        return entry

    def _ask(self, entry: _Entry, link: PendingLink) -> None:
        """Ask for the state, once a connection, in a segment of its own (protocol.md §3.9, 8)."""
        if entry.device.state is None and not entry.is_asked:
            entry.is_asked = True
            link.outbox.is_spaced = True
            link.outbox.hold()
            answer = link.outbox.push(_PROBE)
            answer.add_done_callback(partial(self._answered, entry))

    def _answered(self, entry: _Entry, answer: asyncio.Future[JsonObject]) -> None:
        """Note the state; a device that does not answer may do so on its next connection."""
        if answer.cancelled() or isinstance(answer.exception(), ApiError):
            return
        state = read_point(answer.result().get("datapoint"))
        if state and entry.device.key in self._entries:
            self._change(entry, replace(entry.device, state=state))

    def _change(self, entry: _Entry, device: PendingDevice) -> None:
        """Replace what is known, and tell where that is new."""
        if not entry.is_told:
            entry.is_told = True
            entry.device = device
            self._tell(PendingAppeared(device))
        elif device != entry.device:
            entry.device = device
            self._tell(PendingChanged(device))

    def _remove(
        self, key: str, reason: str, end: Callable[[PendingLink], None]
    ) -> None:
        """Forget a device, tell why, and `end` its connection where it has one."""
        entry = self._entries.get(key)
        if entry is None:
            return
        link = entry.link
        if link is not None:
            self.left(link)
        del self._entries[key]
        self._tell(PendingGone(entry.device, reason))
        if link is not None:
            end(link)

    def _tell(self, event: PendingAppeared | PendingChanged | PendingGone) -> None:
        if self._listeners:
            self._listeners.tell(event)


def _says_something(request: Request) -> bool:
    """Say whether a request is what only a device sends: identify, activate, or a datapoint."""
    match request.segments:
        case ("v1", "device", "identify" | "activate"):
            return True
        case ("v1", "datastreams", _, "datapoint" | "datapoints"):
            return request.method == "POST" and not request.deliver
    return False


def _with_words(device: PendingDevice, request: Request) -> PendingDevice:
    """Return a device with what a request of it says."""
    body, address = request.body, request.peer
    match request.segments:
        case ("v1", "device", "activate"):
            bssid, rom_version = _text(body, "bssid"), _text(body, "rom_version")
            return replace(
                device, address=address, bssid=bssid, rom_version=rom_version
            )
        case ("v1", "datastreams", name, _):
            streams = with_points(device.streams, name, body)
            return replace(device, address=address, streams=streams)
    return replace(device, address=address)


def _text(body: JsonObject, name: str) -> str:
    value = body.get(name)
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _drop(reason: str, link: PendingLink) -> None:
    link.drop(reason, resets=False)
