"""A table of records that all belong to something, such as the triggers of a device."""

from collections.abc import Callable

from .models import Record


class RecordTable[R: Record]:
    """Records by their ids, and by the ids of what they belong to; every look-up is O(1).

    Attributes:
        records: all of them by id.
    """

    def __init__(self, owner_of: Callable[[R], int]) -> None:
        """Start empty; `owner_of` tells to what a record belongs, which does not change."""
        self._owner_of = owner_of
        self.records: dict[int, R] = {}
        self._of: dict[int, dict[int, R]] = {}

    def of(self, owner_id: int) -> dict[int, R]:
        """Return what belongs to this, by id."""
        return self._of.get(owner_id, {})

    def put(self, record: R) -> None:
        """Enter a record, new or from the database."""
        self.records[record.id] = record
        self._of.setdefault(self._owner_of(record), {})[record.id] = record

    def take_out(self, record: R) -> None:
        """Take a record out."""
        del self.records[record.id]
        of_owner = self._of[self._owner_of(record)]
        del of_owner[record.id]
        if not of_owner:
            del self._of[self._owner_of(record)]
