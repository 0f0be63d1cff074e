"""Many devices on one cloud, and people who call them: as light as can be."""

import asyncio
from itertools import cycle
import resource
from time import perf_counter
from typing import Any, cast, override

import orjson

from bench.answering import Answer, answer
from bench.paths import LOOPBACK


class Lines(asyncio.Protocol):
    """What all connections here have in common."""

    _transport: asyncio.Transport

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def close(self) -> None:
        """Hang up at once."""
        self._transport.abort()


class Device(Lines):
    """A connected device that acknowledges whatever it is told."""

    def __init__(self, master_key: str) -> None:
        """Identify with this key."""
        self._master_key = master_key
        self._rest = b""
        self.identified: asyncio.Future[None] = (
            asyncio.get_running_loop().create_future()
        )

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._send(
            {
                "nonce": 1,
                "path": "/v1/device/identify",
                "method": "GET",
                "meta": {"Authorization": f"token {self._master_key}"},
            }
        )

    @override
    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            frame = orjson.loads(line)
            if "path" in frame:
                nonce = frame["nonce"]
                self._send({"status": 200, "nonce": nonce, "deliver_to_device": True})
            elif not self.identified.done():
                self.identified.set_result(None)

    def _send(self, frame: dict[str, Any]) -> None:
        self._transport.write(orjson.dumps(frame, option=orjson.OPT_APPEND_NEWLINE))


class InTurn(Lines):
    """Somebody who sends the next request when the last one was answered."""

    def __init__(self) -> None:
        """Begin with nothing sent."""
        self._begin = 0.0
        self._until = 0.0
        self.milliseconds: list[float] = []
        self.failures = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def call_until(self, end: float) -> None:
        """Begin to send; the last request begins before `end`."""
        self._until = end
        self._call()

    def send(self) -> None:
        """Send the next request."""
        raise NotImplementedError

    def _call(self) -> None:
        self._begin = perf_counter()
        self.send()

    def answered(self, body: bytes) -> None:
        """Take the JSON of an answer, and go on."""
        now = perf_counter()
        if orjson.loads(body).get("status") == 200:
            self.milliseconds.append((now - self._begin) * 1000)
        else:
            self.failures += 1
        if now < self._until:
            self._call()
        else:
            self.done.set_result(None)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("the cloud hung up"))


class Caller(InTurn):
    """Somebody who sends one call after the other over one HTTP connection."""

    def __init__(self, requests: list[bytes]) -> None:
        """Send these requests, over and over."""
        super().__init__()
        self._requests = cycle(requests)
        self._received = b""

    @override
    def send(self) -> None:
        self._received = b""
        self._transport.write(next(self._requests))

    @override
    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        _, _, rest = head.lower().partition(b"content-length:")
        if len(body) >= int(rest.partition(b"\r\n")[0]):
            self.answered(body)


async def all_done(callers: list[InTurn], seconds: float) -> Answer:
    """Have all call at once for so many seconds, and hang up.

    Returns the milliseconds of every request that was acknowledged, the number of those that were
    not, and the seconds it took.
    """
    begin = perf_counter()
    for caller in callers:
        caller.call_until(begin + seconds)
    await asyncio.gather(*(caller.done for caller in callers))
    wall = perf_counter() - begin
    for caller in callers:
        caller.close()
    return {
        "milliseconds": [one for caller in callers for one in caller.milliseconds],
        "failures": sum(caller.failures for caller in callers),
        "wall": wall,
    }


def request(owner_key: str) -> bytes:
    """Return the call that a person's curl makes."""
    return (
        "GET /v1/device/rpc/?deliver_to_device=true&action=LED_ON HTTP/1.1\r\n"
        f"Host: {LOOPBACK}\r\nAuthorization: token {owner_key}\r\n\r\n"
    ).encode()


async def connect(device_port: int, devices: list[dict[str, Any]]) -> Answer:
    """Connect the devices and wait until all are identified."""
    loop = asyncio.get_running_loop()
    for record in devices:
        _, device = await loop.create_connection(
            lambda: Device(record["master_key"]),  # noqa: B023 - called at once
            LOOPBACK,
            device_port,
        )
        await device.identified
    return {}


async def call(
    http_port: int, devices: list[dict[str, Any]], callers: int, seconds: float
) -> Answer:
    """Call the devices in turns, from so many callers at once; returns what `all_done` does."""
    loop = asyncio.get_running_loop()
    requests = [request(record["owner_key"]) for record in devices]
    people: list[InTurn] = []
    for number in range(callers):
        mine = requests[number::callers] or requests
        _, person = await loop.create_connection(
            lambda: Caller(mine),  # noqa: B023 - called at once
            LOOPBACK,
            http_port,
        )
        people.append(person)
    return await all_done(people, seconds)


async def main() -> None:
    """Do as one is told until stdin ends."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    await answer({"connect": connect, "call": call}, {})


if __name__ == "__main__":
    asyncio.run(main())
