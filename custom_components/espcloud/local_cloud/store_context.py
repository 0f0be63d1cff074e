"""What all tables share: the clock, the ids, and the word that something changed."""

from collections.abc import Callable
import time

from .models import Device, Record


class StoreContext:
    """Gives ids and times to new records and hears of every change."""

    def __init__(self) -> None:
        """Begin with no id given."""
        self.clock: Callable[[], float] = time.time
        """The time in epoch seconds; a test may put another clock here."""
        self.on_change: Callable[[], None] = lambda: None
        """Called after every change that has to be saved."""
        self.last_ids: dict[str, int] = {}
        """The last id given in each table; no id is given twice."""

    def now(self) -> int:
        """Return the time in whole epoch seconds."""
        return int(self.clock())

    def changed(self, record: Record) -> None:
        """Note that a record is new or has changed, and has to be saved."""
        self.on_change()

    def removed(self, record: Record) -> None:
        """Note that a record is gone from its table."""
        self.on_change()

    def heard(self, device: Device) -> None:
        """Note that the device is active now."""
        device.last_active = self.now()
        self.touched(device)

    def touched(self, device: Device) -> None:
        """Note that a device was heard or asked something, which is not worth a write of its own."""

    def next_id(self, table: str) -> int:
        """Return a fresh id of a table."""
        number = self.last_ids.get(table, 0) + 1
        self.last_ids[table] = number
        return number
