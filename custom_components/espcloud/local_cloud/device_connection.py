"""One connection of the device server (protocol.md §3)."""

import asyncio
from collections.abc import Callable
import logging
import socket
import struct
import time
from typing import Any, Protocol, override

from .errors import ApiError, UnknownKeyError
from .frame_reader import FrameReader
from .frame_taps import FrameTaps
from .frames import LineBuffer, LineTooLongError, line, read_nonce, request_from_frame
from .limits import Limits
from .models import Device
from .outbox import Outbox
from .pending import PendingDevices
from .replies import Replies
from .request import Answer, LargeAnswer, Request
from .router import Router
from .standing import Standing
from .undelivered import size_on_wire, undelivered_bytes
from .wire import JsonObject

_LOGGER = logging.getLogger(__name__)

_QUIT = b"\x06"
_LINES_A_TURN = 64
"""Lines taken before the other connections have their turn: 256 KiB may hold 128 Ki of them."""
_MALFORMED: JsonObject = {"message": "malformed frame", "status": 400}
"""Firmware knows a refused frame by the status (protocol.md §2.2); the words are ours."""
_TIMERS = ("v1", "device", "timers")
_TOO_MANY: JsonObject = {"message": "too many frames without a key", "status": 429}


class ConnectionOwner(Protocol):
    """Whoever accepts connections and has to know which there are."""

    def opened(self, connection: DeviceConnection) -> bool:
        """Note a new connection, and say whether it may stay."""

    def left(self, connection: DeviceConnection, reason: str) -> None:
        """Note that a connection carries no device any more, and why."""

    def lost(self, connection: DeviceConnection) -> None:
        """Note the end of a connection."""

    def count_unread(self, connection: DeviceConnection) -> None:
        """Count what a connection has received of an unfinished line."""


