"""The judge of a soak sees what went wrong."""

import json
from pathlib import Path
import sqlite3

import pytest

from .house import Ledger


def database(folder: Path, *numbers: int) -> Path:
    """Return a database with such points, and one that nobody counts."""
    path = folder / "points.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE datapoints (point TEXT)")
    points = [{"x": float(number), "y": 1} for number in numbers]
    connection.executemany(
        "INSERT INTO datapoints VALUES (?)",
        [(json.dumps(point),) for point in [*points, {"x": 0.5}]],
    )
    connection.commit()
    connection.close()
    return path


@pytest.mark.parametrize(
    ("stored", "complaint"),
    [
        pytest.param([1000, 1001, 1002], "", id="all"),
        pytest.param([1000, 1001], "", id="one-that-nobody-was-told-of-is-missing"),
        pytest.param([1001, 1002], "1 acknowledged points are lost", id="lost"),
        pytest.param([1000, 1001, 1003], "nobody posted", id="invented"),
        pytest.param([1000, 1001, 1001], "stored twice", id="twice"),
        pytest.param([1000, 1000, 1001], "", id="sent-twice"),
    ],
)
def test_ledger(tmp_path: Path, stored: list[int], complaint: str) -> None:
    """What was acknowledged has to be there; what was not may be; nothing else is."""
    ledger = Ledger()
    first, second, _ = (ledger.next() for _ in range(3))
    ledger.acknowledged |= {first, second}
    ledger.once.add(second)
    path = database(tmp_path, *stored)
    if not complaint:
        assert f"{len(set(stored))} stored" in ledger.check(path)
        return
    with pytest.raises(AssertionError, match=complaint):
        ledger.check(path)
