"""What a device has measured: its datastreams, the datapoints of one, and storing another."""

from collections.abc import Mapping

from aiohttp import web

from local_cloud.errors import ApiError
from local_cloud.models import DIMENSIONS
from local_cloud.wire import JsonObject

from ..measured import dimensions_of, held_device, measured, templates_of, unit_of
from ..responses import redirect
from ..routing import Route
from ..tabs import tab
from ..values import value_of
from ..visits import Visit

_ROWS = 25
"""Datapoints on a page of the table."""


async def show(visit: Visit, number: int) -> web.StreamResponse:
    """Show the device's datastreams, and those that its product describes and that have none yet."""
    found = held_device(visit, number)
    templates = templates_of(visit, found)
    streams = sorted(
        visit.cloud.store.streams.of(found.device), key=lambda each: each.name
    )
    return visit.page(
        "data.html",
        **tab(visit, found, "data"),
        streams=[(each, unit_of(templates.pop(each.name, None))) for each in streams],
        awaited=sorted(templates),
    )


async def show_stream(visit: Visit, number: int, stream: int) -> web.StreamResponse:
    """Show the chart of a datastream, and its datapoints, the latest first."""
    found = measured(visit, number, stream)
    device, name = found.held.device, found.stream.name
    before = _position(visit.query.get("before", ""))
    points = await visit.cloud.newest(device, name, _ROWS + 1, before=before)
    rows = points[:_ROWS]
    last = rows[-1] if len(points) > _ROWS else None
    dimensions = {key for point in rows for key in point.values}
    return visit.page(
        "stream.html",
        **tab(visit, found.held, "data"),
        found=found,
        rows=rows,
        columns=[key for key in DIMENSIONS if key in dimensions] or ["x"],
        fields=dimensions_of(found.template, found.stream),
        before=before,
        older=f"{last.at}.{last.id}" if last else "",
        extent=await visit.cloud.extent(device, name),
    )


async def store(visit: Visit, number: int) -> web.StreamResponse:
    """Store a datapoint of now, as the device would."""
    form = await visit.form()
    found = held_device(visit, number)
    name = form.get("stream", "").strip()
    await visit.call(
        "POST",
        f"/v1/datastreams/{name}/datapoint/",
        {"datapoint": _values(form)},
        key=found.token,
    )
    stream = visit.cloud.store.streams.find(found.device, name)
    if stream is None:  # removed meanwhile
        raise ApiError(404, "no such datastream")
    return redirect(f"/devices/{number}/data/{stream.id}?done=stored")


def _values(form: Mapping[str, str]) -> JsonObject:
    values = {key: form.get(key, "").strip() for key in DIMENSIONS}
    return {key: value_of(text) for key, text in values.items() if text}


def _position(text: str) -> tuple[int, int] | None:
    """Return where a page of the table begins. Raises ApiError 400 for what is no place."""
    if not text:
        return None
    at, _, number = text.partition(".")
    if not all(each.isascii() and each.isdecimal() for each in (at, number)):
        raise ApiError(400, "no datapoint may stand there")
    return int(at[:20]), int(number[:20])


_DATA = "/devices/{number:number}/data"
ROUTES = (
    Route("GET", _DATA, show),
    Route("POST", _DATA, store),
    Route("GET", f"{_DATA}/{{stream:number}}", show_stream),
)
