"""The datapoints that devices and people stored (protocol.md §2.7)."""

from collections import deque
from collections.abc import Iterator
from itertools import islice

from .errors import ApiError
from .models import Datapoint, Datastream, Device
from .store_context import StoreContext
from .wire import JsonObject

MAX_STREAMS = 100
"""Datastreams of one device: a name is made up by whoever posts, so there has to be an end."""
MAX_POINTS = 10_000
"""Datapoints kept of one datastream; the oldest go first."""


class Streams:
    """The datastreams of all devices and what is in them."""

    def __init__(self, context: StoreContext) -> None:
        """Start empty."""
        self._context = context
        self.streams: dict[int, Datastream] = {}
        self.points: dict[int, deque[Datapoint]] = {}
        """By datastream, in the order in which they were stored."""
        self._of_device: dict[int, dict[str, Datastream]] = {}

    def add(self, device: Device, name: str, values: JsonObject, at: int) -> Datapoint:
        """Store a datapoint. Raises ApiError 403 where the device has MAX_STREAMS others already."""
        stream = self._find(device, name) or self._add_stream(device, name)
        point = Datapoint(
            id=self._context.next_id("datapoints"),
            created=self._context.now(),
            datastream_id=stream.id,
            at=at,
            values=values,
        )
        self.put_point(point)
        self._context.changed(stream)
        return point

    def count(self, device: Device) -> int:
        """Return how many datastreams the device has."""
        return len(self._of_device.get(device.id, {}))

    def exists(self, device: Device, name: str) -> bool:
        """Say whether the device has this datastream."""
        return self._find(device, name) is not None

    def latest(self, device: Device, name: str) -> Datapoint | None:
        """Return what was stored last."""
        stream = self._find(device, name)
        return self.points[stream.id][-1] if stream and self.points[stream.id] else None

    def history(
        self,
        device: Device,
        name: str,
        *,
        start: int,
        end: int,
        offset: int,
        count: int,
    ) -> list[Datapoint]:
        """Return datapoints of start <= at <= end, newest first."""
        stream = self._find(device, name)
        if stream is None:
            return []
        newest_first: Iterator[Datapoint] = reversed(self.points[stream.id])
        wanted = (point for point in newest_first if start <= point.at <= end)
        return list(islice(wanted, offset, offset + count))

    def put_stream(self, stream: Datastream) -> None:
        """Enter a datastream, new or from the state file."""
        self.streams[stream.id] = stream
        self.points[stream.id] = deque(maxlen=MAX_POINTS)
        self._of_device.setdefault(stream.device_id, {})[stream.name] = stream

    def put_point(self, point: Datapoint) -> None:
        """Enter a datapoint, new or from the state file."""
        self.points[point.datastream_id].append(point)

    def _find(self, device: Device, name: str) -> Datastream | None:
        return self._of_device.get(device.id, {}).get(name)

    def _add_stream(self, device: Device, name: str) -> Datastream:
        if self.count(device) >= MAX_STREAMS:
            raise ApiError(403, f"no more than {MAX_STREAMS} datastreams")
        now = self._context.now()
        stream = Datastream(
            id=self._context.next_id("datastreams"),
            created=now,
            updated=now,
            device_id=device.id,
            name=name,
        )
        self.put_stream(stream)
        return stream
