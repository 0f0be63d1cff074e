"""The triggers of all devices."""

from dataclasses import dataclass
from typing import ClassVar

from .models import Device, Record
from .record_table import RecordTable
from .store_context import StoreContext
from .wire import JsonObject


@dataclass(slots=True, kw_only=True)
class Trigger(Record):
    """A trigger of a device; `rule` is what the user wrote (`trigger_rules`)."""

    INTERNAL: ClassVar[frozenset[str]] = frozenset(
        {"device_id", "user_id", "rule", "is_met"}
    )

    device_id: int
    user_id: int
    """Who made it, 0 where it came with the device's own key."""
    rule: JsonObject
    is_met: int = 0
    """Whether the rule was met when it was looked at last: that is told once."""


class Triggers(RecordTable[Trigger]):
    """The triggers, by their devices."""

    def __init__(self, context: StoreContext) -> None:
        """Start empty."""
        super().__init__(lambda trigger: trigger.device_id)
        self._context = context

    def add(self, device: Device, user_id: int, rule: JsonObject) -> Trigger:
        """Add a trigger."""
        now = self._context.now()
        trigger = Trigger(
            id=self._context.next_id("triggers"),
            created=now,
            updated=now,
            device_id=device.id,
            user_id=user_id,
            rule=rule,
        )
        self.put(trigger)
        self._context.changed(trigger)
        return trigger

    def remove(self, trigger: Trigger) -> None:
        """Remove a trigger."""
        self.take_out(trigger)
        self._context.removed(trigger)
