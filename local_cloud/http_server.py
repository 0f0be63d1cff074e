"""The server for people and apps: the HTTP API (protocol.md §2)."""

import asyncio
import logging
import ssl
from urllib.parse import parse_qsl

from aiohttp import web

from .admission import Admission, backlog
from .errors import ApiError, bad_request
from .limits import Limits
from .request import Request, make_request
from .router import Router
from .wire import JsonObject, NotAnObjectError, decode, encode

_LOGGER = logging.getLogger(__name__)
_AIOHTTP_LOGGER = logging.getLogger(f"{__name__}.aiohttp")
# aiohttp reports malformed requests with their text, in which there may be a key.
_AIOHTTP_LOGGER.disabled = True

_FORGOTTEN = 16
"""So many times the limit of a body is read before the connection is given up."""


class HttpServer:
    """Serves HTTP, and drops connections that only cost."""

    def __init__(self, router: Router, admission: Admission, limits: Limits) -> None:
        """Hand requests to `router`, of whom `admission` lets in."""
        self._router = router
        self._admission = admission
        self._limits = limits
        self._http: web.Server | None = None
        self._servers: list[asyncio.Server] = []
        self._deadlines: dict[web.RequestHandler, float] = {}
        """Until when each connection's request has to be over, its answer read."""
        self._sweep_timer: asyncio.TimerHandle | None = None

    async def open(
        self, host: str, port: int, ssl_context: ssl.SSLContext | None
    ) -> int:
        """Listen at one more port and return it. Raises OSError where that is not possible."""
        loop = asyncio.get_running_loop()
        web_server = self._http = self._http or self.web_server()

        def let_in() -> web.RequestHandler:
            self._admission.admit()
            return web_server()

        server = await loop.create_server(
            let_in,
            host,
            port,
            ssl=ssl_context,
            ssl_handshake_timeout=self._limits.tls_handshake if ssl_context else None,
            ssl_shutdown_timeout=self._limits.unread if ssl_context else None,
            backlog=backlog(),
        )
        self._servers.append(server)
        if self._sweep_timer is None:
            self._sweep_timer = loop.call_later(self._limits.sweep, self._sweep)
        return int(server.sockets[0].getsockname()[1])

    def web_server(self) -> web.Server:
        """Return what makes a protocol for each connection."""
        return web.Server(
            self._handle,
            access_log=None,
            logger=_AIOHTTP_LOGGER,
            keepalive_timeout=self._limits.http_keep_alive,
            # A connection that ends while aiohttp lingers on it would leave its task behind.
            lingering_time=0,
        )

    async def close(self) -> None:
        """Stop listening and end every connection; nothing is left behind."""
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
        if self._http is None:
            return
        for server in self._servers:
            server.close()
        self._http.pre_shutdown()
        await self._http.shutdown(timeout=1)
        # What does not read, or is still in its TLS handshake, would stay otherwise.
        for server in self._servers:
            server.abort_clients()
            await server.wait_closed()

    async def _handle(self, http: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; the status line says what the JSON says (protocol.md §2.1)."""
        self._allow(http, self._limits.http_request)
        try:
            answer = self._router.handle(await self._read(http))
            reply = answer if isinstance(answer, dict) else await answer
            reply = {"status": 200, **reply}
        except ConnectionError:
            raise  # The client hung up; aiohttp knows what to do.
        except ApiError as error:
            reply = {"message": error.message, "status": error.status}
        except Exception:
            _LOGGER.exception("A request of the HTTP server failed")
            reply = {"message": "internal error", "status": 500}
        finally:
            self._allow(http, self._limits.http_keep_alive)
        response = web.Response(
            body=encode(reply),
            status=status_line(reply),
            headers={"Content-Type": "application/json; charset=utf-8"},
        )
        if http.body_exists and not http.content.is_eof():
            # What is left of the body would be taken for the next request.
            response.force_close()
        return response

    async def _read(self, http: web.BaseRequest) -> Request:
        """Return the request; the body is JSON whatever its content type says."""
        if len(http.headers.getall("Authorization", ())) > 1:
            # Whatever stands in front of this server may have looked at the other one.
            raise bad_request("more than one Authorization header")
        return make_request(
            http.method,
            http.path,
            # Raw: what aiohttp gives otherwise is decoded once already.
            dict(parse_qsl(http.rel_url.raw_query_string, keep_blank_values=True)),
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
                text = await _read_up_to(http, self._limits.line)
        except TimeoutError:
            raise ApiError(408, "the body did not come in time") from None
        except web.RequestPayloadError:
            raise bad_request("the body is malformed") from None
        if not text.strip():
            return {}
        try:
            return decode(text)
        except NotAnObjectError:
            raise bad_request("the body must be a JSON object") from None

    def _allow(self, http: web.BaseRequest, seconds: float) -> None:
        """Give the connection this long until its next step."""
        self._deadlines[http.protocol] = asyncio.get_running_loop().time() + seconds

    def _sweep(self) -> None:
        """Drop the connections whose request is not over in time; aiohttp drops the idle ones."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection, deadline in list(self._deadlines.items()):
            transport = connection.transport
            if transport is None:
                del self._deadlines[connection]
            elif now > deadline:
                transport.abort()
        self._sweep_timer = loop.call_later(self._limits.sweep, self._sweep)


async def _read_up_to(http: web.BaseRequest, limit: int) -> bytes:
    """Return the body. Raises ApiError 413 where it is longer than `limit`.

    Of a longer one some more is read and forgotten: a client that is still sending when the
    connection ends would see that, and not the answer.
    """
    body = bytearray()
    size = 0
    async for chunk in http.content.iter_any():
        size += len(chunk)
        if size <= limit:
            body += chunk
        elif size > limit * _FORGOTTEN:
            break
    if size > limit:
        raise ApiError(413, "the body is too large")
    return bytes(body)


def status_line(reply: JsonObject) -> int:
    """Return the HTTP status of a reply; a device may have put anything into its own."""
    status = reply["status"]
    if isinstance(status, str) and status.isdecimal() and len(status) == 3:
        status = int(status)
    if isinstance(status, int) and 400 <= status <= 599:
        return int(status)
    return 200
