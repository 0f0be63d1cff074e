"""The one router behind both ports."""

from collections.abc import Iterable
from typing import NamedTuple

from .errors import ApiError, unknown_path
from .request import Answer, Handler, Request

ANY_METHOD = ("GET", "POST", "PUT", "DELETE")


class Route(NamedTuple):
    """What answers a path; `*` stands for one variable segment."""

    methods: tuple[str, ...]
    path: str
    handler: Handler


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
        return handler(request)
