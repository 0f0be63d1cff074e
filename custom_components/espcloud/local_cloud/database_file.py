"""The file of the database, as a worker thread sees it; nothing here is for the event loop."""

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
import fcntl
import os
from pathlib import Path
import sqlite3
from typing import Self

from . import schema
from .errors import StateFileError
from .file_copying import (
    FileCopying,
    begin_log,
    log_of,
    set_checkpoints,
    set_foreign_log_aside,
)
from .rows import TABLES, DamagedError, Row, columns

_MAGIC = b"SQLite format 3\x00"
_HEADER = 100
"""Bytes of SQLite's header, in which its mark and the application's id stand."""
_WAL_LIMIT = 16 << 20
"""Bytes that the log of changes may keep when they have gone over into the database."""
_TRIM = """
DELETE FROM datapoints WHERE datastream_id = ?1 AND (at, id) <= (
    SELECT at, id FROM datapoints WHERE datastream_id = ?1
    ORDER BY at DESC, id DESC LIMIT 1 OFFSET ?2)
"""
_EXPIRE = """
DELETE FROM datapoints WHERE datastream_id = ?1 AND (at, id) IN (
    SELECT at, id FROM datapoints WHERE datastream_id = ?1 AND at < ?2 ORDER BY at, id LIMIT ?3)
"""


class StorageError(Exception):
    """Something could not be written, all of it: the disk is full, for example."""


@dataclass(slots=True)
class Rows:
    """What is written in one transaction: rows by table, and ids of rows that go."""

    changed: dict[str, list[Row]] = field(default_factory=dict)
    removed: dict[str, list[tuple[int]]] = field(default_factory=dict)
    points: list[Row] = field(default_factory=list)
    contents: list[tuple[int, bytes]] = field(default_factory=list)
    trims: list[tuple[int, int]] = field(default_factory=list)
    """Datastreams and how many datapoints they keep."""
    activity: list[tuple[int, int, int, int]] = field(default_factory=list)
    """What a device has of rows.ACTIVITY, and its id."""
    last_ids: list[tuple[str, int]] = field(default_factory=list)


class DatabaseFile:
    """One SQLite database, which no other process uses meanwhile.

    It is in memory where there is no path.
    """

    def __init__(self, path: Path | None, lock: _Lock | None) -> None:
        """Take an open lock; `open` is how to get here."""
        self._path = path
        self._lock = lock
        self._copying: FileCopying | None = None
        self._writer = self._reader = self._connect()

    @classmethod
    def open(cls, path: Path | None, *, is_held: bool = False) -> Self:
        """Open the database, which is made if there is none, and bring its tables up to date.

        A file that `is_held` does not change before `let_go`: somebody copies it already.
        Raises StateFileError for a file that another process uses, that is damaged or no database of
        local_cloud, that a newer version has written, or that cannot be used; it stays as it is.
        """
        if path is None:
            memory = cls(None, None)
            schema.create(memory._writer)
            _prepare(memory._writer)
            return memory
        path = path.resolve()
        with explained(path):
            lock = _Lock(path)
            try:
                if not path.exists():
                    _make(path)
                _check_header(path)
                set_foreign_log_aside(path)
                database = cls(path, lock)
            except BaseException:
                lock.release()
                raise
            try:
                database._take_up(is_held=is_held)
            except BaseException:
                database.close()
                raise
        return database

    def rows(self) -> Mapping[str, Iterable[Row]]:
        """Return all rows but the datapoints and the contents of firmware, of which it counts."""
        select = {name: f'"{'", "'.join(columns(name))}"' for name in TABLES}
        select["last_ids"] = "name, id"
        read = self._reader.execute
        rows = {
            name: read(f'SELECT {names} FROM "{name}" ORDER BY 1')  # noqa: S608 - our own names
            for name, names in select.items()
        }
        count = "SELECT datastream_id, COUNT(*) FROM datapoints GROUP BY datastream_id"
        size = "SELECT id, length(content) FROM rom_contents"
        return {**rows, "points": read(count), "contents": read(size)}

    def write(self, rows: Rows) -> None:
        """Write all of it and return when it is on the disk. Raises StorageError, and none of it is."""
        writer = self._writer
        try:
            self._settle()
            writer.execute("BEGIN IMMEDIATE")
            for table, changed in rows.changed.items():
                writer.executemany(_UPSERTS[table], changed)
            for table, removed in rows.removed.items():
                writer.executemany(f'DELETE FROM "{table}" WHERE id = ?', removed)  # noqa: S608 - our own names
            writer.executemany(
                "INSERT INTO datapoints (datastream_id, at, id, created, point) "
                "VALUES (?, ?, ?, ?, ?)",
                rows.points,
            )
            writer.executemany(
                "INSERT INTO rom_contents (id, content) VALUES (?, ?)", rows.contents
            )
            writer.executemany(_TRIM, rows.trims)
            writer.executemany(
                "UPDATE devices SET last_push = ?, last_pull = ?, last_active = ? WHERE id = ?",
                rows.activity,
            )
            writer.executemany(
                "INSERT INTO last_ids (name, id) VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET id = excluded.id",
                rows.last_ids,
            )
            writer.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            with suppress(sqlite3.Error):
                writer.execute("ROLLBACK")
            raise StorageError(str(error)) from error
        self._committed()

    @property
    def reader(self) -> sqlite3.Connection:
        """What queries are asked of, on a thread of their own unless it is in memory."""
        return self._reader

    def content(self, rom_id: int) -> bytes | None:
        """Return what is in a firmware file, None where there is none."""
        query = "SELECT content FROM rom_contents WHERE id = ?"
        row = self._reader.execute(query, (rom_id,)).fetchone()
        return row and bytes(row[0])

    def expire(self, datastream_id: int, before: int, most: int) -> int:
        """Delete datapoints from before a time, at most so many of the oldest; return how many.

        Raises StorageError.
        """
        try:
            self._settle()
            wanted = datastream_id, before, most
            count = self._writer.execute(_EXPIRE, wanted).rowcount
        except sqlite3.Error as error:
            raise StorageError(str(error)) from error
        self._committed()
        return count

    def hold(self) -> None:
        """Have all of it in the file, which stays as it is until `let_go`; writes go on.

        Raises StorageError, upon which it is as it was. See `file_copying`.
        """
        if self._copying is not None:
            try:
                self._copying.hold()
            except sqlite3.Error as error:
                raise StorageError(str(error)) from error

    def let_go(self) -> None:
        """Let the file change again."""
        if self._copying is not None:
            self._copying.let_go()

    def _settle(self) -> None:
        if self._copying is not None:
            self._copying.settle()

    def _committed(self) -> None:
        if self._copying is not None:
            self._copying.check()

    def size(self) -> int:
        """Return how many bytes the database has, with its log of changes."""
        if self._path is None:
            pages, size = (
                self._writer.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "page_size")
            )
            return int(pages * size)
        files = self._path, log_of(self._path)
        return sum(path.stat().st_size for path in files if path.exists())

    def close(self) -> None:
        """Close it; another process may have it now. What is held stays as it is."""
        self._reader.close()
        self._writer.close()
        if self._lock is not None:
            self._lock.release()

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self._path or ":memory:", isolation_level=None, check_same_thread=False
        )

    def _take_up(self, *, is_held: bool) -> None:
        """Begin to use the file; nothing is written before it was seen to be whole."""
        assert self._path is not None
        set_checkpoints(self._writer, are_on=False)
        self._check()
        _prepare(self._writer)
        self._reader = self._connect()
        _prepare(self._reader)
        self._copying = FileCopying(
            self._path, self._writer, self._reader, is_held=is_held
        )

    def _check(self) -> None:
        """Raise DamagedError or StateFileError unless the tables are whole and of this version."""
        (version,) = self._writer.execute("PRAGMA user_version").fetchone()
        if version > schema.VERSION:
            raise StateFileError(
                f"the state file {self._path} was written by a newer version of local_cloud "
                f"(its tables have version {version}, this one knows {schema.VERSION}); "
                "it was left as it is: install that version"
            )
        if version < 1:
            raise DamagedError("its version is missing")
        found = self._writer.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise DamagedError(found)
        begin_log(self._writer)
        if version < schema.VERSION:
            schema.migrate(self._writer, version)


