"""The door for people and apps: the HTTP API (protocol.md §2)."""

import asyncio
import logging
import ssl
from urllib.parse import parse_qsl

from aiohttp import web

from .errors import ApiError
from .limits import Limits
from .request import Request, make_request
from .router import Router
from .wire import JsonObject, NotAnObjectError, decode, encode

_LOGGER = logging.getLogger(__name__)


class HttpDoor:
    """Serves HTTP, and drops connections that only cost."""

    def __init__(self, router: Router, limits: Limits) -> None:
        """Hand requests to `router`."""
        self._router = router
        self._limits = limits
        self._runner: web.ServerRunner | None = None
        self._server: web.Server | None = None
        self._deadlines: dict[object, float] = {}
        self._sweep_timer: asyncio.TimerHandle | None = None

    async def open(
        self, host: str, port: int, ssl_context: ssl.SSLContext | None
    ) -> int:
        """Listen and return the port. Raises OSError where that is not possible."""
        self._server = web.Server(
            self._handle,
            access_log=None,
            keepalive_timeout=self._limits.http_keep_alive,
        )
        self._runner = web.ServerRunner(self._server, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(
            self._runner,
            host,
            port,
            ssl_context=ssl_context,
            backlog=1024,
            reuse_address=True,
        )
        await site.start()
        self._sweep_timer = asyncio.get_running_loop().call_later(
            self._limits.sweep, self._sweep
        )
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening and end every connection; nothing is left behind."""
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, http: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; the status line says what the JSON says (protocol.md §2.1)."""
        self._allow(http, self._limits.http_request)
        try:
            answer = self._router.handle(await self._read(http))
            reply = answer if isinstance(answer, dict) else await answer
            reply = {"status": 200, **reply}
        except ApiError as error:
            reply = {"message": error.message, "status": error.status}
        except Exception:
            _LOGGER.exception("A request of the HTTP door failed")
            reply = {"message": "internal error", "status": 500}
        finally:
            self._allow(http, self._limits.http_keep_alive)
        return web.Response(
            body=encode(reply),
            status=status_line(reply),
            headers={"Content-Type": "application/json; charset=utf-8"},
        )

    async def _read(self, http: web.BaseRequest) -> Request:
        """Return the request; the body is JSON whatever its content type says."""
        return make_request(
            http.method,
            http.path,
            dict(parse_qsl(http.query_string, keep_blank_values=True)),
            await self._read_body(http) if http.body_exists else {},
            authorization=http.headers.get("Authorization"),
            time_zone=http.headers.get("Time-Zone"),
            peer=http.remote or "",
        )

    async def _read_body(self, http: web.BaseRequest) -> JsonObject:
        if http.headers.get("Expect", "").lower() == "100-continue":
            # curl waits a second for this before it sends a longer body.
            await http.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            http.writer.output_size = 0
        try:
            async with asyncio.timeout(self._limits.http_body):
                text = await http.read()
        except TimeoutError:
            raise ApiError(408, "the body did not come in time") from None
        except web.HTTPRequestEntityTooLarge:
            raise ApiError(413, "the body is too large") from None
        if not text.strip():
            return {}
        try:
            return decode(text)
        except NotAnObjectError:
            raise ApiError(400, "the body must be a JSON object") from None

    def _allow(self, http: web.BaseRequest, seconds: float) -> None:
        """Give the connection this long until its next step."""
        self._deadlines[http.protocol] = asyncio.get_running_loop().time() + seconds

    def _sweep(self) -> None:
        """Drop every connection whose time is over: half a head, half a body, an unread answer."""
        assert self._server is not None
        loop = asyncio.get_running_loop()
        now = loop.time()
        first = now + self._limits.http_first_request
        known, self._deadlines = self._deadlines, {}
        for connection in self._server.connections:
            deadline = self._deadlines[connection] = known.get(connection, first)
            if now > deadline and connection.transport is not None:
                connection.transport.abort()
        self._sweep_timer = loop.call_later(self._limits.sweep, self._sweep)


def status_line(reply: JsonObject) -> int:
    """Return the HTTP status of a reply; a device may have put anything into its own."""
    status = reply["status"]
    if isinstance(status, str) and status.isdecimal() and len(status) == 3:
        status = int(status)
    if isinstance(status, int) and 400 <= status <= 599:
        return int(status)
    return 200
