"""The database as the event loop sees it: changes go out in batches, and history comes back.

What was answered with 200 is committed. One batch is written at a time, on a thread of its own; what
changes meanwhile is the next one. A batch that cannot be written is taken back, with all that came
after it, and whoever waits for it is told so.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
import logging
from pathlib import Path
import sqlite3

from . import datapoint_queries
from .changes import Batch, Outcome, RecordId
from .database_file import DatabaseFile, Rows, StorageError, explained
from .errors import ApiError, StateFileError
from .models import Datapoint, Datastream, Record
from .rows import TABLE_OF, TABLES, Row, change_to, point_row, restore, to_row
from .store import Store

_LOGGER = logging.getLogger(__name__)

FLUSH_INTERVAL = 30.0
"""Seconds after which it is written when devices were last heard, which nobody waits for."""
EXPIRE_INTERVAL = 3600.0
"""Seconds between two looks for datapoints that are too old."""
_EXPIRED_AT_ONCE = 2000
"""Datapoints that are deleted in one transaction, so that others have their turn."""


class Database:
    """Keeps a store in a file, or in memory where there is none."""

    def __init__(self, path: Path | None, store: Store, *, keep_days: int) -> None:
        """Keep `store` at `path`, and datapoints for so many days; `open` begins."""
        self._path = path
        self._store = store
        self._keep_seconds = keep_days * 86400
        self._file: DatabaseFile
        self._loop: asyncio.AbstractEventLoop
        self._is_open = False
        self._committed: dict[RecordId, Row] = {}
        """The rows of what is committed: what a batch that fails is taken back to."""
        self._last_ids: dict[str, int] = {}
        self._writing: Batch | None = None
        self._points: dict[int, int] = {}
        """How many datapoints of each datastream are committed."""
        self._is_failing = False
        self._flush_is_due = False
        self._idle = asyncio.Event()
        self._flush_timer: asyncio.TimerHandle | None = None
        self._expiry: asyncio.Task[None] | None = None
        self._parts = asyncio.Lock()
        # In memory there is one connection, and so one thread.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="local_cloud writer")
        self._reader = (
            ThreadPoolExecutor(1, thread_name_prefix="local_cloud reader")
            if path
            else self._writer
        )

    async def open(self, *, is_held: bool = False) -> None:
        """Fill the empty store. Raises StateFileError as DatabaseFile.open.

        A file that `is_held` stays as it is until `finish_backup`, as after `prepare_backup`.
        """
        self._loop = loop = asyncio.get_running_loop()
        self._file = await loop.run_in_executor(
            self._writer, partial(DatabaseFile.open, self._path, is_held=is_held)
        )
        try:
            if self._path is not None:
                await loop.run_in_executor(self._writer, self._load)
        except BaseException:
            self._file.close()
            raise
        self._is_open = True
        context = self._store.context
        context.on_change = self._begin_soon
        self._store.roms.contents.find = self.content
        if not context.batch.is_empty:
            self._begin_soon()
        self._flush_timer = loop.call_later(FLUSH_INTERVAL, self._flush)
        self._expiry = loop.create_task(self._expire_again_and_again())

    async def close(self) -> None:
        """Write what is left, and give the file up; later changes are not noted."""
        if self._is_open:
            self._is_open = False
            if self._flush_timer is not None:
                self._flush_timer.cancel()
            if self._expiry is not None:
                self._expiry.cancel()
                await asyncio.gather(self._expiry, return_exceptions=True)
            self._flush_is_due = True
            self._begin()
            while self._writing is not None:
                self._idle.clear()
                await self._idle.wait()
            self._store.context.on_change = None
            await self._loop.run_in_executor(self._writer, self._file.close)
        self._writer.shutdown()
        self._reader.shutdown()

    async def flush(self) -> None:
        """Return when all that has changed so far is committed. Raises ApiError 507."""
        waiting = [self._store.context.batch]
        if self._writing is not None:
            waiting.insert(0, self._writing)
        for batch in waiting:
            if not batch.is_empty:
                await batch.committed()

    async def prepare_backup(self) -> None:
        """Write what is pending, and let the file stay as it is until `finish_backup`.

        Raises StateFileError, upon which the file may change. See `file_copying`.
        """
        if not self._is_open:
            return
        if self._store.context.touched:
            self._flush_is_due = True
        self._begin()
        with suppress(ApiError):  # whoever waited for that was told so
            await self.flush()
        try:
            await self._loop.run_in_executor(self._writer, self._file.hold)
        except StorageError as error:
            raise StateFileError(
                f"the state file {self._path} cannot be made ready for a backup now: {error}"
            ) from error

    async def finish_backup(self) -> None:
        """Let the file change again."""
        if self._is_open:
            await self._loop.run_in_executor(self._writer, self._file.let_go)

    async def history(
        self, datastream_id: int, *, start: int, end: int, offset: int, count: int
    ) -> list[Datapoint]:
        """Return datapoints of start <= at <= end, the latest first; none while it is not open."""
        if not self._is_open:
            return []

        return await self.read(
            partial(
                datapoint_queries.history,
                datastream_id=datastream_id,
                start=start,
                end=end,
                offset=offset,
                count=count,
            )
        )

    async def read[T](self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Return what a query finds in what is committed; it is called on the reader's thread.

        Others wait meanwhile, so what takes long is to be read in parts. Raises ApiError 503 while
        the database is not open.
        """
        if not self._is_open:
            raise ApiError(503, "the cloud is not running")
        return await self._loop.run_in_executor(self._reader, query, self._file.reader)

    async def read_part[T](self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `read` does, for one part of something long.

        However many read something long, all others wait for one part of it at most.
        """
        async with self._parts:
            return await self.read(query)

    async def content(self, rom_id: int) -> bytes | None:
        """Return what is in a firmware file, None where there is none."""
        if self._writing is not None and rom_id in self._writing.contents:
            return self._writing.contents[rom_id]
        if not self._is_open:
            return None
        return await self._loop.run_in_executor(
            self._reader, self._file.content, rom_id
        )

    async def size(self) -> int:
        """Return how many bytes are stored."""
        return await self._loop.run_in_executor(self._writer, self._file.size)

    def _load(self) -> None:
        """Fill the store, and note what it was filled with; on the writer's thread."""
        store = self._store
        with explained(self._path):
            restore(store, self._file.rows())
        self._last_ids = dict(store.context.last_ids)
        self._points = {
            stream.id: stream.points for stream in store.streams.streams.values()
        }
        self._committed = {
            key: to_row(record)
            for kind in TABLES.values()
            for number, record in store.table(kind).items()
            # What the store had before is still to be written.
            if (key := (kind, number)) not in store.context.batch.records
        }

    def _begin_soon(self) -> None:
        """Write with the next turn of the event loop, with all that this one changes."""
        if self._writing is None:
            self._loop.call_soon(self._begin)

    def _begin(self) -> None:
        context = self._store.context
        if self._writing is not None or (
            context.batch.is_empty and not self._flush_is_due
        ):
            return
        self._writing = batch = context.take_batch()
        rows = self._rows(batch)
        writing = self._loop.run_in_executor(self._writer, self._file.write, rows)
        writing.add_done_callback(lambda done: self._ended(batch, rows, done))

    def _rows(self, batch: Batch) -> Rows:
        """Return what is written for a batch; what devices were heard goes along."""
        context = self._store.context
        rows = Rows(
            points=[point_row(point) for point in batch.points],
            contents=list(batch.contents.items()),
            trims=list(batch.trims.items()),
            last_ids=[
                item
                for item in context.last_ids.items()
                if item not in self._last_ids.items()
            ],
        )
        for record in batch.records.values():
            rows.changed.setdefault(TABLE_OF[type(record)], []).append(to_row(record))
        for record in batch.removed.values():
            rows.removed.setdefault(TABLE_OF[type(record)], []).append((record.id,))
        if self._flush_is_due:
            self._flush_is_due = False
            rows.activity = [
                (device.last_push, device.last_pull, device.last_active, device.id)
                for device in context.touched.values()
            ]
            context.touched.clear()
        return rows

    def _ended(self, batch: Batch, rows: Rows, done: asyncio.Future[None]) -> None:
        self._writing = None
        context = self._store.context
        error = done.exception()
        if error is None:
            self._note_committed(batch, rows)
            batch.settle(Outcome.COMMITTED)
        else:
            self._take_back(batch, error)
            for *_, number in rows.activity:
                # A device that was as new as that is taken back itself.
                if (device := self._store.devices.get(number)) is not None:
                    context.touch(device)
        if context.batch.is_empty and not self._flush_is_due:
            self._idle.set()
        else:
            self._begin()

    def _note_committed(self, batch: Batch, rows: Rows) -> None:
        for name, changed in rows.changed.items():
            kind = TABLES[name]
            self._committed.update({(kind, row[0]): row for row in changed})
        for key in batch.removed:
            self._committed.pop(key, None)
        for point in batch.points:
            number = point.datastream_id
            self._points[number] = self._points.get(number, 0) + 1
        self._points.update(batch.trims)
        self._last_ids.update(rows.last_ids)
        if self._is_failing:
            self._is_failing = False
            _LOGGER.warning("The state is saved again")

    def _take_back(self, batch: Batch, error: BaseException) -> None:
        """Undo a batch, and the next one, which may rest on it."""
        if not self._is_failing:
            self._is_failing = True
            _LOGGER.error(
                "Cannot save the state; what would change it is refused: %s", error
            )
        if not isinstance(error, StorageError):
            _LOGGER.error("Writing the state failed", exc_info=error)
        later = self._store.context.take_batch()
        concerned: dict[RecordId, Record] = {}
        for undone in (batch, later):
            concerned |= undone.records | undone.removed
        store = self._store
        for kind, number in concerned:
            if (present := store.table(kind).get(number)) is not None:
                store.take_out(present)
        order = list(TABLES.values())
        for key in sorted(concerned, key=lambda key: order.index(key[0])):
            record = concerned[key]
            if (row := self._committed.get(key)) is not None:
                change_to(record, row)
                store.put(record)
                if isinstance(record, Datastream):
                    record.points = self._points[record.id]
        for undone in (batch, later):
            undone.settle(Outcome.FAILED)

    def _flush(self) -> None:
        self._flush_timer = self._loop.call_later(FLUSH_INTERVAL, self._flush)
        if self._store.context.touched:
            self._flush_is_due = True
            self._begin()

    async def _expire_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(EXPIRE_INTERVAL)
            try:
                await self.expire()
            except StorageError as error:
                _LOGGER.debug("Old datapoints are not deleted now: %s", error)

    async def expire(self) -> None:
        """Delete the datapoints that are too old. Raises StorageError."""
        before = self._store.context.now() - self._keep_seconds
        for stream in list(self._store.streams.streams.values()):
            count = _EXPIRED_AT_ONCE
            while count == _EXPIRED_AT_ONCE:
                wanted = stream.id, before, _EXPIRED_AT_ONCE
                count = await self._loop.run_in_executor(
                    self._writer, self._file.expire, *wanted
                )
                stream.points -= count
                self._points[stream.id] = self._points.get(stream.id, 0) - count
