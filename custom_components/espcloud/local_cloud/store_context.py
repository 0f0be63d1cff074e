"""What all tables share: the clock, the ids, and what the database has not got yet."""

from collections.abc import Callable
import time

from .changes import Batch, note
from .models import Datapoint, Device, Record


class StoreContext:
    """Gives ids and times to new records, and hears of every change.

    Attributes:
        clock: the time in epoch seconds; a test may put another one here.
        last_ids: the last id given in each table; no id is given twice.
        batch: what changed since the database took the last batch.
        touched: the devices that were heard or asked since then.
        on_change: called with the first change of a batch, where there is a database; None
            where there is not, and nobody waits for it.
    """

    def __init__(self) -> None:
        """Begin with no id given."""
        self.clock: Callable[[], float] = time.time
        self.last_ids: dict[str, int] = {}
        self.batch = Batch()
        self.touched: dict[int, Device] = {}
        self.on_change: Callable[[], None] | None = None

    def now(self) -> int:
        """Return the time in whole epoch seconds."""
        return int(self.clock())

    def changed(self, record: Record) -> None:
        """Note that a record is new or has changed, and has to be saved."""
        self._open_batch().put(record)

    def removed(self, record: Record) -> None:
        """Note that a record is gone from its table."""
        self._open_batch().remove(record)

    def stored(self, point: Datapoint) -> None:
        """Note a new datapoint; its datastream has changed with it."""
        self._open_batch().points.append(point)

    def uploaded(self, rom_id: int, content: bytes) -> None:
        """Note what is in a firmware file; its record is new as well."""
        self._open_batch().contents[rom_id] = content

    def trimmed(self, datastream_id: int, most: int) -> None:
        """Note that only so many datapoints of a datastream are to be kept."""
        self._open_batch().trims[datastream_id] = most

    def heard(self, device: Device) -> None:
        """Note that the device is active now."""
        device.last_active = self.now()
        self.touch(device)

    def touch(self, device: Device) -> None:
        """Note that a device was heard or asked something, which is not worth a write of its own."""
        self.touched[device.id] = device

    def take_batch(self) -> Batch:
        """Return what changed, and begin anew."""
        batch, self.batch = self.batch, Batch()
        return batch

    def next_id(self, table: str) -> int:
        """Return a fresh id of a table."""
        number = self.last_ids.get(table, 0) + 1
        self.last_ids[table] = number
        return number

    def _open_batch(self) -> Batch:
        if self.on_change is not None:
            note(self.batch)
            if self.batch.is_empty:
                self.on_change()
        return self.batch
