"""Many datapoints as few: what a chart shows of a datastream."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .models import DIMENSIONS, Datapoint

MAX_BUCKETS = 2000
"""Intervals of one summary: more than a screen has columns."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How far the datapoints of a datastream go, in epoch seconds, and how many there are."""

    first: int
    last: int
    count: int


@dataclass(frozen=True, slots=True)
class Span:
    """The numbers of one dimension in an interval: the least, their mean, the greatest."""

    least: float
    mean: float
    greatest: float


@dataclass(frozen=True, slots=True)
class Bucket:
    """What was measured in an interval.

    `at` is its first second, `count` the number of datapoints; `spans` has the dimensions of which
    there is a number. A text is none, whatever it says, nor is a color.
    """

    at: int
    count: int
    spans: dict[str, Span]


@dataclass(frozen=True, slots=True)
class Summary:
    """The datapoints of a time, the earliest first: themselves, or where there are many, buckets.

    `width` is how many seconds a bucket has, 0 where there are none but `points`.
    """

    width: int
    points: list[Datapoint]
    buckets: list[Bucket]


class Totals:
    """Adds up what parts of the datapoints say of the same buckets."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._counts: dict[int, int] = {}
        self._parts: dict[tuple[int, str], tuple[int, float, float, float]] = {}

    def add(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Add rows of `datapoint_queries.summarized`."""
        for number, points, *parts in rows:
            self._counts[number] = self._counts.get(number, 0) + points
            for index, name in enumerate(DIMENSIONS):
                count, total, least, greatest = parts[index * 4 : index * 4 + 4]
                if not count:
                    continue
                if (known := self._parts.get((number, name))) is not None:
                    count += known[0]
                    total += known[1]
                    least = min(least, known[2])
                    greatest = max(greatest, known[3])
                self._parts[number, name] = count, total, least, greatest

    def buckets(self, start: int, width: int) -> Iterator[Bucket]:
        """Return the buckets in their order; the first of them begins at `start`."""
        for number, count in sorted(self._counts.items()):
            spans = {
                name: Span(part[2], part[1] / part[0], part[3])
                for name in DIMENSIONS
                if (part := self._parts.get((number, name))) is not None
            }
            yield Bucket(start + number * width, count, spans)
