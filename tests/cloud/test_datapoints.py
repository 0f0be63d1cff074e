"""What is read of stored datapoints."""

import math
from typing import Any

from hypothesis import given, settings
import pytest

from custom_components.espcloud.cloud import StoredPoint, UnexpectedAnswerError

from .helpers import altered

POINT = {
    "updated": 1574751401,
    "created": 1574751401,
    "visibly": 1,
    "datastream_id": 4,
    "at": 1574751400,
    "x": 3,
    "y": "25.50",
    "z": {"red": 255, "green": "7", "blue": None},
    "id": 77,
}


def read(*points: Any) -> list[StoredPoint]:
    """Return what is read of these points."""
    return StoredPoint.list_from_answer({"datapoints": list(points), "status": 200})


def test_point() -> None:
    """The values that are there, as numbers, and of a colour its numbers."""
    (point,) = read(POINT)
    assert point.at == 1574751400
    assert point.values == {"x": 3, "y": 25.5, "z": {"red": 255, "green": 7}}
    assert type(point.values["x"]) is int


def test_newest_first() -> None:
    """Those of one time keep their order: it is that of a sensor's series."""
    points = read(
        *({"at": at, "x": x} for at, x in ((5, 0), (9, 1), (5, 2), (7, 3), (9, 4)))
    )
    assert [(point.at, point.values["x"]) for point in points] == [
        (9, 1),
        (9, 4),
        (7, 3),
        (5, 0),
        (5, 2),
    ]


@pytest.mark.parametrize(
    ("written", "value"),
    [("25.31", 25.31), ("-7", -7), ("+1.5e3", 1500), ("5.", 5), ("0", 0), (-0.5, -0.5)],
)
def test_number(written: Any, value: float) -> None:
    """A number, or the text of one."""
    assert read({"at": 1, "x": written})[0].values == {"x": value}


@pytest.mark.parametrize(
    "trash",
    [
        None,
        True,
        "",
        "on",
        "nan",
        "inf",
        "1_000",
        "0x10",
        "٥",
        " 5",
        "5\n",
        "9" * 41,
        "1e999",
        math.inf,
        math.nan,
        [5],
        {"red": 5},
    ],
)
def test_value_that_is_no_number(trash: Any) -> None:
    """It is left out, the others of its point are not."""
    assert read({"at": 1, "x": trash, "y": 2})[0].values == {"y": 2}


@pytest.mark.parametrize("trash", [{}, {"red": None}, {"red": {"red": 5}}, [], "red"])
def test_colour_without_a_number(trash: Any) -> None:
    """Only `z` may be an object, of numbers."""
    assert read({"at": 1, "x": 2, "z": trash})[0].values == {"x": 2}


@pytest.mark.parametrize(
    "odd",
    [
        None,
        [],
        {"x": 1},
        {"at": 5},
        {"at": 5, "w": 1},
        {"at": -1, "x": 1},
        {"at": 10**15, "x": 1},
        {"at": "2019-11-26 14:56:56", "x": 1},
        {"at": True, "x": 1},
    ],
)
def test_odd_point_does_not_hide_the_rest(odd: Any) -> None:
    """A point without a time, or without a value, is none."""
    assert read(odd, POINT) == read(POINT)


@pytest.mark.parametrize("answer", [{}, {"datapoints": None}, {"datapoints": {}}])
def test_points_unusable(answer: dict[str, Any]) -> None:
    """No list is not an empty list."""
    with pytest.raises(UnexpectedAnswerError):
        StoredPoint.list_from_answer(answer)


@settings(max_examples=100, deadline=None, database=None)
@given(altered({"datapoints": [POINT]}))
def test_any_points(answer: dict[str, Any]) -> None:
    """Anything in any place gives points that can be shown, or the one error."""
    try:
        points = StoredPoint.list_from_answer(answer)
    except UnexpectedAnswerError:
        return
    for point in points:
        assert 0 <= point.at < 10**12
        for name, value in point.values.items():
            parts = (
                value.values() if name == "z" and isinstance(value, dict) else [value]
            )
            assert all(math.isfinite(part) for part in parts)
