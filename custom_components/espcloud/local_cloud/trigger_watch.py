"""Looks whether triggers are met when datapoints are stored, and tells the apps (protocol.md §2.9)."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context
import logging

from .errors import ApiError
from .history import History
from .listeners import Listeners, TriggerMet
from .mailboxes import Mailboxes
from .models import Datapoint, Device
from .store import Store
from .trigger_rules import describe, is_met, value_of
from .triggers import Trigger

_LOGGER = logging.getLogger(__name__)

MOST_POINTS = 1000
"""Datapoints of an interval that are looked at, the latest ones."""

type _Place = tuple[int, str]
"""A device's id, and a datastream of it."""


class TriggerWatch:
    """Judges each point by itself, or those of an interval once the new ones are committed.

    What is met is told once, and again when it was not in between.
    """

    def __init__(
        self,
        store: Store,
        mailboxes: Mailboxes,
        listeners: Listeners,
        *,
        history: History,
        flush: Callable[[], Awaitable[None]],
    ) -> None:
        """Find the points of an interval by `history` after `flush`."""
        self._store = store
        self._mailboxes = mailboxes
        self._listeners = listeners
        self._history = history
        self._flush = flush
        self._due: dict[_Place, None] = {}
        """Where there are new points, the oldest first."""
        self._task: asyncio.Task[None] | None = None

    def stored(self, device: Device, stream: str, points: list[Datapoint]) -> None:
        """Hear of new datapoints."""
        for trigger in self._triggers(device.id, stream):
            if trigger.rule["interval"]:
                self._due[device.id, stream] = None
                continue
            for point in points:
                self._judge(trigger, device, value_of(trigger.rule, [point]))
        if self._due and self._task is None:
            # It outlives the request, to whose context it does not belong.
            self._task = asyncio.get_running_loop().create_task(
                self._work_off(), context=Context()
            )
            self._task.add_done_callback(self._worked_off)

    async def close(self) -> None:
        """Look at nothing any more."""
        self._due.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work_off(self) -> None:
        """Look at one datastream after the other, however fast points come in."""
        while self._due:
            device_id, stream = place = next(iter(self._due))
            del self._due[place]
            with suppress(ApiError):  # what could not be written is not looked at
                await self._flush()
            await self._look(device_id, stream)

    def _worked_off(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOGGER.error("Looking at triggers failed", exc_info=error)

    async def _look(self, device_id: int, stream: str) -> None:
        """Judge the triggers that look at an interval of a datastream."""
        device = self._store.devices.get(device_id)
        triggers = self._triggers(device_id, stream)
        datastream = device and self._store.streams.find(device, stream)
        longest = max((each.rule["interval"] for each in triggers), default=0)
        if device is None or datastream is None or not longest:
            return
        now = self._store.context.now()
        points = await self._history(
            datastream.id, start=now - longest, end=now, offset=0, count=MOST_POINTS
        )
        for trigger in self._triggers(device_id, stream):
            interval = trigger.rule["interval"]
            if 0 < interval <= longest:
                recent = [point for point in points if point.at >= now - interval]
                self._judge(trigger, device, value_of(trigger.rule, recent))

    def _triggers(self, device_id: int, stream: str) -> list[Trigger]:
        return [
            trigger
            for trigger in self._store.triggers.of(device_id).values()
            if trigger.rule["stream_name"] == stream
        ]

    def _judge(self, trigger: Trigger, device: Device, value: float | None) -> None:
        if value is None or is_met(trigger.rule, value) == bool(trigger.is_met):
            return
        trigger.is_met = 1 - trigger.is_met
        self._store.context.changed(trigger)
        if trigger.is_met:
            text = f"{device.name}: {describe(trigger.rule, value)}"
            self._mailboxes.alert(self._recipients(trigger, device), text)
            if self._listeners:
                self._listeners.tell(TriggerMet(device, trigger.rule["name"], value))

    def _recipients(self, trigger: Trigger, device: Device) -> set[int]:
        """Return the accounts whose apps hear of it, those with a key to the device alone.

        `me` is who made the trigger, or with the device's own key its owner; `user` are all.
        """
        holders = self._store.keyring.holders(device)
        owner = self._store.keyring.owner_key(device)
        owner_id = owner.authorized_user_id if owner else 0
        told: set[int] = set()
        for rule in trigger.rule["notify_rules"]:
            match rule["scope"]:
                case "me":
                    told.add(trigger.user_id or owner_id)
                case "owner":
                    told.add(owner_id)
                case "user":
                    told |= holders
        return told & holders
