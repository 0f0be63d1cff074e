"""Datapoints: stored ones, and those of the live device (protocol.md §2.7)."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..access import ANY_DEVICE_KEY, Access
from ..delivery import Delivery
from ..errors import ApiError, bad_request, unknown_path
from ..fields import read_integer, read_object, read_objects
from ..history import History
from ..listeners import DatapointReceived, Listeners
from ..lists import MAX_ROWS, query_number
from ..models import DIMENSIONS, Datapoint, Device, Key, render_datapoint
from ..quotas import Quotas
from ..request import Answer, LargeAnswer, Request
from ..router import Route
from ..store import Store
from ..stream_names import is_stream_name
from ..times import LAST_TIME, parse_time
from ..wire import JsonObject, encode_item

type PointWatcher = Callable[[Device, str, list[Datapoint]], None]
"""Hears of datapoints of a device's datastream that one request has stored."""

_LIGHT_STREAM = "light"
_LIGHT_TEXT = 9
"""A longer value overruns the old light's buffer (protocol.md §3.9, 7)."""
_VALUE_TEXT = 64
_POINT_TEXT = 512
"""So that a number of datapoints is a number of bytes as well."""


class DatastreamApi:
    """Reading and writing datapoints."""

    def __init__(
        self,
        store: Store,
        access: Access,
        delivery: Delivery,
        quotas: Quotas,
        *,
        history: History,
        listeners: Listeners,
        watchers: Iterable[PointWatcher],
    ) -> None:
        """Keep datapoints in `store`, find older ones by `history`, ask devices through `delivery`.

        Tell `listeners` and `watchers` of what is stored.
        """
        self._watchers = tuple(watchers)
        self._listeners = listeners
        self._store = store
        self._access = access
        self._delivery = delivery
        self._quotas = quotas
        self._history_of = history

    def routes(self) -> Iterator[Route]:
        """Return the paths of this family."""
        one, many = "/v1/datastreams/*/datapoint/", "/v1/datastreams/*/datapoints/"
        for method, path, handler in (
            ("GET", one, self._latest),
            ("POST", one, self._add),
            ("GET", many, self._history),
            ("POST", many, self._add_many),
        ):
            yield Route((method,), path, self._access.device(ANY_DEVICE_KEY, handler))

    def _latest(self, request: Request, device: Device, key: Key) -> Answer:
        """Return what was stored last, or with deliver_to_device ask the device.

        404 where nothing was stored yet.
        """
        name = _stream_name(request)
        if request.deliver:
            return self._delivery.deliver(request, device)
        point = self._store.streams.latest(device, name)
        if point is None:
            raise ApiError(404, "no datapoint yet")
        device.last_pull = self._store.context.now()
        self._store.context.touch(device)
        return {"datapoint": render_datapoint(point, request.times), "status": 200}

    def _add(self, request: Request, device: Device, key: Key) -> Answer:
        """Store a datapoint, or with deliver_to_device command the device.

        What was delivered is not stored: whether the cloud does is unknown, and a device that wants
        its state kept posts it itself.
        """
        name = _stream_name(request)
        point = read_object(request.body, "datapoint")
        if request.deliver:
            _check_values(point)
            _read_at(point, request.time_zone, 0)
            if name == _LIGHT_STREAM:
                _check_light(point)
            return self._delivery.deliver(request, device)
        stored = self._store_points(request, device, name, [point])
        return {"datapoint": stored[0], "status": 200}

    def _history(self, request: Request, device: Device, key: Key) -> Answer:
        """Return datapoints newest first: `row_count` after `offset`, from `start` to `end`."""
        zone = request.time_zone
        start, end = request.query.get("start"), request.query.get("end")
        stream = self._store.streams.find(device, _stream_name(request))
        first = parse_time(start, zone) if start else 0
        last = parse_time(end, zone) if end else LAST_TIME
        offset = query_number(request, "offset", 0)
        count = min(query_number(request, "row_count", 100), MAX_ROWS)
        device.last_pull = self._store.context.now()
        self._store.context.touch(device)
        # Some more than are to be kept may be there still.
        count = min(count, self._store.streams.most_points - offset)
        if stream is None or count <= 0:
            return {"datapoints": [], "status": 200}
        return LargeAnswer(
            self._points(
                request, stream.id, start=first, end=last, offset=offset, count=count
            )
        )

    async def _points(
        self, request: Request, datastream_id: int, **wanted: int
    ) -> JsonObject:
        points = await self._history_of(datastream_id, **wanted)
        times = request.times
        return {
            "datapoints": [render_datapoint(point, times) for point in points],
            "status": 200,
        }

    def _add_many(self, request: Request, device: Device, key: Key) -> JsonObject:
        """Store datapoints in the order in which they stand."""
        points = read_objects(request.body, "datapoints", limit=MAX_ROWS)
        stored = self._store_points(request, device, _stream_name(request), points)
        return {"datapoints": stored, "status": 200}

    def _store_points(
        self, request: Request, device: Device, name: str, points: list[JsonObject]
    ) -> list[JsonObject]:
        """Store all datapoints or, where one is wrong, none."""
        now = self._store.context.now()
        checked = [
            (_check_values(point), _read_at(point, request.time_zone, now))
            for point in points
        ]
        self._quotas.check_points(device, name, len(checked))
        device.last_push = now
        self._store.context.touch(device)
        streams = self._store.streams
        stored = [streams.add(device, name, values, at) for values, at in checked]
        if self._listeners:
            for values, at in checked:
                self._listeners.tell(DatapointReceived(device, name, values, at))
        for tell in self._watchers:
            tell(device, name, stored)
        return [render_datapoint(point, request.times) for point in stored]


def _stream_name(request: Request) -> str:
    name = request.segments[2]
    if not is_stream_name(name):
        raise unknown_path()
    return name


def _check_values(point: JsonObject) -> JsonObject:
    """Return the given ones of x, y, z, k, l in that order; `x` has to be there.

    A value is a number or a text, or for newer lights an object of numbers: colors (§4).
    """
    values = {name: point[name] for name in DIMENSIONS if name in point}
    if "x" not in values:
        raise bad_request("a datapoint must have x")
    for name, value in values.items():
        if not _is_value(value) and not (
            isinstance(value, dict)
            and len(value) <= 8
            and all(len(part) <= _VALUE_TEXT for part in value)
            and all(_is_value(number) for number in value.values())
        ):
            raise bad_request(f"{name} must be a number")
    if len(encode_item(values)) > _POINT_TEXT:
        raise bad_request(f"a datapoint has at most {_POINT_TEXT} bytes")
    return values


def _is_value(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= _VALUE_TEXT
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) < 1e300
    )


def _check_light(point: JsonObject) -> None:
    """Refuse a number that would overrun the old light's buffer."""
    for name in DIMENSIONS:
        value = point.get(name)
        if not isinstance(value, dict) and len(str(value or 0)) > _LIGHT_TEXT:
            raise bad_request(
                f"{name} must be at most {_LIGHT_TEXT} characters for a light"
            )


def _read_at(point: JsonObject, zone: str | None, now: int) -> int:
    """Return when the datapoint was measured, now where it does not say."""
    at = point.get("at")
    if at is None:
        return now
    if isinstance(at, str):
        return parse_time(at, zone)
    return parse_time(str(read_integer(point, "at")), zone)
