"""The server for people and apps: the HTTP API (protocol.md §2)."""

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
import logging
from typing import Any, override
from urllib.parse import parse_qsl

from aiohttp import web

from .addresses import network_of
from .admission import Admission
from .aiohttp_settings import handler_settings
from .api.roms import MAX_UPLOAD, is_upload
from .api.users import is_form
from .bodies import Bodies
from .errors import ApiError, bad_request
from .file_progress import FileProgress
from .http_connection import HttpConnection
from .limits import Limits
from .request import FileBody, Request, key_text, make_request, path_segments
from .router import Router
from .site import Connection, Site
from .socket_server import SocketServer
from .wire import JsonObject, encode

_LOGGER = logging.getLogger(__name__)

API = "v1"
"""Where the paths of the API begin (protocol.md §2)."""
_PIECE = 16 << 10
"""Bytes of a file that are written at once."""
_LOOK_AGAIN = 0.05
"""Seconds until it is asked again how much of the end of a file has arrived."""


class _Handler(web.RequestHandler):
    """Tells those who answer slowly that nobody waits for it any more."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        """Begin."""
        super().__init__(*arguments, **settings)
        self.ended = asyncio.Event()

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        """End."""
        self.ended.set()
        super().connection_lost(exc)


class _SilentHandler(_Handler):
    """Ends the connection where others would answer with an error."""

    @override
    def handle_error(self, request: web.BaseRequest, *_: Any, **__: Any) -> Any:
        """Send nothing. Raises ConnectionAbortedError, which aiohttp takes for the end."""
        if self.transport is not None:
            self.transport.abort()
        raise ConnectionAbortedError


class HttpServer(SocketServer):
    """Serves HTTP, and drops connections that only cost."""

    def __init__(
        self,
        router: Router,
        admission: Admission,
        limits: Limits,
        *,
        knows: Callable[[str], bool],
        is_silent: bool = False,
    ) -> None:
        """Hand requests to `router`, of whom `admission` lets in; `knows` says whether a key exists.

        One that `is_silent` sends what was asked for, or ends the connection without a byte.
        """
        super().__init__(admission, limits)
        self._router = router
        self._is_silent = is_silent
        self._knows = knows
        self._bodies = Bodies(limits)
        self._http: web.Server | None = None
        self._deadlines: dict[web.RequestHandler, float] = {}
        """Until when each connection's request has to be over, its answer read."""
        self._downloads = Counter[str]()
        """By address: the files that are being read."""
        self._progress: dict[web.RequestHandler, FileProgress] = {}
        """Of the files of which somebody wants to know how much has arrived."""
        self.site: Site | None = None
        """What answers outside the paths of the API, where there is such a thing."""

    @override
    def connection(self) -> asyncio.Protocol:
        """Return the protocol of one more connection."""
        if self._http is None:
            self._http = web.Server(self._handle)
        handler = _SilentHandler if self._is_silent else _Handler
        http = handler(
            self._http,
            loop=asyncio.get_running_loop(),
            **handler_settings(self._limits),
        )
        return HttpConnection(http, partial(self._at_end, http))

    async def close(self) -> None:
        """Stop listening and end every connection; nothing is left behind."""
        self._stop_accepting()
        if self.site is not None:
            await self.site.close()
        if self._http is not None:
            self._http.pre_shutdown()
            await self._http.shutdown(timeout=1)
        # What does not read, or is still in its TLS handshake, would stay otherwise.
        self._abort_clients()
        await self._wait_closed()

    async def _handle(self, http: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; the status line says what the JSON says (protocol.md §2.1)."""
        self._allow(http, self._limits.http_request)
        if self.site is not None and path_segments(http.path)[0] != API:
            assert isinstance(http.protocol, _Handler)
            connection = Connection(partial(self._allow, http), http.protocol.ended)
            try:
                return await self.site.answer(http, connection)
            finally:
                self._allow(http, self._limits.http_keep_alive)
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
        if self._is_silent:
            _LOGGER.debug("No answer to %s: %s", http.remote, reply["message"])
            raise ConnectionAbortedError
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
        if http.body_exists and self._is_silent:
            raise bad_request("no body is taken here")  # nor "100 Continue" sent
        if http.body_exists:
            token = key_text(authorization)
            known = token is not None and self._knows(token)
            body = await self._bodies.read(
                http,
                self._body_limit(http, known),
                is_form=is_form(path_segments(http.path)),
            )
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
            headers={
                "Content-Length": str(len(file.content)),
                "Content-Type": "application/octet-stream",
                "Content-Disposition": f"attachment;filename={file.name}",
            },
        )
        self._allow(http, self._limits.http_download)
        self._downloads[address] += 1
        try:
            await response.prepare(http)
            await self._write_file(http, response, file)
            await response.write_eof()
        finally:
            self._downloads[address] -= 1
            self._downloads += Counter()  # without the addresses that have none
        return response

    async def _write_file(
        self, http: web.BaseRequest, response: web.Response, file: FileBody
    ) -> None:
        """Write a file piece by piece, and tell who asks when its bytes have arrived."""
        connection = http.protocol
        transport = connection.transport
        if transport is None:
            raise ConnectionResetError
        progress = None
        if file.tell is not None:
            progress = FileProgress(transport, file.tell)
            self._progress[connection] = progress
        size = len(file.content)
        try:
            for start in range(0, size, _PIECE):
                piece = file.content[start : start + _PIECE]
                await response.write(piece)
                if progress is not None:
                    progress.wrote(len(piece))
                await http.writer.drain()
            # The end of the connection ends this as well; `_sweep` sees to it that there is one.
            while progress and progress.sent < size and not transport.is_closing():
                await asyncio.sleep(_LOOK_AGAIN)
                progress.look()
        finally:
            self._progress.pop(connection, None)

    def _at_end(self, connection: web.RequestHandler) -> None:
        """Look at what has arrived before the socket is closed: a client reads the file and hangs up."""
        if (progress := self._progress.get(connection)) is not None:
            progress.look()

    def _allow(self, http: web.BaseRequest, seconds: float) -> None:
        """Give the connection this long until its next step."""
        self._deadlines[http.protocol] = asyncio.get_running_loop().time() + seconds

    @override
    def _drop_overdue(self) -> None:
        """Drop the connections whose request is not over in time; aiohttp drops the idle ones."""
        now = asyncio.get_running_loop().time()
        for connection, deadline in list(self._deadlines.items()):
            transport = connection.transport
            if transport is None:
                del self._deadlines[connection]
            elif now > deadline:
                transport.abort()


def status_line(reply: JsonObject) -> int:
    """Return the HTTP status of a reply; a device may have put anything into its own."""
    status = reply["status"]
    if isinstance(status, str) and status.isdecimal() and len(status) == 3:
        status = int(status)
    if isinstance(status, int) and 400 <= status <= 599:
        return int(status)
    return 200
