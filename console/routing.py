"""Which function answers which path."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
import re

from aiohttp import web

from local_cloud.errors import ApiError

type Page = Callable[..., Awaitable[web.StreamResponse]]
"""Answers a visit; the variable parts of its path are keyword arguments, numbers as int."""

_VARIABLE = re.compile(r"\{(?P<name>[a-z_]+)(?P<is_number>:number)?\}")


@dataclass(frozen=True, slots=True)
class Route:
    """A path and what answers it.

    In `path`, `{name}` stands for one segment and `{name:number}` for one that is a number. Unless
    said otherwise a page is for who is signed in; `is_for_operator` leaves out all others but the
    person who runs the server.
    """

    method: str
    path: str
    page: Page
    needs_account: bool = True
    is_for_operator: bool = False


class Routes:
    """Finds the route of a request."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Learn the routes."""
        self._routes = [(_pattern(route.path), route) for route in routes]

    def find(self, http: web.BaseRequest) -> tuple[Route, dict[str, str | int]]:
        """Return the route, and the variable parts of its path. Raises ApiError 404 and 405."""
        method = "GET" if http.method == "HEAD" else http.method
        is_known = False
        for pattern, route in self._routes:
            if (found := pattern.fullmatch(http.path)) is None:
                continue
            if route.method == method:
                return route, {
                    name: int(text) if f"{{{name}:number}}" in route.path else text
                    for name, text in found.groupdict().items()
                }
            is_known = True
        if is_known:
            raise ApiError(405, "method not allowed")
        raise ApiError(404, "no such page")


def _pattern(path: str) -> re.Pattern[str]:
    """Return what matches a path, with a slash at its end or without."""
    pattern = ""
    end = 0
    for found in _VARIABLE.finditer(path):
        segment = r"[0-9]{1,15}" if found["is_number"] else r"[^/]{1,128}"
        pattern += re.escape(path[end : found.start()])
        pattern += f"(?P<{found['name']}>{segment})"
        end = found.end()
    pattern += re.escape(path[end:])
    return re.compile(pattern if pattern == "/" else f"{pattern}/?")
