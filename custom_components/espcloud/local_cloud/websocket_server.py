"""The device port once more, as a WebSocket: the same frames, one in a message (protocol.md §1, §3)."""

import asyncio
from collections.abc import Callable
from typing import override

from aiohttp import WSMsgType, web

from .admission import Admission
from .aiohttp_settings import handler_settings
from .device_connection import DeviceConnection
from .limits import Limits
from .socket_server import SocketServer
from .websocket_transport import WebSocketTransport

_PATH = "/"


class WebSocketServer(SocketServer):
    """Makes a device connection of each WebSocket; silent ones are the device server's to drop."""

    def __init__(
        self,
        make_connection: Callable[[], DeviceConnection],
        admission: Admission,
        limits: Limits,
    ) -> None:
        """Have connections from `make_connection`, of whom `admission` lets in."""
        super().__init__(admission, limits)
        self._make_connection = make_connection
        self._http: web.Server | None = None
        self._connections: set[DeviceConnection] = set()

    @override
    def connection(self) -> asyncio.Protocol:
        """Return the protocol of one more connection, which begins as HTTP."""
        if self._http is None:
            self._http = web.Server(self._handle)
        return web.RequestHandler(
            self._http,
            loop=asyncio.get_running_loop(),
            **handler_settings(self._limits),
        )

    async def close(self) -> None:
        """Stop listening and end every connection; nothing is left behind."""
        self._stop_accepting()
        connections = list(self._connections)
        for connection in connections:
            connection.close("the server closes")
        if self._http is not None:
            self._http.pre_shutdown()
            await self._http.shutdown(timeout=1)
        self._abort_clients()
        for connection in connections:
            await connection.finish()
        await self._wait_closed()

    async def _handle(self, http: web.BaseRequest) -> web.StreamResponse:
        """Serve one WebSocket until it ends."""
        websocket = web.WebSocketResponse(
            timeout=self._limits.unread,
            # Nothing is inflated: a little of it can be very much.
            compress=False,
            max_msg_size=self._limits.websocket_message,
        )
        if http.path != _PATH or not websocket.can_prepare(http):
            response = web.Response(
                text="This port speaks WebSocket, at the path /.\n",
                status=404 if http.path != _PATH else 426,
                headers={"Upgrade": "websocket"},
            )
            # What there may be of a body is not read.
            response.force_close()
            return response
        await websocket.prepare(http)
        if http.transport is None:
            return websocket
        connection = self._make_connection()
        transport = WebSocketTransport(websocket, http.transport, connection)
        self._connections.add(connection)
        sending = asyncio.create_task(transport.send())
        try:
            connection.connection_made(transport)
            async for message in websocket:
                if message.type is WSMsgType.TEXT:
                    data = message.data.encode()
                elif message.type is WSMsgType.BINARY:
                    data = message.data
                else:
                    continue
                connection.data_received(data + b"\n")
                await transport.until_it_may_be_read()
        finally:
            self._connections.discard(connection)
            connection.connection_lost(None)
            task = asyncio.current_task()
            if not transport.is_closed_here or (task and task.cancelling()):
                sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return websocket

    @override
    def _drop_overdue(self) -> None:
        """Drop nothing: aiohttp drops who sends no request, the device server who is silent."""
