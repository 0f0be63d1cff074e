"""The datapoints of a datastream as a file of comma-separated values."""

from contextlib import aclosing
import csv
import io
import re
from typing import Any

from aiohttp import web

from local_cloud.models import DIMENSIONS, Datapoint
from local_cloud.times import LAST_TIME, ZERO_TIME

from ..measured import Measured, measured
from ..rendering import iso
from ..responses import secured
from ..routing import Route
from ..values import shown
from ..visits import Visit
from .chart import whole_number

_UNREAD = 60.0
"""Seconds for which a browser may leave a part of the file unread."""
_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def export(visit: Visit, number: int, stream: int) -> web.StreamResponse:
    """Send all datapoints, or those from `start` to `end` in epoch seconds, the earliest first.

    They are read as fast as the browser takes them, so a long file costs no memory. A text that a
    spreadsheet would take for a formula has an apostrophe in front.
    """
    found = measured(visit, number, stream)
    start = whole_number(visit.query, "start", ZERO_TIME)
    end = max(whole_number(visit.query, "end", LAST_TIME), start)
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{_file_name(found)}"',
        }
    )
    secured(response)
    visit.allow(_UNREAD)
    await response.prepare(visit.http)
    if visit.http.method == "HEAD":
        return response
    await response.write(_lines([["time", "epoch", *DIMENSIONS]]))
    pages = visit.cloud.datapoints(
        found.held.device, found.stream.name, start=start, end=end
    )
    async with aclosing(pages):
        async for page in pages:
            visit.allow(_UNREAD)
            await response.write(_lines([_row(point) for point in page]))
    return response


def _file_name(found: Measured) -> str:
    """Return a name of ASCII letters, digits, hyphens and dots."""
    stream = re.sub(r"[^a-zA-Z0-9_-]", "_", found.stream.name)
    return f"device-{found.held.device.id}-{stream}.csv"


def _row(point: Datapoint) -> list[str]:
    values = (point.values.get(name) for name in DIMENSIONS)
    return [iso(point.at), str(point.at), *map(_cell, values)]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_BEGINS_FORMULA):
        return f"'{value}"
    return shown(value)


def _lines(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    # A lone surrogate has no UTF-8 form.
    return text.getvalue().encode("utf-8", "replace")


ROUTES = (Route("GET", "/devices/{number:number}/data/{stream:number}/csv", export),)
