"""What all tables share: the clock, the ids, and the word that something changed."""

from collections.abc import Callable
import time


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

    def changed(self) -> None:
        """Note that something changed that has to be saved."""
        self.on_change()

    def next_id(self, table: str) -> int:
        """Return a fresh id of a table."""
        number = self.last_ids.get(table, 0) + 1
        self.last_ids[table] = number
        return number
