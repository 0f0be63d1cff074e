"""Keeping the store over a restart."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Executor
import json
import logging
import os
from pathlib import Path
import tempfile
import time

from . import snapshot
from .errors import StateFileError
from .snapshot import DamagedError, Snapshot
from .store import Store
from .wire import JsonObject, NotAnObjectError, decode

_LOGGER = logging.getLogger(__name__)

FORMAT = "local_cloud 1"
SAVE_DELAY = 1.0
"""Seconds from a change to its saving; what changes meanwhile goes along."""
RETRY_DELAY = 30.0
"""Seconds until a failed saving is tried again."""


class StateFile:
    """Loads the store once, saves it after changes and at the end.

    Saving never blocks the event loop, and never leaves half a file: the whole of it is written
    beside the old one, and takes its place only once it is on the disk.
    """

    def __init__(self, path: Path, store: Store, workers: Executor) -> None:
        """Keep `store` in the file; read and write on `workers`."""
        self._path = path
        self._store = store
        self._workers = workers
        self._loaded = False
        """Whether the store is in step with the file: only then may the file be replaced."""
        self._changed = False
        self._failing = False
        self._timer: asyncio.TimerHandle | None = None
        self._saving: asyncio.Task[None] | None = None
        self._last_duration = 0.0

    async def load(self) -> None:
        """Fill the empty store; a file that does not exist yet is made.

        Raises StateFileError for a file that cannot be read or made, or that is damaged; a damaged
        one stays as it is.
        """
        loop = asyncio.get_running_loop()
        try:
            text = await loop.run_in_executor(self._workers, self._read)
            if text is None:
                await self._write(snapshot.take(self._store))
            else:
                self._restore(text)
        except OSError as error:
            raise StateFileError(
                f"cannot use the state file {self._path}: {error}"
            ) from error
        self._loaded = True
        self._store.context.on_change = self._note_change

    async def close(self) -> None:
        """Save a last time; later changes are not noted."""
        if not self._loaded:
            return
        self._loaded = False
        self._store.context.on_change = lambda: None
        if self._timer is not None:
            self._timer.cancel()
        if self._saving is not None:
            await self._saving
        await self._save()

    def _note_change(self) -> None:
        self._changed = True
        if self._timer is None and self._saving is None:
            # A large store is saved less often, so that saving stays a tenth of the work.
            self._save_later(max(SAVE_DELAY, 10 * self._last_duration))

    def _save_later(self, delay: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(delay, self._start_saving)

    def _start_saving(self) -> None:
        self._timer = None
        self._saving = asyncio.get_running_loop().create_task(self._save())

    async def _save(self) -> None:
        self._changed = False
        started = time.monotonic()
        try:
            await self._write(snapshot.take(self._store))
        except OSError as error:
            if not self._failing:
                _LOGGER.error(
                    "Cannot save the state, trying again and again: %s", error
                )
            self._failing = True
        else:
            if self._failing:
                _LOGGER.info("The state is saved again")
            self._failing = False
        self._last_duration = time.monotonic() - started
        self._saving = None
        if not self._loaded:
            return
        if self._failing:
            self._save_later(RETRY_DELAY)
        elif self._changed:
            self._note_change()

    async def _write(self, rows: Snapshot) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(
            self._workers, _write_file, self._path.resolve(), rows
        )

    def _read(self) -> bytes | None:
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None

    def _restore(self, text: bytes) -> None:
        try:
            snapshot.restore(self._store, _document(text))
        except DamagedError as error:
            raise StateFileError(
                f"the state file {self._path} is damaged ({error}); it was left as it is: "
                "repair it, or move it away to start afresh"
            ) from error


def _document(text: bytes) -> JsonObject:
    try:
        document = decode(text, any_size=True)
    except NotAnObjectError as error:
        raise DamagedError("it is not JSON") from error
    if document.get("format") != FORMAT:
        raise DamagedError("it is no state file of this version")
    return document


def _write_file(path: Path, rows: Snapshot) -> None:
    """Replace the file by one with these rows, readable by its owner alone: it holds keys."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.writelines(_lines(rows))
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _lines(rows: Snapshot) -> Iterator[str]:
    """Write one record a line: people can read it, and other threads have their turn between."""
    yield f'{{"format": {json.dumps(FORMAT)}'
    for table, records in rows.items():
        names = snapshot.columns(table)
        yield f',\n"{table}": ['
        separator = "\n"
        for record in records:
            yield separator + json.dumps(dict(zip(names, record, strict=True)))
            separator = ",\n"
        yield "]"
    yield "}\n"
