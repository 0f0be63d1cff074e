"""Requests to a server in the same process, which answers as it does over HTTP."""

from collections.abc import Mapping
from typing import Any, Protocol, override

from .answer import Answer
from .fields import status_of
from .transport import Transport, zone_header


class ServerCall(Protocol):
    """Has a server answer a request; raises nothing."""

    async def __call__(
        self,
        method: str,
        path: str,
        key: str | None = None,
        query: Mapping[str, str] | None = None,
        body: dict[str, Any] | None = None,
        *,
        time_zone: str | None = None,
    ) -> dict[str, Any]:
        """Return the JSON object of the answer, its `status` included."""


class InProcessTransport(Transport):
    """Calls a server in the same process."""

    def __init__(self, call: ServerCall) -> None:
        """Have requests answered by `call`."""
        self._call = call

    @override
    async def request(
        self,
        method: str,
        path: str,
        key: str | None = None,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        time_zone: str | None = None,
        once: bool = False,
    ) -> Answer:
        """Send a request and return the answer, whatever its status.

        Nothing is ever sent twice here, and what is given up is cancelled with its caller.
        """
        answer = await self._call(
            method,
            path,
            key,
            query,
            None if body is None else dict(body),
            time_zone=zone_header(time_zone),
        )
        return Answer(status_of(answer, default=200), answer)
