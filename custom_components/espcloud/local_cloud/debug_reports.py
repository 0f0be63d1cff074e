"""What devices report of their own failures (protocol.md §2.11)."""

from dataclasses import dataclass
from typing import ClassVar

from .errors import ApiError, bad_request
from .fields import read_integer, read_text
from .models import Device, Record
from .record_table import RecordTable
from .store_context import StoreContext
from .wire import JsonObject

MAX_REPORTS = 20
"""Reports of a device that are kept, the latest ones."""


@dataclass(slots=True, kw_only=True)
class DebugReport(Record):
    """A report; `entry` is what the device said."""

    INTERNAL: ClassVar[frozenset[str]] = frozenset({"device_id", "entry"})

    device_id: int
    entry: JsonObject


class DebugReports(RecordTable[DebugReport]):
    """The reports, by their devices."""

    def __init__(self, context: StoreContext) -> None:
        """Start empty."""
        super().__init__(lambda report: report.device_id)
        self._context = context

    def add(self, device: Device, entry: JsonObject) -> None:
        """Add a report; the oldest one goes where there are too many."""
        now = self._context.now()
        report = DebugReport(
            id=self._context.next_id("debugs"),
            created=now,
            updated=now,
            device_id=device.id,
            entry=entry,
        )
        self.put(report)
        self._context.changed(report)
        while len(self.of(device.id)) > MAX_REPORTS:
            self.remove(next(iter(self.of(device.id).values())))

    def remove(self, report: DebugReport) -> None:
        """Remove a report."""
        self.take_out(report)
        self._context.removed(report)


def read_entry(entry: JsonObject) -> JsonObject:
    """Return `type`, `errno` and `message` of a report, the first two numbers or texts.

    Raises ApiError 400 for anything else.
    """
    read = {name: _read_code(entry, name) for name in ("type", "errno")}
    return {**read, "message": read_text(entry, "message", "")}


def _read_code(entry: JsonObject, name: str) -> int | str:
    value = entry.get(name, "")
    if isinstance(value, str):
        return read_text(entry, name, "", limit=64)
    if isinstance(value, int) and value < 0 and -value < 1 << 31:
        return value  # as C has them
    try:
        return read_integer(entry, name)
    except ApiError:
        raise bad_request(f"{name} must be a whole number or a text") from None
