"""Many devices in one household, each at an address of its own, as light as can be.

They do what firmware does (protocol.md §5, §10): identify, ping, and connect again a second
after the connection has ended, or could not be had.
"""

import asyncio
from contextlib import suppress
import hashlib
import resource
from typing import Any, override

import orjson

from bench.answering import Answer, answer
from bench.paths import LOOPBACK
from bench.traffic.load import Lines

BEACON = 50.0  # seconds, protocol.md §5
RETRY = 1.0  # seconds
AT_ONCE = 200  # that get power in a second
SPREAD = (
    0.618  # of the beacon: who pings next is never the one that was switched on next
)
ROM_VERSION = "v1.0.5t3835(a)"
ACTIVATE, IDENTIFY, PING = "/v1/device/activate/", "/v1/device/identify", "/v1/ping/"


class Connection(Lines):
    """One connection of a device, whether its key is known or not."""

    def __init__(self, number: int, master_key: str, *, activates: bool) -> None:
        """Identify with this key, after an activation perhaps; the number makes the MAC address."""
        self._number = number
        self._master_key = master_key
        self._activates = activates
        self._timer: asyncio.TimerHandle | None = None
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._activates:
            number = f"{self._number:06x}"
            self._send(
                ACTIVATE,
                "POST",
                {
                    "encrypt_method": "PLAIN",
                    "bssid": f"18:fe:34:{number[:2]}:{number[2:4]}:{number[4:]}",
                    "token": number.rjust(40, "0"),
                    "rom_version": ROM_VERSION,
                },
            )
        else:
            self._send(IDENTIFY, "GET")
        # As if they had connected at any time before, one independently of the other.
        self._ping_in(self._number * SPREAD % 1 * BEACON)

    @override
    def data_received(self, data: bytes) -> None:
        if self._activates:
            self._activates = False
            self._send(IDENTIFY, "GET")

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self.lost.done():
            self.lost.set_result(None)

    def _ping_in(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._ping)

    def _ping(self) -> None:
        self._send(PING, "POST")
        self._ping_in(BEACON)

    def _send(self, path: str, method: str, body: dict[str, str] | None = None) -> None:
        frame = {
            "nonce": 1,
            "path": path,
            "method": method,
            **({"body": body} if body else {}),
            "meta": {"Authorization": f"token {self._master_key}"},
        }
        self._transport.write(orjson.dumps(frame, option=orjson.OPT_APPEND_NEWLINE))


async def live(number: int, master_key: str, port: int, *, activates: bool) -> None:
    """Be one device for as long as it has power; it activates once, if at all."""
    loop = asyncio.get_running_loop()
    # A household's devices have an address each, and a server counts connections by it.
    address = f"127.1.{number // 250}.{number % 250 + 1}"
    await asyncio.sleep(number / AT_ONCE)
    while True:
        with suppress(OSError):
            _, connection = await loop.create_connection(
                lambda: Connection(number, master_key, activates=activates),  # noqa: B023 - called at once
                LOOPBACK,
                port,
                local_addr=(address, 0),
            )
            activates = False
            await connection.lost
        await asyncio.sleep(RETRY)


class Devices:
    """The devices that have power."""

    def __init__(self) -> None:
        """Begin with none."""
        self._tasks: list[asyncio.Task[None]] = []

    async def connect(self, port: int, devices: list[dict[str, Any]]) -> Answer:
        """Give devices power whose keys are known."""
        keys = [device["master_key"] for device in devices]
        self._begin(keys, port, activate=True)
        return {}

    async def knock(self, port: int, count: int) -> Answer:
        """Give so many devices power whose keys nobody knows."""
        keys = [hashlib.sha1(b"%d" % number).hexdigest() for number in range(count)]
        self._begin(keys, port, activate=False)
        return {}

    def _begin(self, keys: list[str], port: int, *, activate: bool) -> None:
        first = len(self._tasks)
        self._tasks += [
            asyncio.create_task(live(first + number, key, port, activates=activate))
            for number, key in enumerate(keys)
        ]


async def main() -> None:
    """Do as one is told until stdin ends."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    devices = Devices()
    await answer({"connect": devices.connect, "knock": devices.knock}, {})


if __name__ == "__main__":
    asyncio.run(main())
