"""The server for people and apps: the HTTP API (protocol.md §2)."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
import logging
import socket
import ssl
from urllib.parse import parse_qsl

from aiohttp import web

from .addresses import network_of
from .admission import Admission
from .api.roms import MAX_UPLOAD, is_upload
from .bodies import Bodies
from .errors import ApiError, bad_request
from .http_connection import HttpConnection
from .limits import Limits
from .request import FileBody, Request, key_text, make_request, path_segments
from .router import Router
from .wire import JsonObject, encode

_LOGGER = logging.getLogger(__name__)
_AIOHTTP_LOGGER = logging.getLogger(f"{__name__}.aiohttp")
# aiohttp reports malformed requests with their text, in which there may be a key.
_AIOHTTP_LOGGER.disabled = True

_READ_AHEAD = 64 << 10
"""Bytes that are taken from a connection before whoever reads the body asks for them."""


class HttpServer:
    """Serves HTTP, and drops connections that only cost."""

    def __init__(
        self,
        router: Router,
        admission: Admission,
        limits: Limits,
        *,
        knows: Callable[[str], bool],
    ) -> None:
        """Hand requests to `router`, of whom `admission` lets in; `knows` says whether a key exists."""
        self._router = router
        self._knows = knows
        self._bodies = Bodies(limits)
        self._admission = admission
        self._limits = limits
        self._http: web.Server | None = None
        self._servers: list[asyncio.Server] = []
        self._deadlines: dict[web.RequestHandler, float] = {}
        """Until when each connection's request has to be over, its answer read."""
        self._downloads = Counter[str]()
        """By address: the files that are being read."""
        self._sweep_timer: asyncio.TimerHandle | None = None

    async def open(
        self, sockets: Sequence[socket.socket], ssl_context: ssl.SSLContext | None
    ) -> None:
        """Take sockets that listen at one more port; `serve` accepts at them."""
        self._servers += [
            await self._admission.listen(
                self.connection, sock, ssl_context=ssl_context, limits=self._limits
            )
            for sock in sockets
        ]

    async def serve(self) -> None:
        """Begin to accept."""
        for server in self._servers:
            await server.start_serving()
        if self._servers:
            loop = asyncio.get_running_loop()
            self._sweep_timer = loop.call_later(self._limits.sweep, self._sweep)

    def connection(self) -> asyncio.Protocol:
        """Return the protocol of one more connection."""
        if self._http is None:
            self._http = self._web_server()
        return HttpConnection(self._http())

    def _web_server(self) -> web.Server:
        return web.Server(
            self._handle,
            access_log=None,
            logger=_AIOHTTP_LOGGER,
            keepalive_timeout=self._limits.http_keep_alive,
            # A connection that ends while aiohttp lingers on it would leave its task behind.
            lingering_time=0,
            read_bufsize=_READ_AHEAD,
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Stop listening and end every connection; nothing is left behind."""
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
        for server in self._servers:
            server.close()
        if self._http is not None:
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
            if isinstance(file := reply.get("file"), FileBody):
                return await self._send_file(http, file)
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
        authorization = http.headers.get("Authorization")
        body: JsonObject = {}
        if http.body_exists:
            token = key_text(authorization)
            known = token is not None and self._knows(token)
            body = await self._bodies.read(http, self._body_limit(http, known))
        return make_request(
            http.method,
            http.path,
            # Raw: what aiohttp gives otherwise is decoded once already.
            dict(parse_qsl(http.rel_url.raw_query_string, keep_blank_values=True)),
            body,
            authorization=authorization,
            time_zone=http.headers.get("Time-Zone"),
            peer=http.remote or "",
        )

    def _body_limit(self, http: web.BaseRequest, key_is_known: bool) -> int:
        """Return how long a body may be: without a key that exists, long enough to sign in."""
        if not key_is_known:
            return self._limits.body_without_key
        if is_upload(http.method, path_segments(http.path)):
            return MAX_UPLOAD
        return self._limits.line

    async def _send_file(
        self, http: web.BaseRequest, file: FileBody
    ) -> web.StreamResponse:
        """Send a file, its head in one segment with the start of it.

        Firmware looks for the head in what it receives first, and takes what follows there for the
        file (protocol.md §10.4). Raises ApiError 503 where too many are being read.
        """
        address = network_of(http.remote or "")
        if (
            self._downloads.total() >= self._limits.downloads
            or self._downloads[address] >= self._limits.downloads_of_address
        ):
            raise ApiError(503, "too many downloads at once, try again in a moment")
        response = web.Response(
            body=file.content,
            headers={
                "Content-Type": "application/octet-stream",
                "Content-Disposition": f"attachment;filename={file.name}",
            },
        )
        self._allow(http, self._limits.http_download)
        self._downloads[address] += 1
        try:
            await response.prepare(http)
            await response.write_eof()
        finally:
            self._downloads[address] -= 1
            self._downloads += Counter()  # without the addresses that have none
        return response

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


def status_line(reply: JsonObject) -> int:
    """Return the HTTP status of a reply; a device may have put anything into its own."""
    status = reply["status"]
    if isinstance(status, str) and status.isdecimal() and len(status) == 3:
        status = int(status)
    if isinstance(status, int) and 400 <= status <= 599:
        return int(status)
    return 200
