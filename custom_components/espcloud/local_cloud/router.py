"""The one router behind both ports."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import NamedTuple

from .changes import CURRENT_WRITES, Writes
from .errors import ApiError, unknown_path
from .request import Answer, Handler, LargeAnswer, Request
from .wire import JsonObject

ANY_METHOD = ("GET", "POST", "PUT", "DELETE")


class Route(NamedTuple):
    """What answers a path; `*` stands for one variable segment."""

    methods: tuple[str, ...]
    path: str
    handler: Handler


_OF_DEVICES = frozenset({"device", "datastreams", "messages", "ping"})
_OF_ACCOUNTS = frozenset({"/v1/device/deployed/"})
"""The exceptions among these."""


def is_for_devices(route: Route) -> bool:
    """Say whether firmware may ask for a path (protocol.md §3.1, §3.8), rather than an account."""
    return route.path.split("/")[2] in _OF_DEVICES and route.path not in _OF_ACCOUNTS


class Router:
    """Finds the handler of a request by its path and method."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Learn the routes."""
        self._handlers: dict[tuple[str, ...], dict[str, Handler]] = {}
        for methods, path, handler in routes:
            by_method = self._handlers.setdefault(tuple(path.strip("/").split("/")), {})
            by_method.update(dict.fromkeys(methods, handler))

    def handle(self, request: Request) -> Answer:
        """Return the reply, or an awaitable of it where it takes a while.

        Where the request changes anything, its reply comes when that is committed.

        Raises ApiError: 404 for a path that does not exist, 405 for a method that the path does not
        have, and whatever the handler refuses with. An awaitable raises ApiError too.
        """
        segments = request.segments
        by_method = self._handlers.get(segments)
        if by_method is None and len(segments) == 4:
            # /v1/datastreams/NAME/datapoint/ and /v1/products/ID/devices/
            by_method = self._handlers.get((segments[0], segments[1], "*", segments[3]))
        if by_method is None:
            raise unknown_path()
        handler = by_method.get(request.method)
        if handler is None:
            raise ApiError(405, "method not allowed")
        writes = Writes()
        before = CURRENT_WRITES.set(writes)
        try:
            answer = handler(request)
        finally:
            CURRENT_WRITES.reset(before)
        if (
            isinstance(answer, dict | asyncio.Future | LargeAnswer)
            and not writes.batches
        ):
            return answer
        return _when_committed(answer, writes)


async def _when_committed(answer: Answer, writes: Writes) -> JsonObject:
    """Wait for the reply, and then for what the request has changed."""
    reply = answer if isinstance(answer, dict) else await _answered(answer, writes)
    await writes.committed()
    return reply


async def _answered(answer: Awaitable[JsonObject], writes: Writes) -> JsonObject:
    before = CURRENT_WRITES.set(writes)
    try:
        return await answer
    finally:
        CURRENT_WRITES.reset(before)
