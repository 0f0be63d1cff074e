"""Keeping the database's file still while somebody copies it, and knowing such a copy again.

What is written goes into the log beside the file (`-wal`) and from there into the file with a
checkpoint, by SQLite itself after every so many pages and when the last connection closes
(https://sqlite.org/wal.html). A copy of the file alone is whole if no checkpoint is missing at its
start and none runs until its end; writes do not matter, they are in the log.

A log fits the one state of the file on which it began, and SQLite cannot tell: the salts and checksums in
the log say which of its frames belong together, not to which file. A file that was restored beside
a newer log would be a mixture of both. So a copy carries a mark: a number that is put into the file as
the last thing before it is held, and whose negative is the first thing in the log from then on, be it
the log of the file that was copied or of the copy. So the log beside a file with a mark is its own
exactly if it has that. Any other one is set aside under another name, and the copy is used as it is.
A copy that was made in another way has no mark, and whatever log is beside it is taken for its own.
"""

from contextlib import closing
import logging
from pathlib import Path
import secrets
import sqlite3

_LOGGER = logging.getLogger(__name__)

LOG_LIMIT = 256 << 20
"""Bytes of the log above which a file is held no more.

Somebody may have died over the copying. A home writes some KB in a second, so a backup has hours; and
the smallest disk on which Home Assistant runs has room for it.
"""
_PAGES = 1000
"""Pages of the log after which SQLite runs a checkpoint, where nobody says otherwise."""
_TABLE = """
CREATE TABLE IF NOT EXISTS copy_mark (id INTEGER PRIMARY KEY, number INTEGER NOT NULL) STRICT;
INSERT OR IGNORE INTO copy_mark (id, number) VALUES (1, 0);
"""


class FileCopying:
    """Holds the file of a database; for the thread that writes it."""

    def __init__(
        self,
        path: Path,
        writer: sqlite3.Connection,
        reader: sqlite3.Connection,
        *,
        is_held: bool,
    ) -> None:
        """Begin with a file that is held already, for somebody copies it, or is not."""
        self._path = path
        self._writer = writer
        self._connections = (writer, reader)
        self._is_held = is_held
        set_checkpoints(*self._connections, are_on=not is_held)
        self._owed = 0
        """What the mark has to become before anything else is written."""

    def hold(self) -> None:
        """Bring the file up to date, and let it stay as it is from now on.

        Raises sqlite3.Error where that does not succeed, upon which it is not held.
        """
        set_checkpoints(*self._connections, are_on=False)
        self._is_held = True
        try:
            self._writer.executescript(_TABLE)
            self.settle()
            self._checkpoint()
            number = 1 + secrets.randbelow(1 << 62)
            self._owed = -number
            # One page, so that the file has all of it or nothing; the rest is there already.
            self._mark(number)
            try:
                self._checkpoint()
            finally:
                self.settle()
        except sqlite3.Error:
            self.let_go()
            raise

    def settle(self) -> None:
        """Write what is owed, on which everything else rests. Raises sqlite3.Error."""
        if self._owed:
            self._mark(self._owed)
            self._owed = 0

    def let_go(self) -> None:
        """Let the file change again, with the next commit."""
        if self._is_held:
            self._is_held = False
            set_checkpoints(*self._connections, are_on=True)

    def check(self) -> None:
        """Let go of the file if the log has become too long; called after every commit."""
        if self._is_held and log_of(self._path).stat().st_size > LOG_LIMIT:
            self.let_go()
            _LOGGER.warning(
                "A backup of %s takes too long: the log of changes has %d MiB. The file changes again, "
                "and is not whole in that backup",
                *(self._path, LOG_LIMIT >> 20),
            )

    def _checkpoint(self) -> None:
        """Take all of the log over into the file, and leave none of it."""
        busy, _, _ = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise sqlite3.OperationalError("another program is reading the file")

    def _mark(self, number: int) -> None:
        self._writer.execute("UPDATE copy_mark SET number = ?", (number,))


def set_checkpoints(*connections: sqlite3.Connection, are_on: bool) -> None:
    """Say whether commits and the end of the connections run checkpoints."""
    for connection in connections:
        connection.execute(f"PRAGMA wal_autocheckpoint = {_PAGES if are_on else 0}")
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, not are_on)


def begin_log(connection: sqlite3.Connection) -> None:
    """Begin the log of a file that may be a copy, before anything else is written."""
    if _mark_of(connection) > 0:
        connection.execute("UPDATE copy_mark SET number = -number")


def set_foreign_log_aside(path: Path) -> None:
    """Rename the log beside a copy of which it is not the log; before anybody opens the file.

    Raises OSError.
    """
    log = log_of(path)
    if not log.exists() or not log.stat().st_size:
        return
    mark = _mark_in(f"{path.as_uri()}?immutable=1")  # without the log
    if mark <= 0 or _mark_in(path.as_uri()) == -mark:
        return
    aside = path.with_name(f"{path.name}-wal.other")
    log.replace(aside)
    _LOGGER.warning(
        "%s is a copy, and the log of changes beside it is not its own: that is %s now",
        *(path, aside),
    )


def log_of(path: Path) -> Path:
    """Return where SQLite keeps what is not in the file yet."""
    return path.with_name(f"{path.name}-wal")


def _mark_in(uri: str) -> int:
    """Return the number in a file, 0 where there is none to read."""
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
            return _mark_of(connection)
    except sqlite3.DatabaseError:
        return 0


def _mark_of(connection: sqlite3.Connection) -> int:
    tables = "SELECT 1 FROM sqlite_schema WHERE name = 'copy_mark'"
    if connection.execute(tables).fetchone() is None:
        return 0
    return int(connection.execute("SELECT number FROM copy_mark").fetchone()[0])
