"""What the database is asked of the datapoints of one datastream; for the thread that reads it."""

import sqlite3
from typing import Any

from .models import DIMENSIONS, Datapoint
from .rows import point_from
from .times import LAST_TIME, ZERO_TIME

type Position = tuple[int, int]
"""Where a datapoint stands among those of its datastream: when it was measured, and its id."""

_LAST_ID = (1 << 63) - 1
_HISTORY = """
SELECT datastream_id, at, id, created, point FROM datapoints
WHERE datastream_id = ? AND at BETWEEN ? AND ? ORDER BY at DESC, id DESC LIMIT ? OFFSET ?
"""
_LATER = """
SELECT datastream_id, at, id, created, point FROM datapoints
WHERE datastream_id = ? AND (at, id) > (?, ?) AND (at, id) <= (?, ?) ORDER BY at, id LIMIT ?
"""
_EARLIER = """
SELECT datastream_id, at, id, created, point FROM datapoints
WHERE datastream_id = ? AND (at, id) >= (?, ?) AND (at, id) < (?, ?)
ORDER BY at DESC, id DESC LIMIT ?
"""
_COUNT = """
SELECT COUNT(*) FROM (
    SELECT 1 FROM datapoints WHERE datastream_id = ? AND at BETWEEN ? AND ? LIMIT ?)
"""
_ENDS = """
SELECT (SELECT MIN(at) FROM datapoints WHERE datastream_id = ?1),
    (SELECT MAX(at) FROM datapoints WHERE datastream_id = ?1)
"""
_SKIP = """
SELECT at, id FROM datapoints
WHERE datastream_id = ? AND (at, id) > (?, ?) AND (at, id) <= (?, ?)
ORDER BY at, id LIMIT 1 OFFSET ?
"""


def _summary() -> str:
    # Numbers alone have these types; TOTAL has no overflow, which SUM of whole numbers has. The
    # limit, which is none, keeps SQLite from looking for a value again in each place that names it.
    values = ", ".join(f"point ->> '{name}' AS {name}" for name in DIMENSIONS)
    parts = ", ".join(
        f"{part}({name}) FILTER (WHERE typeof({name}) IN ('integer', 'real'))"
        for name in DIMENSIONS
        for part in ("COUNT", "TOTAL", "MIN", "MAX")
    )
    return f"""
SELECT (at - ?) / ? AS bucket, COUNT(*), {parts} FROM (
    SELECT at, {values} FROM datapoints
    WHERE datastream_id = ? AND (at, id) > (?, ?) AND (at, id) <= (?, ?) AND id % ? = 0
    LIMIT -1)
GROUP BY bucket ORDER BY bucket
"""  # noqa: S608 - our own names


_SUMMARY = _summary()


def is_position(at: int, number: int) -> bool:
    """Say whether a datapoint may stand there."""
    return ZERO_TIME <= at <= LAST_TIME and 0 <= number <= _LAST_ID


def before(at: int) -> Position:
    """Return the position before all datapoints of a time."""
    return at, 0


def after(at: int) -> Position:
    """Return the position after all datapoints of a time."""
    return at, _LAST_ID


def history(
    reader: sqlite3.Connection,
    datastream_id: int,
    start: int,
    end: int,
    *,
    offset: int,
    count: int,
) -> list[Datapoint]:
    """Return datapoints with start <= at <= end, the latest first."""
    wanted = datastream_id, start, end, count, offset
    return [point_from(row) for row in reader.execute(_HISTORY, wanted)]


def later(
    reader: sqlite3.Connection,
    datastream_id: int,
    first: Position,
    last: Position,
    count: int,
) -> list[Datapoint]:
    """Return datapoints after `first`, up to `last` with it, the earliest first."""
    wanted = datastream_id, *first, *last, count
    return [point_from(row) for row in reader.execute(_LATER, wanted)]


def earlier(
    reader: sqlite3.Connection,
    datastream_id: int,
    first: Position,
    last: Position,
    count: int,
) -> list[Datapoint]:
    """Return datapoints from `first` with it, before `last`, the latest first."""
    wanted = datastream_id, *first, *last, count
    return [point_from(row) for row in reader.execute(_EARLIER, wanted)]


def count(
    reader: sqlite3.Connection,
    datastream_id: int,
    start: int,
    end: int,
    most: int,
) -> int:
    """Return how many datapoints have start <= at <= end, or `most` where there are more."""
    wanted = datastream_id, start, end, most
    return int(reader.execute(_COUNT, wanted).fetchone()[0])


def ends(reader: sqlite3.Connection, datastream_id: int) -> tuple[int, int] | None:
    """Return when the first and the last datapoint were measured, None where there is none."""
    first, last = reader.execute(_ENDS, (datastream_id,)).fetchone()
    return None if first is None else (first, last)


def summarized(
    reader: sqlite3.Connection,
    datastream_id: int,
    *,
    start: int,
    width: int,
    first: Position,
    last: Position,
    most: int,
    sample: int,
) -> tuple[list[tuple[Any, ...]], Position | None]:
    """Summarize the first `most` datapoints after `first` and up to `last`, one of each `sample`.

    Returns a row for each bucket of `width` seconds, counted from `start`, that has any: its number,
    how many datapoints it has, and for each of DIMENSIONS how many numbers, their sum, the least and
    the greatest one. With it comes where to go on, None where that was all.
    """
    wanted = datastream_id, *first, *last, most - 1
    found = reader.execute(_SKIP, wanted).fetchone()
    until = last if found is None else found
    rows = reader.execute(
        _SUMMARY, (start, width, datastream_id, *first, *until, sample)
    ).fetchall()
    return rows, found
