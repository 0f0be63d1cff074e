"""Datapoints that a cloud has from earlier, and what the disk alone takes."""

import os
from pathlib import Path
import sqlite3
from time import perf_counter

from .numbers import median

POINTS_PER_STREAM = 10_000
_FIRST_ID = 1_000_000
_PAGE = b"\0" * 4096


def fill(database: Path, count: int) -> None:
    """Put so many datapoints into a cloud's database, of a device that is nobody's."""
    connection = sqlite3.connect(database)
    columns = [row[1] for row in connection.execute("PRAGMA table_info(devices)")][1:]
    names = ", ".join(columns)
    connection.execute(
        f"INSERT INTO devices (id, {names}) SELECT {_FIRST_ID}, {names} FROM devices LIMIT 1"  # noqa: S608 - the schema's names
    )
    for number in range(-(-count // POINTS_PER_STREAM)):
        connection.execute(
            "INSERT INTO datastreams VALUES (?, 1700000000, 1700000000, 1, ?, ?, 'null')",
            (_FIRST_ID + number, _FIRST_ID, f"old{number}"),
        )
        points = min(POINTS_PER_STREAM, count - number * POINTS_PER_STREAM)
        connection.executemany(
            "INSERT INTO datapoints VALUES (?, ?, ?, ?, ?)",
            (
                (
                    _FIRST_ID + number,
                    1700000000 + 60 * point,
                    _FIRST_ID + number * POINTS_PER_STREAM + point,
                    1700000000 + 60 * point,
                    '{"x": 21.5, "y": 48.25}',
                )
                for point in range(points)
            ),
        )
    connection.execute(
        "INSERT INTO last_ids VALUES ('datapoints', ?) ON CONFLICT (name) DO UPDATE SET id = excluded.id",
        (_FIRST_ID + count,),
    )
    connection.commit()
    connection.close()


def sync_milliseconds(folder: Path, times: int) -> float:
    """Return how long the disk takes for one page that has to be there: the median of some."""
    took = []
    with (folder / "page").open("ab", buffering=0) as file:
        for _ in range(times):
            begin = perf_counter()
            file.write(_PAGE)
            os.fdatasync(file.fileno())
            took.append((perf_counter() - begin) * 1000)
    return median(took)
