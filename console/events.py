"""What happens at the cloud, as a stream of server-sent events for the pages that show it.

A stream that is not read loses its connection rather than its order; the browser opens another one, and
the page it belongs to asks anew for what it shows.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, override

from aiohttp import web

from local_cloud import LocalCloud
from local_cloud.errors import ApiError
from local_cloud.listeners import Event
from local_cloud.wire import JsonObject, encode_item

from .responses import secured

if TYPE_CHECKING:
    from .visits import Visit

_BEAT = 20.0
"""Seconds after which a stream without events says that it lives."""
_UNREAD = 60.0
"""Seconds for which a stream may stay unread."""
_WAITING = 5000
"""Events that may wait for a stream; it begins with one for each device of the account."""
_WAITING_BYTES = 2 << 20
"""Bytes that may wait for it: a frame of a device can be long."""
_MOST = 256
_MOST_OF_ACCOUNT = 16

type Send = Callable[[str, JsonObject], None]
"""Puts an event of a name into a stream."""
type Subscribe = Callable[[Send], Callable[[], None]]
"""Begins to send, and returns what ends that."""


class _Waiting(asyncio.Queue[bytes | None]):
    """What waits for a stream, None for its end.

    Attributes:
        size: how many bytes that is.
    """

    size = 0

    @override
    def _put(self, item: bytes | None) -> None:
        self.size += len(item or b"")
        super()._put(item)

    @override
    def _get(self) -> bytes | None:
        item = super()._get()
        self.size -= len(item or b"")
        return item


class Events:
    """The streams that are open."""

    def __init__(self, cloud: LocalCloud) -> None:
        """Begin without any."""
        self._cloud = cloud
        self._streams: set[_Waiting] = set()
        self._of_account = Counter[int]()

    def close(self) -> None:
        """End all streams."""
        for queue in self._streams:
            _end(queue)

    async def follow(
        self,
        visit: Visit,
        tell: Callable[[Send, Event], None],
        begin: Callable[[Send], None] = lambda send: send("changed", {}),
    ) -> web.StreamResponse:
        """Send what `tell` makes of the events of the cloud.

        First comes what has happened since the page was made, which would be missing on it for good:
        `begin` sends it, or has the page ask anew. Raises ApiError as `stream`.
        """

        def subscribe(send: Send) -> Callable[[], None]:
            begin(send)
            return self._cloud.listeners.add(lambda event: tell(send, event))

        return await self.stream(visit, subscribe)

    async def stream(self, visit: Visit, subscribe: Subscribe) -> web.StreamResponse:
        """Send events until either side ends that. Raises ApiError 503 where there are too many."""
        account = visit.signed_in.user.id
        if len(self._streams) >= _MOST or self._of_account[account] >= _MOST_OF_ACCOUNT:
            raise ApiError(503, "too many pages are open")
        queue = _Waiting()
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        secured(response)
        self._streams.add(queue)
        self._of_account[account] += 1
        watch = asyncio.create_task(_end_with(visit.connection_ended, queue))
        unsubscribe = subscribe(lambda name, data: _put(queue, name, data))
        try:
            visit.allow(_UNREAD)
            await response.prepare(visit.http)
            await response.write(b": begin\n\n")
            while (event := await _next(queue)) is not None:
                if visit.sessions.find(visit.http) is None:
                    break  # Signed out meanwhile.
                visit.allow(_UNREAD)
                await response.write(event)
        finally:
            unsubscribe()
            watch.cancel()
            self._streams.discard(queue)
            self._of_account[account] -= 1
            self._of_account += Counter()  # without the accounts that have none
        return response


async def _end_with(connection_ended: asyncio.Event, queue: _Waiting) -> None:
    """End the stream when the browser is gone, which else shows with the next event only."""
    await connection_ended.wait()
    _end(queue)


async def _next(queue: _Waiting) -> bytes | None:
    """Return the next event, a comment where there is none for a while, None at the end."""
    try:
        async with asyncio.timeout(_BEAT):
            return await queue.get()
    except TimeoutError:
        return b": beat\n\n"


def _put(queue: _Waiting, name: str, data: JsonObject) -> None:
    if queue.qsize() < _WAITING and queue.size < _WAITING_BYTES:
        queue.put_nowait(
            b"event: %s\ndata: %s\n\n" % (name.encode(), encode_item(data))
        )
    else:
        _end(queue)


def _end(queue: _Waiting) -> None:
    """Drop what waits, and end the stream."""
    while not queue.empty():
        queue.get_nowait()
    queue.put_nowait(None)
