"""A request as the router sees it, whichever way it came."""

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import Any

from .presence import Link
from .times import TimeFormat, time_format
from .wire import JsonObject

type Answer = JsonObject | Awaitable[JsonObject]
"""A reply, or one that is still to come."""


class LargeAnswer:
    """A reply that is still to come and may be large.

    A connection of the device server takes no further request before it has sent it.
    """

    __slots__ = ("_answer",)

    def __init__(self, answer: Awaitable[JsonObject]) -> None:
        """Await `answer` when this is awaited."""
        self._answer = answer

    def __await__(self) -> Generator[Any, Any, JsonObject]:
        """Return the reply."""
        return self._answer.__await__()


@dataclass(slots=True, frozen=True)
class FileBody:
    """A file in place of JSON: where it is the member `file` of a reply, HTTP answers with it.

    `tell` hears how many bytes of it have arrived, each time there are more; None where nobody asks.
    """

    name: str
    content: bytes
    tell: Callable[[int], None] | None = None


type Handler = Callable[[Request], Answer]

_MAX_ZONE = 64
"""A time zone goes along to the device, whose buffer is small; no real name is longer."""
_OVERRIDES = frozenset({"PUT", "DELETE"})


@dataclass(slots=True, kw_only=True)
class Request:
    """One request; `make_request` builds it."""

    method: str
    segments: tuple[str, ...]
    """The path without its slashes: ("v1", "device", "rpc")."""
    query: dict[str, str]
    body: JsonObject
    deliver: bool
    """Whether the query had deliver_to_device=true; `query` has it no more."""
    token: str | None
    """The text of the caller's key, not checked yet."""
    time_zone: str | None
    peer: str
    """The address of the other side."""
    link: Link | None = None
    """The connection, where it is one of the device server."""
    authorized: bool = False
    """Whether the caller's key was found good."""

    @property
    def path(self) -> str:
        """The path in the one form in which it is sent on (protocol.md §3.9, 7)."""
        return f"/{'/'.join(self.segments)}/"

    @property
    def times(self) -> TimeFormat:
        """How to write times for this caller."""
        return time_format(self.time_zone)


def make_request(
    method: str,
    path: str,
    query: dict[str, str],
    body: JsonObject,
    *,
    authorization: str | None,
    time_zone: str | None,
    peer: str,
    link: Link | None = None,
) -> Request:
    """Return the request with what protocol.md §2.1 says of all paths applied.

    A slash at the end and a doubled one at the start do not matter; `?method=PUT` and
    `?method=DELETE` replace POST; `deliver_to_device` leaves the query. Takes `query` for its own.
    """
    method = method.upper()
    if method == "POST" and query.get("method", "").upper() in _OVERRIDES:
        method = query.pop("method").upper()
    deliver = query.pop("deliver_to_device", "").lower() == "true"
    return Request(
        method=method,
        segments=path_segments(path),
        query=query,
        body=body,
        deliver=deliver,
        token=key_text(authorization),
        time_zone=time_zone if time_zone and len(time_zone) <= _MAX_ZONE else None,
        peer=peer,
        link=link,
    )


def path_segments(path: str) -> tuple[str, ...]:
    """Return a path without its slashes at the start and the end, in its parts."""
    return tuple(path.strip("/").split("/"))


def key_text(authorization: str | None) -> str | None:
    """Return K of `token K`, in whatever case the word is written."""
    match (authorization or "").split():
        case [word, token] if word.lower() == "token":
            return token
    return None
