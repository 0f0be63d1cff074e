"""The hook for a web site beside the API, such as the package `console`; nothing here knows of one.

A program that has one hands it to `LocalCloud.mount` before `serve`. The command `local-cloud` looks for
it among the entry points of the group `GROUP`: each is a function that takes the cloud and returns its
`Site`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
import logging
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

if TYPE_CHECKING:
    from .server import LocalCloud

_LOGGER = logging.getLogger(__name__)

GROUP = "local_cloud.site"

type Allow = Callable[[float], None]
"""Gives the connection so many seconds until its next step."""


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection of a request: `ended` is set when the other side is gone."""

    allow: Allow
    ended: asyncio.Event


class Site(Protocol):
    """Answers every request of the HTTP server whose path is none of the API's."""

    async def answer(
        self, http: web.BaseRequest, connection: Connection
    ) -> web.StreamResponse:
        """Answer a request; what takes longer than the API's calls `allow` again and again."""

    async def close(self) -> None:
        """End the answers that are under way."""


type Mount = Callable[[LocalCloud], Site]


def installed_mount() -> Mount | None:
    """Return what is installed to mount a site, None where nothing is or it lacks a package."""
    for entry_point in entry_points(group=GROUP):
        try:
            mount: Mount = entry_point.load()
        except ImportError as error:
            _LOGGER.info(
                "No web site: it needs %s, which espcloud[console] brings", error.name
            )
        else:
            return mount
    return None
