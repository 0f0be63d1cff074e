"""Every answer of the site: the right page, safe headers, and an error page where there is none."""

import logging
from typing import TYPE_CHECKING

from aiohttp import StreamReader, web

from local_cloud import LocalCloud
from local_cloud.errors import ApiError
from local_cloud.site import Connection

from .events import Events
from .forgery import refuse_forged
from .languages import Languages
from .pages import routes
from .rendering import Renderer
from .responses import secured, to_sign_in
from .routing import Routes
from .sessions import Sessions
from .static_files import StaticFiles
from .upgrades import Upgrades
from .uploads import Uploads
from .visits import Visit

if TYPE_CHECKING:
    from local_cloud.site import Site

_LOGGER = logging.getLogger(__name__)

_FORGOTTEN = 16 << 20
"""Bytes of a body that are read after nobody wants them."""


class ConsoleSite:
    """The web site of one cloud."""

    def __init__(self, cloud: LocalCloud) -> None:
        """Prepare the pages; nothing is asked of the cloud yet."""
        self._cloud = cloud
        self._static = StaticFiles()
        self._languages = Languages()
        self._renderer = Renderer(self._static)
        self._sessions = Sessions(cloud)
        self._events = Events(cloud)
        self._uploads = Uploads()
        self._upgrades = Upgrades(cloud)
        self._routes = Routes(routes())

    async def answer(
        self, http: web.BaseRequest, connection: Connection
    ) -> web.StreamResponse:
        """Answer a request whose path is none of the API's."""
        if (file := self._static.answer(http)) is not None:
            return secured(file)
        visit = Visit(
            http,
            connection,
            cloud=self._cloud,
            events=self._events,
            renderer=self._renderer,
            sessions=self._sessions,
            texts=self._languages.of(http),
            uploads=self._uploads,
            upgrades=self._upgrades,
        )
        try:
            response = await self._answer(visit)
        except ConnectionError:
            raise  # The browser hung up; aiohttp knows what to do.
        except ApiError as error:
            response = visit.error(error.status, error.message)
        except Exception:
            _LOGGER.exception("A page of the web site failed")
            response = visit.error(500)
        if (
            not response.prepared
            and http.body_exists
            and not await _forget(http.content)
        ):
            # What is left of the body would be taken for the next request.
            response.force_close()
        return response if response.prepared else secured(response)

    async def close(self) -> None:
        """End the streams of events, and the upgrades."""
        self._events.close()
        await self._upgrades.close()

    async def _answer(self, visit: Visit) -> web.StreamResponse:
        """Find the page and have it answered."""
        route, names = self._routes.find(visit.http)
        refuse_forged(visit, route)
        if route.is_for_operator and not visit.is_operator:
            raise ApiError(404, "no such page")
        if route.needs_account and visit.session is None:
            return to_sign_in(visit)
        return await route.page(visit, **names)


async def _forget(body: StreamReader) -> bool:
    """Read what is left of a body, up to a limit, and say whether that was all.

    Who is still sending when the connection ends would see that, and not the answer.
    """
    left = _FORGOTTEN
    try:
        async for chunk in body.iter_any():
            left -= len(chunk)
            if left < 0:
                return False
    except web.RequestPayloadError:
        return False
    return True


if TYPE_CHECKING:

    def _is_a_site(site: ConsoleSite) -> Site:
        return site
