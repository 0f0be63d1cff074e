"""The pushes to one connected device, one at a time."""

import asyncio
from collections import deque
import secrets
from typing import Protocol

from .errors import ApiError, device_busy, peer_disconnected
from .wire import JsonObject, encode

_LARGEST_NONCE = 2**31 - 1
"""Firmware reads at most ten digits into a signed number (protocol.md §3.9, 5)."""


_LEAST_TIME_LEFT = 0.2
"""The part of its time that a push has to have left when its turn comes."""


class Wire(Protocol):
    """What a device's frames go out on."""

    written: int
    """How many bytes were sent so far; a place in the stream."""

    def send(self, frame: bytes) -> None:
        """Send one frame, given without its newline."""

    def has_delivered(self, place: int) -> bool:
        """Say whether the device has what was sent up to this place; costs a system call."""

    def drop(self, reason: str) -> None:
        """Reset the connection and log why; the outbox is closed on the way."""


class _Push:
    """A push that waits for its turn or for its answer."""

    __slots__ = ("answer", "deadline", "frame", "nonce", "place")

    def __init__(
        self, frame: JsonObject, answer: asyncio.Future[JsonObject], deadline: float
    ) -> None:
        self.frame = frame
        self.answer = answer
        self.deadline = deadline
        self.nonce = 0
        self.place = 0

    def fail(self, error: ApiError) -> None:
        """Tell whoever waits; a caller that was cancelled does not."""
        if not self.answer.done():
            self.answer.set_exception(error)


class Outbox:
    """Sends pushes to one device and matches its answers to them.

    Firmware acts on the first thing it finds in a segment, so the next push goes out only when the
    last one was answered or given up (protocol.md §3.9, 8).
    """

    def __init__(self, wire: Wire, *, timeout: float, limit: int) -> None:
        """Send on `wire`; give a push up `timeout` seconds after it came; queue up to `limit`."""
        self._wire = wire
        self._timeout = timeout
        self._limit = limit
        self._current: _Push | None = None
        self._current_timer: asyncio.TimerHandle | None = None
        self._waiting: deque[_Push] = deque()

    def push(self, frame: JsonObject) -> asyncio.Future[JsonObject]:
        """Send a frame, its nonce added, when its turn comes; the future gets the device's answer.

        The future raises ApiError: 404 when the device leaves, 500 when it does not answer in time,
        the wait for its turn included, so that no caller waits longer than `timeout`. A push whose
        time is nearly over before its turn is never sent. One that was sent and has not reached the
        device when it is given up ends the connection, and gets 404: it must not arrive when its
        sender was told that it failed. Raises ApiError 500 at once where too many wait already.
        """
        if len(self._waiting) >= self._limit:
            raise device_busy()
        loop = asyncio.get_running_loop()
        push = _Push(frame, loop.create_future(), loop.time() + self._timeout)
        if self._current is None:
            self._start(push)
        else:
            self._waiting.append(push)
        return push.answer

    def take_answer(self, frame: JsonObject) -> None:
        """Hand a device's answer to whoever waits for it; a late or unknown one is nobody's."""
        push = self._current
        if push is None or frame.get("nonce") != push.nonce:
            return
        if not push.answer.done():
            push.answer.set_result(frame)
        self._next()

    @property
    def is_undelivered(self) -> bool:
        """Whether a push that nobody has answered has not even reached the device."""
        return self._current is not None and not self._wire.has_delivered(
            self._current.place
        )

    def close(self) -> None:
        """Give every push up: the device is gone, and nobody will push to it here any more."""
        given_up = list(self._waiting)
        self._waiting.clear()
        if self._current is not None:
            given_up.insert(0, self._current)
            self._next()
        for push in given_up:
            push.fail(peer_disconnected())

    def _start(self, push: _Push) -> None:
        self._current = push
        self._current_timer = asyncio.get_running_loop().call_at(
            push.deadline, self._give_up, push
        )
        push.nonce = 1 + secrets.randbelow(_LARGEST_NONCE)
        self._wire.send(encode({**push.frame, "nonce": push.nonce}))
        push.place = self._wire.written

    def _give_up(self, push: _Push) -> None:
        if self.is_undelivered:
            self._wire.drop("a push did not reach it in time")
            return
        push.fail(device_busy())
        self._next()

    def _next(self) -> None:
        """Send what waits longest and still has time enough for an answer.

        The others are told now that the device is busy: a push that nobody waits for any more
        would still switch the lamp. All deadlines lie in the order of the pushes, so only the
        current one needs a timer.
        """
        assert self._current_timer is not None
        self._current_timer.cancel()
        self._current = None
        earliest = asyncio.get_running_loop().time() + self._timeout * _LEAST_TIME_LEFT
        while self._waiting:
            push = self._waiting.popleft()
            if push.deadline >= earliest:
                self._start(push)
                return
            push.fail(device_busy())
