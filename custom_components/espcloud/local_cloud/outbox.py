"""What goes out to one connected device: pushes one at a time, and our replies between them."""

import asyncio
from collections import deque
import secrets
from typing import Protocol

from .errors import ApiError, device_busy, peer_disconnected
from .limits import Limits
from .sender_queue import SenderQueue
from .wire import JsonObject, encode

_LARGEST_NONCE = 2**31 - 1
"""Firmware reads at most ten digits into a signed number (protocol.md §3.9, 5)."""
_LEAST_TIME_LEFT = 0.2
"""The part of its time that a push has to have left when its turn comes."""
_SPACED_REPLIES = 16
"""Replies that may wait for their turn; who asks for more at once is no Espressif firmware."""


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

    __slots__ = ("answer", "deadline", "frame", "nonce", "place", "reboots")

    def __init__(
        self,
        frame: JsonObject,
        answer: asyncio.Future[JsonObject],
        deadline: float,
        *,
        reboots: bool,
    ) -> None:
        self.frame = frame
        self.answer = answer
        self.deadline = deadline
        self.reboots = reboots
        self.nonce = 0
        self.place = 0

    def succeed(self, answer: JsonObject) -> None:
        """Tell whoever waits; a caller that was cancelled does not."""
        if not self.answer.done():
            self.answer.set_result(answer)

    def fail(self, error: ApiError) -> None:
        """Tell whoever waits; a caller that was cancelled does not."""
        if not self.answer.done():
            self.answer.set_exception(error)


