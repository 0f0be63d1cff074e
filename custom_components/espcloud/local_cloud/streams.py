"""The datastreams of all devices (protocol.md §2.7); their datapoints are in the database."""

from collections.abc import Collection

from .errors import ApiError
from .models import Datapoint, Datastream, Device
from .retention import Retention
from .store_context import StoreContext
from .wire import JsonObject

MAX_STREAMS = 100
"""Datastreams of one device: a name is made up by whoever posts, so there has to be an end."""


class Streams:
    """The datastreams, each with what was stored last and how much there is.

    Attributes:
        streams: by id.
        most_points: datapoints kept of one datastream.
    """

    def __init__(self, context: StoreContext) -> None:
        """Start empty."""
        self._context = context
        self.most_points = Retention().points
        self.streams: dict[int, Datastream] = {}
        self._of_device: dict[int, dict[str, Datastream]] = {}

    def add(self, device: Device, name: str, values: JsonObject, at: int) -> Datapoint:
        """Store a datapoint. Raises ApiError 403 where the device has MAX_STREAMS others already."""
        stream = self.find(device, name) or self._add_stream(device, name)
        point = Datapoint(
            id=self._context.next_id("datapoints"),
            created=self._context.now(),
            datastream_id=stream.id,
            at=at,
            values=values,
        )
        self._context.changed(stream)
        self._context.stored(point)
        stream.latest = point
        stream.points += 1
        # To look for the oldest each time would cost more than some that are not shown any more.
        if stream.points > self.most_points + self.most_points // 100:
            self._context.trimmed(stream.id, self.most_points)
            stream.points = self.most_points
        return point

    def of(self, device: Device) -> Collection[Datastream]:
        """Return the device's datastreams."""
        return self._of_device.get(device.id, {}).values()

    def find(self, device: Device, name: str) -> Datastream | None:
        """Return the device's datastream of this name."""
        return self._of_device.get(device.id, {}).get(name)

    def latest(self, device: Device, name: str) -> Datapoint | None:
        """Return what was stored last."""
        stream = self.find(device, name)
        return stream.latest if stream else None

    def put(self, stream: Datastream) -> None:
        """Enter a datastream, new or from the database."""
        self.streams[stream.id] = stream
        self._of_device.setdefault(stream.device_id, {})[stream.name] = stream

    def take_out(self, stream: Datastream) -> None:
        """Take a datastream out of the table and its index."""
        del self.streams[stream.id]
        del self._of_device[stream.device_id][stream.name]

    def remove_all(self, device: Device) -> None:
        """Remove the device's datastreams with their datapoints."""
        for stream in list(self.of(device)):
            self.take_out(stream)
            self._context.trimmed(stream.id, 0)
            self._context.removed(stream)

    def _add_stream(self, device: Device, name: str) -> Datastream:
        if len(self.of(device)) >= MAX_STREAMS:
            raise ApiError(403, f"no more than {MAX_STREAMS} datastreams")
        now = self._context.now()
        stream = Datastream(
            id=self._context.next_id("datastreams"),
            created=now,
            updated=now,
            device_id=device.id,
            name=name,
        )
        self.put(stream)
        return stream
