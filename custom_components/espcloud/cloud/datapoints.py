"""Datapoints that the cloud has stored (protocol.md §2.7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from .errors import UnexpectedAnswerError
from .fields import epoch, number, read_each

DIMENSIONS = ("x", "y", "z", "k", "l")
"""The values of a datapoint, in the protocol's order."""


@dataclass(frozen=True, slots=True)
class StoredPoint:
    """What a device posted at some time.

    Attributes:
        at: the time, in epoch seconds.
        values: those of x, y, z, k, l that are there: numbers, or an object of numbers for
            `z`, the colour of newer lights (protocol.md §4).
    """

    at: int
    values: Mapping[str, Any]

    @classmethod
    def list_from_answer(cls, answer: Mapping[str, Any]) -> list[Self]:
        """Read an answer that holds `datapoints`, and put the newest first.

        A point without a time or a value is left out.

        Raises:
            UnexpectedAnswerError: there is no list at all.
        """
        points = read_each(answer, "datapoints", cls._from_record)
        # Points of one time keep the order in which the cloud has them.
        return sorted(points, key=lambda point: point.at, reverse=True)

    @classmethod
    def _from_record(cls, point: Mapping[str, Any]) -> Self:
        at = epoch(point.get("at"))
        values = {
            name: value
            for name in DIMENSIONS
            if (value := _value(name, point.get(name))) is not None
        }
        if at is None or not values:
            raise UnexpectedAnswerError("a datapoint without a time or a value")
        return cls(at, values)


def _value(name: str, value: Any) -> float | dict[str, float] | None:
    if name == "z" and isinstance(value, dict):
        parts = {part: number(each) for part, each in value.items()}
        return {part: each for part, each in parts.items() if each is not None} or None
    return number(value)