class Outbox:
    """Sends pushes to one device and matches its answers to them.

    Firmware takes what lies in its socket for one segment and acts on the first thing that it finds
    there (protocol.md §3.9, 8), so it gets one frame at a time: the next push goes out when the last
    one was answered or given up. What is sent to a device that has asked for its timers, as only
    Espressif's firmware does, is spaced from our replies as well, which nobody answers: the next
    frame waits for `Limits.gap`.

    Attributes:
        is_spaced: whether the device is of that kind.
    """

    def __init__(self, wire: Wire, *, timeout: float, limits: Limits) -> None:
        """Send on `wire`; give a push up `timeout` seconds after it came."""
        self._wire = wire
        self._timeout = timeout
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._waiting: SenderQueue[_Push] = SenderQueue()
        self._current: _Push | None = None
        self._reboots: list[_Push] = []
        """Pushes that were sent and end the connection: the next one does not wait for them."""
        self._replies: deque[bytes] = deque()
        self.is_spaced = False
        self._clear_at = 0.0
        """When the device will have read the last frame that it does not answer."""
        self._held_until = 0.0
        """When pushes may go out, whatever the device does."""
        self._wake_timer: asyncio.TimerHandle | None = None
        self._deadline_timer: asyncio.TimerHandle | None = None
        self._has_answered = False
        """Whether the device is one that answers; self-made ones may only listen."""
        self._doubt_timer: asyncio.TimerHandle | None = None

    @property
    def is_undelivered(self) -> bool:
        """Whether a push that nobody has answered has not even reached the device."""
        return any(
            not self._wire.has_delivered(push.place) for push in self._unanswered()
        )

    def push(
        self, frame: JsonObject, *, sender: str = "", reboots: bool = False
    ) -> asyncio.Future[JsonObject]:
        """Send a frame, its nonce added, when its turn comes; the future gets the device's answer.

        The future raises ApiError: 404 when the device leaves, 500 when it does not answer in time,
        the wait for its turn included, so that no caller waits longer than `timeout`. A push whose
        time is nearly over before its turn is never sent. One that was sent and has not reached the
        device when it is given up ends the connection, and gets 404: it must not arrive when its
        sender was told that it failed.

        Each `sender` has its turn, whatever the others send. Where too many wait, who has most of
        them is told 500 at once.

        A push that `reboots` the device succeeds when the connection ends, for firmware does not
        answer it (protocol.md §2.8).
        """
        deadline = self._loop.time() + self._timeout
        answer: asyncio.Future[JsonObject] = self._loop.create_future()
        push = _Push(frame, answer, deadline, reboots=reboots)
        self._waiting.put(sender, push)
        if len(self._waiting) > self._limits.waiting_pushes:
            self._waiting.drop_newest().fail(device_busy())
        if self._deadline_timer is None:
            self._deadline_timer = self._loop.call_at(deadline, self._give_up_late)
        self.go_on()
        return push.answer

    def reply(self, frame: bytes) -> None:
        """Send a frame that the device does not answer: at once, or in its turn if `is_spaced`."""
        if self.is_spaced and len(self._replies) < _SPACED_REPLIES:
            self._replies.append(frame)
            self.go_on()
            return
        self.is_spaced = False
        while self._replies:
            self._wire.send(self._replies.popleft())
        self._wire.send(frame)

    def take_answer(self, frame: JsonObject) -> None:
        """Hand a device's answer to whoever waits for it; a late or unknown one is nobody's.

        The next push goes out with `go_on`, so that all of a segment is read before.
        """
        nonce = frame.get("nonce")
        for push in self._unanswered():
            if push.nonce == nonce:
                push.succeed(frame)
                self._has_answered = True
                self._forget(push)
                return

    def hold(self) -> None:
        """Send no push until a frame comes, at most for `Limits.first_push`: the device has identified.

        Firmware now fetches its timers. A push in the same segment as the answer to either costs it
        one of the two (protocol.md §10).
        """
        self._held_until = self._loop.time() + self._limits.first_push

    def hear(self) -> None:
        """Note that the device has sent a frame; `go_on` follows when it was handled."""
        self._held_until = 0.0
        if self._doubt_timer is not None:
            self._doubt_timer.cancel()
            self._doubt_timer = None

    def go_on(self) -> None:
        """Send what may go out now: replies first, then one push."""
        while self._current is None:
            if self._replies:
                start = self._clear_at
            elif self._waiting:
                start = max(self._clear_at, self._held_until)
            else:
                return
            now = self._loop.time()
            if now < start:
                self._wake_at(start)
                return
            if self._replies:
                self._wire.send(self._replies.popleft())
                self._clear_at = now + self._limits.gap
            else:
                self._start(self._waiting.take(), now)

    def close(self) -> None:
        """Give every push up: the device is gone, and nobody will push to it here any more."""
        for timer in (self._wake_timer, self._deadline_timer, self._doubt_timer):
            if timer is not None:
                timer.cancel()
        for push in self._reboots:
            push.succeed({"status": 200})
        if self._current is not None:
            self._current.fail(peer_disconnected())
        while self._waiting:
            self._waiting.take().fail(peer_disconnected())
        self._current = None
        self._reboots.clear()
        self._replies.clear()

    def _unanswered(self) -> list[_Push]:
        """Return the pushes that were sent and may still be answered."""
        return (
            self._reboots if self._current is None else [*self._reboots, self._current]
        )

    def _forget(self, push: _Push) -> None:
        if push is self._current:
            self._current = None
        else:
            self._reboots.remove(push)

    def _start(self, push: _Push, now: float) -> None:
        """Send a push, if there is time enough for an answer.

        Else its sender is told now that the device is busy: a push that nobody waits for any more
        would still switch the lamp.
        """
        if push.deadline < now + self._timeout * _LEAST_TIME_LEFT:
            push.fail(device_busy())
            return
        push.nonce = 1 + secrets.randbelow(_LARGEST_NONCE)
        self._wire.send(encode({**push.frame, "nonce": push.nonce}))
        push.place = self._wire.written
        if push.reboots:
            self._reboots.append(push)
            self._clear_at = now + self._limits.gap
        else:
            self._current = push

    def _wake_at(self, when: float) -> None:
        timer = self._wake_timer
        if timer is not None:
            if timer.when() <= when:
                return
            timer.cancel()
        self._wake_timer = self._loop.call_at(when, self._wake)

    def _wake(self) -> None:
        self._wake_timer = None
        self.go_on()

    def _give_up_late(self) -> None:
        """Give up the pushes whose time is over.

        One timer serves them all, and outlives those that were answered: most pushes cost none. A
        sender's pushes lie in the order of their deadlines.
        """
        self._deadline_timer = None
        now = self._loop.time()
        for push in [each for each in self._unanswered() if each.deadline <= now]:
            if not self._wire.has_delivered(push.place):
                self._drop_undelivered()
                return
            push.fail(device_busy())
            self._forget(push)
            if self._has_answered and self._doubt_timer is None:
                until = now + self._limits.doubt
                self._doubt_timer = self._loop.call_at(until, self._lose_patience)
        for push in self._waiting.drop_oldest(lambda push: push.deadline <= now):
            push.fail(device_busy())
        self.go_on()
        left = [*self._unanswered(), *self._waiting.oldest()]
        if left:
            deadline = min(push.deadline for push in left)
            self._deadline_timer = self._loop.call_at(deadline, self._give_up_late)

    def _drop_undelivered(self) -> None:
        """End the connection, which this time is no sign of a reboot."""
        for push in self._unanswered():
            push.fail(peer_disconnected())
        self._wire.drop("a push did not reach it in time")

    def _lose_patience(self) -> None:
        self._wire.drop("it answered once, and not any more")
