"""A device that somebody built after the tutorial (protocol.md §3.1, §3.2, §3.4, §3.5, §10.1)."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
import json
import socket
from typing import Any, Unpack

from .device import Device, Identity

_CHUNK = 4096
_PATIENCE = 10.0
"""Seconds that it waits for the answer to a post."""


class SelfMade(Device):
    """A device with streams and RPC actions of its own, which reads JSON, line by line.

    Attributes:
        pushes: the pushes that came, oldest first, as they came; those of RPC have `get`.
        answers: whether it answers pushes; many of its kind do not.
        status: the status of its answers.
        members: what else is in its answers, such as an `error`.
        is_identified: whether the server has taken its key since it connected.
    """

    def __init__(
        self,
        address: tuple[str, int],
        master_key: str,
        *,
        rom_version: str = "V1.0",
        answers: bool = True,
        status: int = 200,
        members: Mapping[str, Any] | None = None,
        beacon: float = 50.0,
        retry: float = 0.05,
        **identity: Unpack[Identity],
    ) -> None:
        """Prepare a device for the server at `address`.

        Args:
            address: host and port of the device server.
            master_key: the key in its flash.
            rom_version: any text.
            answers: see the attributes.
            status: likewise.
            members: likewise.
            beacon: seconds between its pings.
            retry: seconds until it connects again.
            **identity: see Identity.
        """
        super().__init__(address, master_key, **identity)
        self.rom_version = rom_version
        self.answers = answers
        self.status = status
        self.members = dict(members or {})
        self.pushes: list[dict[str, Any]] = []
        self.is_identified = False
        self._beacon = beacon
        self._retry = retry
        self._nonce = 65
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}

    @property
    def rpcs(self) -> list[dict[str, str]]:
        """The actions that came, oldest first, with their parameters: all of them texts."""
        return [
            push["get"]
            for push in self.pushes
            if push["path"].startswith("/v1/device/rpc")
        ]

    @property
    def state(self) -> dict[str, Any]:
        """What can be seen of it from outside, and the actions that came."""
        return {
            **super().state,
            "rom_version": self.rom_version,
            "is_identified": self.is_identified,
            "rpcs": self.rpcs,
        }

    async def post(self, stream: str, **values: Any) -> dict[str, Any]:
        """Post a datapoint to a stream, and return the answer.

        Raises ValueError where it is not connected, TimeoutError without an answer, OSError where
        the connection ends instead.
        """
        if not self.is_identified:
            raise ValueError("it is not connected")
        return await self._ask(
            f"/v1/datastreams/{stream}/datapoint/",
            "POST",
            body={"datapoint": values},
        )

    async def _run(self) -> None:
        self.boots += 1
        while True:
            with suppress(OSError):
                await self._connect()
            await asyncio.sleep(self._retry)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        with self._new_socket() as connection:
            await loop.sock_connect(connection, self.address)
            self._socket = connection
            self.connections += 1
            work = self._spawn(self._introduce())
            try:
                await self._read(connection)
            finally:
                self._socket, self.is_identified = None, False
                work.cancel()
                for answer in self._asked.values():
                    if not answer.done():
                        answer.set_exception(ConnectionError("the connection ended"))

    async def _introduce(self) -> None:
        """Activate if need be, identify, and ping from then on."""
        with suppress(OSError, TimeoutError):
            if not self._activated:
                body = {
                    "encrypt_method": "PLAIN",
                    "token": self.token,
                    "bssid": self.bssid,
                    "rom_version": self.rom_version,
                }
                answer = await self._ask("/v1/device/activate/", "POST", body=body)
                self._activated = answer.get("status") == 200
            answer = await self._ask("/v1/device/identify", "GET")
            self.is_identified = answer.get("status") == 200
            while True:
                await asyncio.sleep(self._beacon)
                await self._ask("/v1/ping/", "POST")

    async def _read(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        rest = b""
        while data := await loop.sock_recv(connection, _CHUNK):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if line.strip():
                    await self._take(json.loads(line))

    async def _take(self, frame: dict[str, Any]) -> None:
        """Take an answer to the one who asked, or answer a push: that has a path."""
        if "path" not in frame:
            answer = self._asked.get(frame.get("nonce", 0))
            if answer is not None and not answer.done():
                answer.set_result(frame)
            return
        self.pushes.append(frame)
        if self.answers:
            await self._write(
                {
                    "status": self.status,
                    "nonce": frame["nonce"],
                    "deliver_to_device": True,
                    **self.members,
                }
            )

    async def _ask(self, path: str, method: str, **members: Any) -> dict[str, Any]:
        self._nonce += 1
        nonce = self._nonce
        answer: asyncio.Future[dict[str, Any]] = (
            asyncio.get_running_loop().create_future()
        )
        self._asked[nonce] = answer
        meta = {"Authorization": f"token {self.master_key}"}
        try:
            await self._write(
                {
                    "nonce": nonce,
                    "path": path,
                    "method": method,
                    **members,
                    "meta": meta,
                }
            )
            async with asyncio.timeout(_PATIENCE):
                return await answer
        finally:
            del self._asked[nonce]

    async def _write(self, frame: dict[str, Any]) -> None:
        await self._send(json.dumps(frame).encode() + b"\n")
