"""A device that speaks the wire itself, to be in the way or to misbehave."""

import asyncio
from types import TracebackType
from typing import Any, Self

import orjson

from custom_components.espcloud.local_cloud import LocalCloud


class RawDevice:
    """A socket at the cloud's device port, identified with a master key."""

    def __init__(self, cloud: LocalCloud, master_key: str) -> None:
        """Connect on entering the context."""
        self._cloud = cloud
        self._master_key = master_key
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def __aenter__(self) -> Self:
        """Connect and identify."""
        self._reader, self._writer = await asyncio.open_connection(
            self._cloud.device_host, self._cloud.device_port
        )
        self.send(
            {
                "nonce": 1,
                "path": "/v1/device/identify",
                "method": "GET",
                "meta": {"Authorization": f"token {self._master_key}"},
            }
        )
        answer = await self.receive()
        assert answer["status"] == 200
        # Pushes wait for this, or for two seconds.
        self.send({"path": "/v1/ping/"})
        answer = await self.receive()
        assert answer["message"] == "ping success"
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Hang up."""
        self._writer.close()
        await self._writer.wait_closed()

    def send(self, frame: dict[str, Any]) -> None:
        """Send a frame."""
        self._writer.write(orjson.dumps(frame) + b"\n")

    async def receive(self) -> dict[str, Any]:
        """Wait for a frame."""
        async with asyncio.timeout(5):
            frame: dict[str, Any] = orjson.loads(await self._reader.readline())
            return frame
