"""A datastream with very many datapoints, put into the database of a server that is not running."""

from collections.abc import Iterator
import math
from pathlib import Path
import random
import sqlite3


def fill(
    database: Path, device: int, stream: str, *, count: int, last: int, every: int = 30
) -> None:
    """Give a device a new datastream: two dimensions, a point each `every` seconds up to `last`.

    It looks like a year of a room: warm and cold days, and noise. To have it posted would take minutes.
    """
    connection = sqlite3.connect(database)
    with connection:
        (number,) = connection.execute(
            "SELECT COALESCE(MAX(id), 0) + 1 FROM datastreams"
        ).fetchone()
        (first_id,) = connection.execute(
            "SELECT COALESCE(MAX(id), 0) + 1 FROM datapoints"
        ).fetchone()
        first = last - (count - 1) * every
        latest = f'[{first_id + count - 1}, {last}, {number}, {last}, {{"x": 21.5, "y": 48.25}}]'
        connection.execute(
            "INSERT INTO datastreams (id, created, updated, visibly, device_id, name, latest) "
            "VALUES (?, ?, ?, 1, ?, ?, ?)",
            (number, first, last, device, stream, latest),
        )
        connection.executemany(
            "INSERT INTO datapoints (datastream_id, at, id, created, point) VALUES (?, ?, ?, ?, ?)",
            _rows(number, first_id, first, every, count),
        )
        connection.execute(
            "INSERT INTO last_ids (name, id) VALUES ('datapoints', ?) "
            "ON CONFLICT (name) DO UPDATE SET id = excluded.id",
            (first_id + count - 1,),
        )
    connection.close()


def _rows(
    stream: int, first_id: int, first: int, every: int, count: int
) -> Iterator[tuple[int, int, int, int, str]]:
    noise = random.Random(1).random
    day = math.tau / 86400
    for index in range(count):
        at = first + index * every
        warmth = math.sin(at * day) + 3 * math.sin(at * day / 365)
        point = f'{{"x": {20 + 2 * warmth + noise():.2f}, "y": {50 - 5 * warmth + 3 * noise():.2f}}}'
        yield stream, at, first_id + index, at, point
