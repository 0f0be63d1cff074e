"""The datapoints of a time, for the script that draws them."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from local_cloud.errors import ApiError
from local_cloud.models import DIMENSIONS
from local_cloud.summaries import MAX_BUCKETS, Extent, Summary
from local_cloud.wire import JsonObject

from ..measured import measured
from ..responses import json_response
from ..routing import Route
from ..visits import Visit

_PATIENCE = 60.0
"""Seconds that a summary of very many datapoints may take."""

_MANY = 200_000
"""Datapoints from which on a first look is worth it: all of them take more than half a second."""
_SAMPLE = 40_000
"""Datapoints of a first look."""


async def summary(visit: Visit, number: int, stream: int) -> web.StreamResponse:
    """Tell what was measured from `start` to `end`, both in epoch seconds, in at most `buckets`.

    Without a `start` it is from the first datapoint, without an `end` to the last. With `preview` very
    many datapoints are summarized by a sample of them; the answer says so in `is_preview`.
    """
    found = measured(visit, number, stream)
    device, name = found.held.device, found.stream.name
    query = visit.query
    buckets = whole_number(query, "buckets", MAX_BUCKETS)
    visit.allow(_PATIENCE)
    extent = await visit.cloud.extent(device, name)
    start = whole_number(query, "start", extent.first if extent else 0)
    end = whole_number(query, "end", extent.last if extent else 0)
    sample = _sample(extent, start, end) if "preview" in query else 1
    found_points = await visit.cloud.summarize(
        device, name, start, end, buckets, sample=sample
    )
    told = {"start": start, "end": end, "is_preview": sample > 1}
    return json_response(told | _columns(found_points))


def _sample(extent: Extent | None, start: int, end: int) -> int:
    """Return of how many datapoints one is enough for a first look, as far as can be told quickly."""
    if extent is None:
        return 1
    whole = max(extent.last - extent.first, 1)
    part = min(end, extent.last) - max(start, extent.first)
    many = extent.count * max(part, 0) // whole
    return many // _SAMPLE if many > _MANY else 1


def whole_number(query: Mapping[str, str], name: str, default: int) -> int:
    """Return a number of a query. Raises ApiError 400 for what is none."""
    text = query.get(name, "")
    if not text:
        return default
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 16):
        raise ApiError(400, f"{name} must be a whole number")
    return int(text)


def _columns(found: Summary) -> JsonObject:
    """Return a summary by columns, as charts want it; null where a dimension has no number.

    `series` has for each dimension the means of the buckets with the least and the greatest values,
    or where there are points themselves their values as `mean` alone.
    """
    if not found.buckets:
        values = {
            name: [_number(point.values.get(name)) for point in found.points]
            for name in DIMENSIONS
        }
        return {
            "width": 0,
            "at": [point.at for point in found.points],
            "counts": [1] * len(found.points),
            "series": {
                name: {"mean": column}
                for name, column in values.items()
                if any(value is not None for value in column)
            },
        }
    series: JsonObject = {}
    for name in DIMENSIONS:
        spans = [bucket.spans.get(name) for bucket in found.buckets]
        if any(spans):
            series[name] = {
                part: [getattr(span, part) if span else None for span in spans]
                for part in ("least", "mean", "greatest")
            }
    return {
        "width": found.width,
        "at": [bucket.at for bucket in found.buckets],
        "counts": [bucket.count for bucket in found.buckets],
        "series": series,
    }


def _number(value: Any) -> int | float | None:
    return value if isinstance(value, int | float) else None


ROUTES = (
    Route("GET", "/devices/{number:number}/data/{stream:number}/summary", summary),
)
