"""The two kinds of client that the cloud has: one on each port."""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
import json
from pathlib import Path
import socket
import ssl
from types import TracebackType
from typing import Any, Self

from aiohttp import ClientSession
from yarl import URL

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device
from custom_components.espcloud.local_cloud.roms import Model
from tests.firmware import image

TOKEN = "0123456789abcdefghijklmnopqrstuvwxyz0123"
"""A one-time token as an app makes it: 40 characters."""
BSSID = "18:fe:34:00:00:01"
WAIT = 5
LOCAL_CLOUD = Path(__file__).parents[2] / "scripts" / "run_local_cloud.py"


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    text: str
    content_type: str

    @property
    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.text)


async def no_file(_rom_id: int) -> bytes | None:
    """Find no firmware file, as where one was removed in the middle of an upgrade."""
    return None


async def until(happened: Callable[[], bool], patience: float = WAIT) -> None:
    """Wait for something inside the cloud that has no event, at most so many seconds."""
    async with asyncio.timeout(patience):
        while not happened():  # noqa: ASYNC110 - as said
            await asyncio.sleep(0)


class Api:
    """A client of the HTTP server that sends exactly what it is told."""

    def __init__(self, cloud: LocalCloud, session: ClientSession) -> None:
        """Call `cloud`."""
        self._cloud = cloud
        self._session = session

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send one request; a body that is no bytes is sent as JSON."""
        headers = {
            **({"Authorization": f"token {key}"} if key else {}),
            **(headers or {}),
        }
        data = (
            body
            if body is None or isinstance(body, bytes)
            else json.dumps(body).encode()
        )
        async with self._session.request(
            method,
            URL(self._cloud.http_url + path, encoded=True),
            data=data,
            headers=headers,
        ) as response:
            return Reply(response.status, await response.text(), response.content_type)

    async def get(self, path: str, **options: Any) -> Reply:
        """GET a path."""
        return await self.call("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Reply:
        """POST to a path."""
        return await self.call("POST", path, body, **options)

    async def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Send a request that succeeds and return its JSON."""
        reply = await self.call(method, path, body, **options)
        assert reply.json["status"] == 200, reply.text
        assert reply.status == 200
        return reply.json


class DeviceSocket:
    """A client of the device server."""

    def __init__(
        self,
        cloud: LocalCloud,
        context: ssl.SSLContext | None = None,
        *,
        sock: socket.socket | None = None,
    ) -> None:
        """Connect to `cloud` on entering, with `sock` where one is given."""
        self._cloud = cloud
        self._context = context
        self._socket = sock
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def __aenter__(self) -> Self:
        """Connect."""
        host, port = self._cloud.device_host, self._cloud.device_port
        where: dict[str, Any] = {"host": host, "port": port}
        if self._socket is not None:
            loop = asyncio.get_running_loop()
            await loop.sock_connect(self._socket, (host, port))
            where = {"sock": self._socket}
            if self._context is not None:
                where["server_hostname"] = host
        self.reader, self.writer = await asyncio.open_connection(
            **where, limit=4 << 20, ssl=self._context
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Hang up."""
        self.writer.transport.abort()

    def send(self, frame: dict[str, Any] | bytes) -> None:
        """Send a frame, or just bytes."""
        self.writer.write(
            frame if isinstance(frame, bytes) else json.dumps(frame).encode() + b"\n"
        )

    async def line(self) -> bytes:
        """Return the next line as it came; empty at the end."""
        async with asyncio.timeout(WAIT):
            return await self.reader.readline()

    async def receive(self) -> Any:
        """Return the next frame."""
        return json.loads(await self.line())

    async def ask(
        self, path: str, method: str = "GET", *, key: str = "", **members: Any
    ) -> Any:
        """Send a request and return the next frame."""
        meta = {"meta": {"Authorization": f"token {key}"}} if key else {}
        self.send({"path": path, "method": method, **meta, **members})
        return await self.receive()

    async def identify(self, device: Device, nonce: int = 67) -> Any:
        """Identify, send a ping so that pushes need not wait, and return the first answer."""
        key = self._cloud.master_key(device)
        answer = await self.ask("/v1/device/identify", key=key, nonce=nonce)
        assert answer["status"] == 200
        assert (await self.ask("/v1/ping/"))["message"] == "ping success"
        return answer

    def acknowledge(self, push: dict[str, Any], **members: Any) -> None:
        """Answer a push as firmware does."""
        self.send(
            {
                "status": 200,
                "nonce": push["nonce"],
                "deliver_to_device": True,
                **members,
            }
        )

    async def ended(self) -> bytes:
        """Return what still comes until the cloud ends the connection."""
        async with asyncio.timeout(WAIT):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""


async def from_address(
    stack: AsyncExitStack, cloud: LocalCloud, address: str
) -> DeviceSocket:
    """Connect from an address of loopback."""
    own = socket.socket()
    own.setblocking(False)
    own.bind((address, 0))
    return await stack.enter_async_context(DeviceSocket(cloud, sock=own))


def firmware_body(version: str, user1: bytes, user2: bytes) -> dict[str, Any]:
    """Return the body that uploads a firmware version."""
    files = [
        {"name": name, "rom_base64": b64encode(content).decode()}
        for name, content in (("user1.bin", user1), ("user2.bin", user2))
    ]
    return {"productRoms": [{"version": version, "files": files}]}


def add_firmware(cloud: LocalCloud, version: str, ptype: int = 45772) -> None:
    """Give a cloud firmware for the devices of a kind; there has to be an account."""
    files = {f"user{slot}.bin": image.build(slot) for slot in (1, 2)}
    user = cloud.store.users[1]
    cloud.store.add_firmware(user, Model(0, ptype), version, files)
