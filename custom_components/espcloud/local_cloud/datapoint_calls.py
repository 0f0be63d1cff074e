"""What whoever embeds the cloud reads of the datapoints that it keeps.

What a listener has heard of is there; it is read in parts between which others have their turn.
"""

from abc import ABC
from collections.abc import AsyncGenerator
from contextlib import suppress
from functools import partial

from . import datapoint_queries as queries
from .database import Database
from .datapoint_queries import Position
from .errors import ApiError, bad_request
from .models import Datapoint, Datastream, Device
from .store import Store
from .summaries import MAX_BUCKETS, Extent, Summary, Totals
from .times import LAST_TIME, ZERO_TIME

_PART = 10_000
"""Datapoints that are summarized at once: some 30 ms, for which other readers wait."""
_PAGE = 500
"""Datapoints that are read at once: some 3 ms."""


class DatapointCalls(ABC):
    """A part of LocalCloud, which has these attributes.

    Each call raises ApiError 404 where the device has no datastream of the name, 400 for an argument
    that makes no sense, and 503 while the cloud is not running. Times are epoch seconds, and `end`
    belongs to what is asked for.
    """

    store: Store
    _database: Database

    async def extent(self, device: Device, stream: str) -> Extent | None:
        """Return how far the datapoints go, None where none is left."""
        found = await self._stream(device, stream)
        ends = await self._database.read(partial(queries.ends, datastream_id=found.id))
        return None if ends is None else Extent(*ends, found.points)

    async def summarize(
        self,
        device: Device,
        stream: str,
        start: int,
        end: int,
        buckets: int,
        *,
        sample: int = 1,
    ) -> Summary:
        """Return the datapoints of a time, as at most `buckets` intervals of the same length.

        With a `sample` above 1 only about one datapoint of so many is looked at, which takes a small
        part of the time: the least and the greatest value may be others, and `count` is that of the
        sample.

        Intervals without datapoints are left out. Where there are no more datapoints than `buckets`,
        which are 1 to MAX_BUCKETS, they come themselves.
        """
        found = await self._stream(device, stream)
        start, end = _time(start, end)
        if not 1 <= buckets <= MAX_BUCKETS:
            raise bad_request(f"a summary has 1 to {MAX_BUCKETS} buckets")
        if sample < 1:
            raise bad_request("a sample is one of 1 or more")
        database = self._database
        some = await database.read(
            partial(
                queries.count,
                datastream_id=found.id,
                start=start,
                end=end,
                most=buckets + 1,
            )
        )
        if some <= buckets:
            points = [
                point
                async for page in self.datapoints(device, stream, start, end)
                for point in page
            ]
            return Summary(0, points, [])
        width = -(-(end - start + 1) // buckets)
        totals = Totals()
        position: Position | None = queries.before(start)
        while position is not None:
            rows, position = await database.read_part(
                partial(
                    queries.summarized,
                    datastream_id=found.id,
                    start=start,
                    width=width,
                    first=position,
                    last=queries.after(end),
                    most=_PART * sample,
                    sample=sample,
                )
            )
            totals.add(rows)
        return Summary(width, [], list(totals.buckets(start, width)))

    async def newest(
        self,
        device: Device,
        stream: str,
        count: int,
        *,
        before: Position | None = None,
    ) -> list[Datapoint]:
        """Return the latest datapoints, the latest first; with `before`, those that come before one.

        That is the `at` and the `id` of a datapoint, which need not exist any more. The thousandth
        page costs what the first one does.
        """
        found = await self._stream(device, stream)
        first = queries.before(ZERO_TIME)
        if before is not None and not queries.is_position(*before):
            raise bad_request("no datapoint may stand there")
        last = before or queries.after(LAST_TIME)
        return await self._database.read(
            partial(
                queries.earlier,
                datastream_id=found.id,
                first=first,
                last=last,
                count=min(count, _PAGE),
            )
        )

    async def datapoints(
        self,
        device: Device,
        stream: str,
        start: int = ZERO_TIME,
        end: int = LAST_TIME,
    ) -> AsyncGenerator[list[Datapoint]]:
        """Return all datapoints of a time in pages, the earliest first.

        Each page costs the same. What is deleted meanwhile is left out; what is stored meanwhile
        comes if its time is still to come.
        """
        found = await self._stream(device, stream)
        start, end = _time(start, end)
        position = queries.before(start)
        while True:
            page = await self._database.read(
                partial(
                    queries.later,
                    datastream_id=found.id,
                    first=position,
                    last=queries.after(end),
                    count=_PAGE,
                )
            )
            if page:
                yield page
            if len(page) < _PAGE:
                return
            position = page[-1].at, page[-1].id

    async def _stream(self, device: Device, name: str) -> Datastream:
        """Return a datastream; what was posted to it before this call is in the database."""
        with suppress(ApiError):  # whoever posted what cannot be kept was told so
            await self._database.flush()
        stream = self.store.streams.find(device, name)
        if stream is None:
            raise ApiError(404, "no such datastream")
        return stream


def _time(start: int, end: int) -> tuple[int, int]:
    """Return a time as far as datapoints may have it. Raises ApiError 400 where it ends too early."""
    if end < start:
        raise bad_request("a time ends when it has begun")
    start, end = (min(max(moment, ZERO_TIME), LAST_TIME) for moment in (start, end))
    return start, end