def _prepare(connection: sqlite3.Connection) -> None:
    """Have every commit reach the disk, and nobody who reads wait for one."""
    connection.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; "
        f"PRAGMA journal_size_limit = {_WAL_LIMIT};"
    )


def _upsert(table: str) -> str:
    """Return what adds a row or replaces that of the same id."""
    names = [f'"{name}"' for name in columns(table)]
    return (
        f'INSERT INTO "{table}" ({", ".join(names)}) '  # noqa: S608 - our own names
        f"VALUES ({', '.join('?' * len(names))}) ON CONFLICT (id) DO UPDATE SET "
        + ", ".join(f"{name} = excluded.{name}" for name in names[1:])
    )


_UPSERTS = {table: _upsert(table) for table in TABLES}


class _Lock:
    """A file beside the database that says which process uses it.

    The system gives it up with the process, however that ends.
    """

    def __init__(self, path: Path) -> None:
        """Get hold of it. Raises OSError, and StateFileError where another process has it."""
        self._path = path.with_name(f"{path.name}.lock")
        while True:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.read(self._file, 32).decode("ascii", "replace").strip()
                os.close(self._file)
                raise StateFileError(
                    f"the state file {path} is in use by process {holder or '?'}: "
                    "end that one first, or name another file"
                ) from None
            # Whoever had it may have deleted it between the two steps.
            with suppress(FileNotFoundError):
                if self._path.stat().st_ino == os.fstat(self._file).st_ino:
                    break
            os.close(self._file)
        os.truncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give it up, and leave no file behind."""
        self._path.unlink(missing_ok=True)
        os.close(self._file)


def _make(path: Path) -> None:
    """Make an empty database, readable by its owner alone: it will hold keys.

    It is there only when it is whole.
    """
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    connection = sqlite3.connect(new, isolation_level=None)
    try:
        schema.create(connection)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    finally:
        connection.close()
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _check_header(path: Path) -> None:
    """Raise DamagedError for a file that is no database of local_cloud, before SQLite touches it."""
    with path.open("rb") as file:
        header = file.read(_HEADER)
    if len(header) < _HEADER or not header.startswith(_MAGIC):
        raise DamagedError("it is no database")
    if int.from_bytes(header[68:72]) != schema.APPLICATION_ID:
        raise DamagedError("it is the database of something else")
    path.chmod(0o600)


@contextmanager
def explained(path: Path | None) -> Generator[None]:
    """Raise StateFileError, which says what to do, for what goes wrong with the file."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        raise StateFileError(f"cannot use the state file {path}: {error}") from error
    except (DamagedError, sqlite3.Error, UnicodeError) as error:
        raise StateFileError(
            f"the state file {path} is damaged ({error}); it was left as it is: "
            "repair it, or move it away to start afresh"
        ) from error
