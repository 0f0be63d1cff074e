"""The pushes to one connected device, one at a time."""

import asyncio
from collections import deque
from collections.abc import Callable
import secrets

from .errors import ApiError, device_busy, peer_disconnected
from .wire import JsonObject, encode

_LARGEST_NONCE = 2**31 - 1
"""Firmware reads at most ten digits into a signed number (protocol.md §3.9, 5)."""


_LEAST_TIME_LEFT = 0.2
"""The part of its time that a push has to have left when its turn comes."""


class _Push:
    """A push that waits for its turn or for its answer."""

    __slots__ = ("answer", "frame", "nonce", "timer")

    def __init__(self, frame: JsonObject, answer: asyncio.Future[JsonObject]) -> None:
        self.frame = frame
        self.answer = answer
        self.nonce = 0
        self.timer: asyncio.TimerHandle


class Outbox:
    """Sends pushes to one device and matches its answers to them.

    Firmware acts on the first thing it finds in a segment, so the next push goes out only when the
    last one was answered or given up (protocol.md §3.9, 8).
    """

    def __init__(
        self, send: Callable[[bytes], None], *, timeout: float, limit: int
    ) -> None:
        """Send with `send`; give a push up `timeout` seconds after it came; queue up to `limit`."""
        self._send = send
        self._timeout = timeout
        self._limit = limit
        self._current: _Push | None = None
        self._waiting: deque[_Push] = deque()
        self._closed = False

    def push(self, frame: JsonObject) -> asyncio.Future[JsonObject]:
        """Send a frame, its nonce added, when its turn comes; the future gets the device's answer.

        The future raises ApiError: 404 when the device leaves, 500 when it does not answer in time,
        the wait for its turn included, so that no caller waits longer than `timeout`. A push whose
        time is nearly over before its turn is never sent. Raises ApiError 404 or 500 at once where the
        device has left, or has too many waiting.
        """
        if self._closed:
            raise peer_disconnected()
        if len(self._waiting) >= self._limit:
            raise device_busy()
        loop = asyncio.get_running_loop()
        push = _Push(frame, loop.create_future())
        push.timer = loop.call_later(self._timeout, self._give_up, push)
        if self._current is None:
            self._start(push)
        else:
            self._waiting.append(push)
        return push.answer

    def take_answer(self, frame: JsonObject) -> bool:
        """Hand a device's answer to whoever waits for it; a late or unknown one gives False."""
        push = self._current
        if push is None or frame.get("nonce") != push.nonce:
            return False
        push.timer.cancel()
        if not push.answer.done():
            push.answer.set_result(frame)
        self._next()
        return True

    def close(self) -> None:
        """Give every push up: the device is gone."""
        self._closed = True
        pushes = [*([self._current] if self._current else []), *self._waiting]
        self._current = None
        self._waiting.clear()
        for push in pushes:
            self._fail(push, peer_disconnected())

    def _start(self, push: _Push) -> None:
        self._current = push
        push.nonce = 1 + secrets.randbelow(_LARGEST_NONCE)
        self._send(encode({**push.frame, "nonce": push.nonce}))

    def _next(self) -> None:
        """Send what waits longest and still has time enough for an answer.

        The others are told now that the device is busy: a push that nobody waits for any more
        would still switch the lamp.
        """
        self._current = None
        now = asyncio.get_running_loop().time()
        while self._waiting:
            push = self._waiting.popleft()
            if push.timer.when() - now >= self._timeout * _LEAST_TIME_LEFT:
                self._start(push)
                return
            self._fail(push, device_busy())

    def _give_up(self, push: _Push) -> None:
        self._fail(push, device_busy())
        if push is self._current:
            self._next()
        else:
            self._waiting.remove(push)

    @staticmethod
    def _fail(push: _Push, error: ApiError) -> None:
        push.timer.cancel()
        if not push.answer.done():
            push.answer.set_exception(error)
