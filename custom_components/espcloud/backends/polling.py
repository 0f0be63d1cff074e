"""Asking for what nobody tells, within a share of what the cloud allows.

The cloud documents 3,600 requests in 15 minutes (protocol.md §2.1). A quarter of them is
for this, whatever the number of devices; the rest is for people and their commands.
"""

from abc import ABC, abstractmethod
import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime
import math
from time import monotonic
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

WINDOW: Final = 15 * 60.0
"""Seconds for which the cloud counts requests."""
BUDGET: Final = 3600 // 4
"""Requests in a window."""
LISTS: Final = 30
"""Requests in a window that tell which devices are there: two a minute."""
SPACING: Final = WINDOW / (BUDGET - LISTS)
"""Least seconds from one request to the next one."""
ROUND: Final = 30.0
"""Seconds in which every device is asked once, where they are few enough for that."""
MOST_AT_ONCE: Final = 4
"""Requests that wait for their answers."""
EXTRA: Final = 5
"""Requests in a round that are not for the present state, where there is any need."""
REST: Final = 120.0
"""Seconds without a question, where the cloud wants fewer and does not say how long."""


class Poll(ABC):
    """Something to ask for again and again.

    Attributes:
        device_id: the device that is asked; one question at a time.
        every: in how many rounds once.
    """

    device_id: int
    every: int = 1

    @property
    @abstractmethod
    def is_wanted(self) -> bool:
        """Whether an answer can be expected now."""

    @abstractmethod
    async def async_run(self) -> None:
        """Ask; raises nothing."""


class Poller:
    """Asks for one thing after the other, in rounds."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        seconds_to_rest: Callable[[], float],
    ) -> None:
        """Ask nothing before something is added.

        Args:
            hass: Home Assistant.
            entry: whose tasks the questions are.
            seconds_to_rest: for how long what the cloud allows is left to people; 0 or
                less for not at all.
        """
        self._hass = hass
        self._entry = entry
        self._seconds_to_rest = seconds_to_rest
        self._polls: list[Poll] = []
        self._urgent: deque[Poll] = deque()
        self._queue: deque[Poll | None] = deque()
        self._slots: deque[asyncio.Future[None]] = deque()
        self._under_way: set[int] = set()
        self._tasks: dict[Poll, asyncio.Task[None]] = {}
        self._rounds = 0
        self._spacing = ROUND
        self._is_soon = False
        self._rests_until = 0.0
        self._cancel_timer: CALLBACK_TYPE | None = None
        self._closed = False
        self.requests = 0

    @callback
    def add(self, poll: Poll) -> CALLBACK_TYPE:
        """Begin to ask; return what ends it, with a question that is under way.

        `soon` makes it the next to be asked.
        """
        self._polls.append(poll)
        if self._cancel_timer is None:
            self._hurry()

        def remove() -> None:
            self._polls.remove(poll)
            for waiting in (self._urgent, self._queue):
                while poll in waiting:
                    waiting.remove(poll)
            if (task := self._tasks.get(poll)) is not None:
                task.cancel()

        return remove

    @callback
    def soon(self, poll: Poll) -> None:
        """Ask this before anything else."""
        if poll not in self._urgent:
            self._urgent.append(poll)
        self._hurry()

    async def async_slot(self) -> None:
        """Wait for a turn for a request that has time."""
        slot = asyncio.get_running_loop().create_future()
        self._slots.append(slot)
        if self._cancel_timer is None:
            self._hurry()
        await slot

    @callback
    def rest(self, seconds: float | None) -> None:
        """Ask nothing for a while, however urgent: the cloud wants fewer requests.

        Args:
            seconds: how long, None where the cloud did not say.
        """
        until = monotonic() + (REST if seconds is None else seconds)
        # Several answers may say so, and not the same.
        self._rests_until = max(self._rests_until, until)
        self._wait(SPACING)

    @callback
    def close(self) -> None:
        """Ask nothing any more."""
        self._closed = True
        self._cancel()
        for slot in self._slots:
            slot.cancel()

    def diagnostics(self) -> dict[str, Any]:
        """Return what a report may show: how often each device is asked."""
        return {
            "asked": len(self._polls),
            "requests": self.requests,
            "round_seconds": round(self._spacing * max(len(self._due(0)), 1)),
        }

    def _hurry(self) -> None:
        """Take the next turn as early as the cloud allows."""
        if self._is_soon or self._closed:
            return
        self._wait(SPACING)
        self._is_soon = True

    def _wait(self, seconds: float) -> None:
        self._cancel()
        if not self._closed:
            seconds = max(seconds, self._rests_until - monotonic())
            self._cancel_timer = async_call_later(
                self._hass, seconds, HassJob(self._turn, cancel_on_shutdown=True)
            )

    def _cancel(self) -> None:
        self._is_soon = False
        if self._cancel_timer is not None:
            self._cancel_timer()
            self._cancel_timer = None

    @callback
    def _turn(self, _now: datetime) -> None:
        """Ask for the next thing."""
        self._cancel_timer = None
        self._is_soon = False
        if not self._polls and not self._slots:
            return
        if (seconds := self._seconds_to_rest()) > 0:
            self._wait(min(max(seconds, SPACING), WINDOW))
            return
        if len(self._under_way) >= MOST_AT_ONCE:
            self._wait(SPACING)
            return
        if not self._ask_next() and not self._queue:
            self._begin_round()
        self._wait(SPACING if self._urgent else self._spacing)

    def _ask_next(self) -> bool:
        """Ask for the next thing that is wanted; return whether there was one."""
        for waiting in (self._urgent, self._queue):
            for _ in range(len(waiting)):
                poll = waiting.popleft()
                if poll is None:
                    if self._grant_slot():
                        return True
                elif poll.device_id in self._under_way:
                    # Something else is: this has its turn after that.
                    waiting.append(poll)
                elif poll.is_wanted:
                    self._ask(poll)
                    return True
        return False

    def _begin_round(self) -> None:
        self._rounds += 1
        due: list[Poll | None] = list(self._due(self._rounds))
        extra = min(EXTRA, len(self._slots))
        self._spacing = max(ROUND / max(len(due) + extra, 1), SPACING)
        # Spread over the round, so that nobody waits for the others' past.
        step = max(math.ceil(len(due) / extra), 1) if extra else 0
        for number in range(extra):
            due.insert(min(number * (step + 1), len(due)), None)
        self._queue.extend(due)
        self._ask_next()

    def _due(self, round_number: int) -> list[Poll]:
        return [
            poll
            for number, poll in enumerate(self._polls)
            if (number + round_number) % poll.every == 0 and poll.is_wanted
        ]

    def _ask(self, poll: Poll) -> None:
        self._under_way.add(poll.device_id)
        self.requests += 1

        async def run() -> None:
            try:
                await poll.async_run()
            finally:
                self._under_way.discard(poll.device_id)

        task = self._entry.async_create_background_task(
            self._hass, run(), f"ask device {poll.device_id}"
        )
        self._tasks[poll] = task
        task.add_done_callback(lambda _: self._tasks.pop(poll, None))

    def _grant_slot(self) -> bool:
        while self._slots:
            slot = self._slots.popleft()
            if not slot.done():
                self.requests += 1
                slot.set_result(None)
                return True
        return False