class DeviceConnection(asyncio.Protocol):
    """Reads frames, answers requests, and carries the pushes of the device that identified."""

    def __init__(
        self,
        owner: ConnectionOwner,
        router: Router,
        *,
        taps: FrameTaps,
        pending: PendingDevices | None,
        heard: Callable[[Device], None],
        delivery_timeout: float,
        limits: Limits,
    ) -> None:
        """Hand requests to `router`, and tell `owner` how far this connection has come."""
        self._owner = owner
        self._router = router
        self._pending = pending
        self.is_pending = False
        """Whether it is kept though its key is unknown."""
        self.is_subscribed = False
        """Whether it waits for messages, which an app does without identifying."""
        self._taps = taps
        self._speaker: Device | None = None
        """Whose the last frame was, as far as somebody looks at frames."""
        self._heard = heard
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport  # there from connection_made on
        self._tls = False
        self.peer = ""
        self.here: tuple[Any, ...] = ()
        """The address of this side, as the socket has it."""
        self._standing = Standing(limits.early_frames)
        self._lines = LineBuffer(limits.early_line)
        self._frames = FrameReader(limits.early_line)
        self._unfinished_timer: asyncio.TimerHandle | None = None
        self._turn_is_due = False
        self._write_is_full = False
        self._answer_is_due = False
        """Whether an answer that may be large is on its way."""
        self._closing = False
        self.device: Device | None = None
        self.outbox = Outbox(self, timeout=delivery_timeout, limits=limits)
        self._replies = Replies(self._send_reply)
        self.written = 0
        self.opened_at = time.time()
        """Epoch seconds."""
        self.frames = 0
        """How many came."""
        self.heard_at = self._loop.time()
        """When something worth waiting for was last received."""
        self.stuck_since: float | None = None
        """Since when the peer has had to read before anything else happens."""

    @property
    def is_open(self) -> bool:
        """Whether it takes part in anything still."""
        return not self._closing

    @property
    def _must_wait(self) -> bool:
        """Whether further requests wait: for others' turn, for the peer to read, for an answer."""
        return self._turn_is_due or self._write_is_full or self._answer_is_due

    @property
    def unread_bytes(self) -> int:
        """What was received and is not a whole frame yet."""
        return len(self._lines) + len(self._frames)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; asyncio has switched the delay of small segments off (protocol.md §3.9, 8)."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=self._limits.write_buffer)
        self._tls = transport.get_extra_info("sslcontext") is not None
        address = transport.get_extra_info("peername")
        self.peer = str(address[0]) if address else ""
        self.here = transport.get_extra_info("sockname") or ()
        if not self._owner.opened(self):
            self._closing = True
            transport.abort()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """End; whoever waits for this device hears of it at once."""
        self._leave("closed by the device" if exc is None else "the connection broke")
        self._owner.lost(self)

    @override
    def data_received(self, data: bytes) -> None:
        """Take bytes in, however they were cut."""
        if self._closing:
            return
        self._lines.feed(data)
        if not self._must_wait:
            self._take_lines()

    @override
    def pause_writing(self) -> None:
        """Take no more requests from a peer that leaves its answers unread."""
        self._write_is_full = True
        self.stuck_since = self.stuck_since or self._loop.time()
        self._pace_reading()

    @override
    def resume_writing(self) -> None:
        """Go on, the peer has read."""
        self._write_is_full = False
        if not self._closing:
            self.stuck_since = None
            if not self._must_wait:
                self._take_lines()

    def send(self, frame: bytes) -> None:
        """Send one frame, in a segment of its own where the socket takes it at once."""
        if not self._closing:
            if self._taps:
                self._taps.sent(self.device or self._speaker, frame)
            data = line(frame)
            self.written += size_on_wire(data, tls=self._tls)
            self._transport.write(data)

    def has_delivered(self, place: int) -> bool:
        """Say whether the peer has what was sent up to this place; costs a system call."""
        return self.written - undelivered_bytes(self._transport) >= place

    def close(self, reason: str = "closed by the server") -> None:
        """End the connection once all that was sent is through; no more is read or answered.

        A push that has not reached the device does not get through any more: its sender is told now
        that the device is gone.
        """
        if self._closing:
            return
        if self.outbox.is_undelivered:
            self.abort(reason)
            return
        self._leave(reason)
        self.stuck_since = self._loop.time()
        self._transport.close()

    def abort(self, reason: str = "reset by the server") -> None:
        """Reset the connection at once."""
        self._leave(reason)
        # Without lingering the close of the socket is a reset, not an orderly end.
        self._transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self._transport.abort()

    def drop(
        self, reason: str, *, level: int = logging.INFO, resets: bool = True
    ) -> None:
        """End the connection, by a reset or once all is through, and log why and whose it was."""
        who = (
            self._standing.describe()
            if self.device is None
            else f"device {self.device.id}"
        )
        _LOGGER.log(
            level, "Device connection from %s dropped: %s (%s)", self.peer, reason, who
        )
        if resets:
            self.abort(reason)
        else:
            self.close(reason)

    async def finish(self) -> None:
        """Wait for answers that are under way, so that nothing is left behind."""
        await self._replies.finish()

    def _take_lines(self) -> None:
        """Handle whole lines for one turn; the rest waits for the next."""
        self._turn_is_due = False
        try:
            for _ in range(_LINES_A_TURN):
                if self._closing or self._must_wait:
                    break
                text = self._lines.next_line()
                if text is None:
                    if self._lines.ends_with(_QUIT):
                        self.close("the device quit")
                    break
                if text := text.strip():
                    self._take_line(text)
            else:
                self._turn_is_due = True
                self._loop.call_soon(self._take_lines)
        except LineTooLongError:
            self.drop("a line is too long")
        self._pace_reading()
        self._owner.count_unread(self)
        self.outbox.go_on()

    def _go_on(self, _: object) -> None:
        """Take further requests: a large answer has been sent."""
        self._answer_is_due = False
        if not self._closing and not self._must_wait:
            self._take_lines()

    def _pace_reading(self) -> None:
        """Read only while what was read can be handled."""
        if self._closing:
            return
        if self._must_wait:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _leave(self, reason: str) -> None:
        """Take no part any more, though the last bytes may still be on their way."""
        if self._closing:
            return
        self._closing = True
        self._lines.clear()
        self._frames.clear()
        self._await_rest()
        self._owner.count_unread(self)
        self._owner.left(self, reason)
        self.outbox.close()

    def _take_line(self, text: bytes) -> None:
        """Handle the frame that a line is, or that it ends."""
        for frame in self._frames.take(text):
            if self._closing:
                return
            self.frames += 1
            if not self._standing.allows_frame(self._loop.time()):
                self._replies.give(_TOO_MANY, None)
                self.drop("too many frames without a good key", resets=False)
            elif frame is None:
                self._replies.give(_MALFORMED, None)
            else:
                self._take_frame(frame)
        self._await_rest()

    def _await_rest(self) -> None:
        """Have one timer while an object is unfinished, and none otherwise."""
        if self._frames and self._unfinished_timer is None:
            self._unfinished_timer = self._loop.call_later(
                self._limits.unfinished_object, self._give_up_object
            )
        elif not self._frames and self._unfinished_timer is not None:
            self._unfinished_timer.cancel()
            self._unfinished_timer = None

    def _give_up_object(self) -> None:
        self._unfinished_timer = None
        self._frames.clear()
        self._replies.give(_MALFORMED, None)
        self._owner.count_unread(self)

    def _take_frame(self, frame: JsonObject) -> None:
        """Handle one frame: a request, or the answer to a push (protocol.md §3.1)."""
        if self._taps:
            self._speaker = self._taps.received(self.device, frame)
        if self.device is not None:
            self.heard_at = self._loop.time()
            self._heard(self.device)
            self.outbox.hear()
        elif self.is_subscribed:
            self.heard_at = self._loop.time()
        elif self.is_pending and self._pending is not None:
            self.heard_at = self._loop.time()
            self._pending.heard(self)
        if "path" not in frame and "nonce" in frame:
            self.outbox.take_answer(frame)
            return
        nonce: int | None = None
        try:
            nonce = read_nonce(frame)
            self._refuse_flood()
            answer = self._route(request_from_frame(frame, self.peer, self))
        except ApiError as error:
            self._replies.refuse(error, nonce)
        except Exception as error:  # noqa: BLE001 - `fail` logs it with its traceback
            self._replies.fail(error, nonce)
        else:
            if isinstance(answer, dict):
                self._replies.give(answer, nonce)
                return
            reply = self._replies.give_later(answer, nonce)
            if isinstance(answer, LargeAnswer):
                self._answer_is_due = True
                reply.add_done_callback(self._go_on)

    def _route(self, request: Request) -> Answer:
        """Have a request answered, and learn from it who the peer is."""
        if self.device is not None and request.segments == _TIMERS:
            self.outbox.is_spaced = True
        try:
            answer = self._router.handle(request)
        except ApiError as error:
            self._learn(request, error)
            raise
        self._learn(request, None)
        if request.authorized:
            self.heard_at = self._loop.time()
        return answer

    def _learn(self, request: Request, error: ApiError | None) -> None:
        if self._standing.is_known:
            return
        if self._standing.note(request, error):
            self._lines.limit = self._frames.limit = self._limits.line
            if self._pending is not None:
                self._pending.left(self)
        elif self._pending is not None and isinstance(error, UnknownKeyError):
            self._pending.refused(self, request)

    def _refuse_flood(self) -> None:
        if len(self._replies) >= self._limits.requests_at_once:
            raise ApiError(429, "too many requests at once")

    def _send_reply(self, frame: bytes) -> None:
        if not self._closing:
            self.outbox.reply(frame)
