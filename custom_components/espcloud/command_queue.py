"""The commands that wait for a device: one at a time, none out of order.

A device takes one command after the other (protocol.md §10.2, 7). Of changes that wait one
behind the other, such as those of a slider, only the outcome has to be sent.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from .cloud import DeviceOfflineError
from .kinds.base import Change

type Call = Callable[[], Awaitable[Any]]


@dataclass(slots=True)
class _Waiting:
    """A command that waits.

    Attributes:
        send: what sends it and returns the device's answer.
        done: its end, for all whose command it is.
        change: what it changes, None where nothing that follows may be sent with it.
    """

    send: Call
    done: asyncio.Future[Any]
    change: Change[Any] | None = None


class CommandQueue:
    """The commands for one device."""

    def __init__(
        self,
        perform: Callable[[Change[Any]], Awaitable[None]],
        create_task: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:
        """Begin empty.

        Args:
            perform: sends what brings a change about.
            create_task: starts the task that works the queue off.
        """
        self._perform = perform
        self._create_task = create_task
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def change(self, change: Change[Any], *, merges: bool) -> None:
        """Bring a change about, in turn.

        One that waits is sent together with the next one, if both may be: what that one
        says of the same is what counts, and both end as that does.

        Args:
            change: from the state at its turn to the one to reach.
            merges: whether it may be sent together with others. A toggle may not.

        Raises:
            CloudError: the device did not acknowledge.
        """
        last = self._waiting[-1] if self._waiting else None
        if merges and last is not None and last.change is not None:
            earlier = last.change
            last.change = lambda state: change(earlier(state))
            await asyncio.shield(last.done)
            return
        waiting = _Waiting(lambda: self._perform(change), self._new_end())
        if merges:
            waiting.change = change
            waiting.send = lambda: self._perform_merged(waiting)
        await self._append(waiting)

    async def call[AnswerT](self, call: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
        """Make a call, in turn, and return its answer. Raises what the call does."""
        answer: AnswerT = await self._append(_Waiting(call, self._new_end()))
        return answer

    def close(self) -> None:
        """Send nothing more; whoever waits, or comes later, gets a DeviceOfflineError."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
        while self._waiting:
            _give_up(self._waiting.popleft())

    @staticmethod
    def _new_end() -> asyncio.Future[Any]:
        return asyncio.get_running_loop().create_future()

    async def _perform_merged(self, waiting: _Waiting) -> None:
        """Send what came together while it waited."""
        assert waiting.change is not None
        await self._perform(waiting.change)

    async def _append(self, waiting: _Waiting) -> Any:
        if self._closed:
            _give_up(waiting)
        else:
            self._waiting.append(waiting)
            self._start()
        # Whoever gives up waiting takes nothing back: it may be on its way.
        return await asyncio.shield(waiting.done)

    def _start(self) -> None:
        # A task that is started eagerly may be over before it can be noted here.
        if self._task is None or self._task.done():
            self._task = self._create_task(self._work_off())

    async def _work_off(self) -> None:
        """Send one command after the other until none waits."""
        while self._waiting:
            await self._send(self._waiting.popleft())

    @staticmethod
    async def _send(waiting: _Waiting) -> None:
        try:
            answer = await waiting.send()
        except asyncio.CancelledError:
            _give_up(waiting)
            raise
        except Exception as err:  # noqa: BLE001 - raised again where the command was given
            waiting.done.set_exception(err)
            # Nobody may be left who waits for it.
            waiting.done.exception()
        else:
            waiting.done.set_result(answer)


def _give_up(waiting: _Waiting) -> None:
    waiting.done.set_exception(DeviceOfflineError("the device is not served any more"))
    waiting.done.exception()
