"""The way by which requests reach a server."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
import re
from typing import Any

from .answer import Answer
from .rate_limits import RateLimits

_ZONE_NAME = re.compile(r"[A-Za-z0-9_+\-]{1,32}(/[A-Za-z0-9_+\-]{1,32}){0,2}")


class Transport(ABC):
    """Sends requests to one server.

    Attributes:
        limits: what the server last said of how many requests it allows.
    """

    limits: RateLimits | None = None

    async def get(
        self, path: str, key: str | None, query: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Ask for something; raises as `request` and `Answer.require_ok`."""
        return (await self.request("GET", path, key, query=query)).require_ok()

    async def post(
        self,
        path: str,
        key: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Change something; raises as `request` and `Answer.require_ok`."""
        answer = await self.request("POST", path, key, query=query, body=body)
        return answer.require_ok()

    @abstractmethod
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

        Args:
            method: GET or POST.
            path: without a query.
            key: the key to use, None for none.
            query: parameters, which are encoded here.
            body: a JSON object.
            time_zone: the IANA name of the zone that times in the request are in; without
                it they are epoch seconds, here and in the answer.
            once: whether it commands a device: never sent a second time, and withdrawn
                where it is given up.

        Raises:
            CannotConnectError: the server was not reached.
            UnexpectedAnswerError: what answered does not speak this protocol.
            RateLimitedError: what stands in front of the server wants fewer requests.
            ValueError: `time_zone` is no name of a zone.
        """


def zone_header(time_zone: str | None) -> str:
    """Return the `Time-Zone` of a request; raises ValueError where it is no zone's name."""
    if time_zone is None:
        return "Epoch"
    if not _ZONE_NAME.fullmatch(time_zone):
        raise ValueError("not the name of a time zone")
    return time_zone
