"""Reads along on the cloud's device port, to see what was really delivered."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
import json
from typing import Any

from .errors import deadline
from .ports import LOOPBACK

LINE_LIMIT = 2**20


@dataclass(frozen=True, slots=True)
class Delivery:
    """A command that the cloud pushed, and what the device answered."""

    action: str
    status: int


@dataclass(slots=True)
class Relay:
    """The deliveries that have passed, in order. Keys are not kept."""

    port: int = 0
    _deliveries: asyncio.Queue[Delivery] = field(default_factory=asyncio.Queue)
    _pushed: dict[int, str] = field(default_factory=dict)

    async def next_delivery(self, seconds: float) -> Delivery:
        """Wait for the next command that was pushed and answered."""
        async with deadline(seconds, "a delivery by the cloud"):
            return await self._deliveries.get()

    def note_from_cloud(self, frame: dict[str, Any]) -> None:
        """Remember a push until its answer passes."""
        if "path" in frame:
            self._pushed[frame["nonce"]] = frame.get("get", {}).get("action", "")

    def note_from_device(self, frame: dict[str, Any]) -> None:
        """Complete a push with its answer."""
        action = self._pushed.pop(frame.get("nonce", 0), None)
        if action is not None and "path" not in frame:
            self._deliveries.put_nowait(Delivery(action, frame.get("status", 0)))


@asynccontextmanager
async def running_relay(cloud_port: int, port: int = 0) -> AsyncIterator[Relay]:
    """Relay a port of this machine to the cloud's device port, reading along."""
    relay = Relay()

    async def forward(
        device_in: asyncio.StreamReader, device_out: asyncio.StreamWriter
    ) -> None:
        try:
            cloud_in, cloud_out = await asyncio.open_connection(
                LOOPBACK, cloud_port, limit=LINE_LIMIT
            )
        except OSError:
            device_out.close()
            return
        pumps = [
            asyncio.create_task(_pump(cloud_in, device_out, relay.note_from_cloud)),
            asyncio.create_task(_pump(device_in, cloud_out, relay.note_from_device)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            device_out.close()
            cloud_out.close()

    server = await asyncio.start_server(forward, LOOPBACK, port, limit=LINE_LIMIT)
    try:
        relay.port = server.sockets[0].getsockname()[1]
        yield relay
    finally:
        server.close()
        server.close_clients()
        await server.wait_closed()


async def _pump(
    source: asyncio.StreamReader,
    target: asyncio.StreamWriter,
    note: Callable[[dict[str, Any]], None],
) -> None:
    with suppress(OSError):
        while line := await source.readline():
            target.write(line)
            await target.drain()
            with suppress(ValueError):  # not JSON: not ours to judge
                note(json.loads(line))
