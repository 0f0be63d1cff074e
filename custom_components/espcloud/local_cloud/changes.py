"""Changes on their way to the database, and who waits for them.

What is changed while others are being written goes together in one transaction: the next batch. An
answer that says that something was done waits until the batch with it is committed.
"""

import asyncio
from contextvars import ContextVar
from enum import Enum, auto

from .errors import storage_full
from .models import Datapoint, Record

type RecordId = tuple[type[Record], int]


class Outcome(Enum):
    """What became of a batch."""

    PENDING = auto()
    COMMITTED = auto()
    FAILED = auto()


class Batch:
    """Changes that are committed together, or taken back together.

    Attributes:
        records: those that are new or have changed, by type and id.
        removed: those that are gone.
        points: new datapoints, in the order in which they were stored.
        contents: of new firmware files, by the ids of their records.
        trims: how many datapoints to keep, by datastream.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.records: dict[RecordId, Record] = {}
        self.removed: dict[RecordId, Record] = {}
        self.points: list[Datapoint] = []
        self.contents: dict[int, bytes] = {}
        self.trims: dict[int, int] = {}
        self.outcome = Outcome.PENDING
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.records or self.removed or self.points or self.trims)

    def put(self, record: Record) -> None:
        """Add a record that is new or has changed; what is written is what it is then."""
        key = type(record), record.id
        self.removed.pop(key, None)
        self.records[key] = record

    def remove(self, record: Record) -> None:
        """Add a record that is gone."""
        key = type(record), record.id
        self.records.pop(key, None)
        self.removed[key] = record

    def settle(self, outcome: Outcome) -> None:
        """Tell who waits."""
        self.outcome = outcome
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()

    async def committed(self) -> None:
        """Return when it is committed. Raises ApiError 507 where it could not be."""
        if self.outcome is Outcome.PENDING:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            await waiting
        if self.outcome is Outcome.FAILED:
            raise storage_full()


class Writes:
    """The batches in which there is something of one request; mostly it is one, or none."""

    __slots__ = ("batches",)

    def __init__(self) -> None:
        """Begin with nothing."""
        self.batches: list[Batch] = []

    async def committed(self) -> None:
        """Return when all of them are committed. Raises ApiError 507 where one could not be."""
        for batch in self.batches:
            await batch.committed()


CURRENT_WRITES: ContextVar[Writes | None] = ContextVar("writes", default=None)
"""Of the request that is being answered: by the router, in whose context its handler runs."""


def note(batch: Batch) -> None:
    """Note that the request that is being answered changes something in this batch."""
    writes = CURRENT_WRITES.get()
    if writes is not None and batch not in writes.batches:
        writes.batches.append(batch)
