"""Sensors that store one datapoint after the other, and somebody who reads them."""

import asyncio
from time import perf_counter
from typing import Any, override

import orjson

from bench.answering import Answer, answer
from bench.paths import LOOPBACK

from .load import Caller, Lines

STREAM = "s"


class Sensor(Lines):
    """A device that posts its next datapoint when the last one was acknowledged."""

    def __init__(self, master_key: str) -> None:
        """Post with this key."""
        self._frame = {
            "path": f"/v1/datastreams/{STREAM}/datapoint/",
            "method": "POST",
            "meta": {"Authorization": f"token {master_key}"},
        }
        self._begin = self._until = 0.0
        self._received = b""
        self.milliseconds: list[float] = []
        self.failures = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def post_until(self, end: float) -> None:
        """Begin to post; the last one begins before `end`."""
        self._until = end
        self._post()

    def _post(self) -> None:
        self._begin = perf_counter()
        point = {"x": 21.5, "y": len(self.milliseconds)}
        frame = {**self._frame, "nonce": 1, "body": {"datapoint": point}}
        self._transport.write(orjson.dumps(frame, option=orjson.OPT_APPEND_NEWLINE))

    @override
    def data_received(self, data: bytes) -> None:
        self._received += data
        line, newline, self._received = self._received.partition(b"\n")
        if not newline:
            self._received = line
            return
        now = perf_counter()
        if orjson.loads(line).get("status") == 200:
            self.milliseconds.append((now - self._begin) * 1000)
        else:
            self.failures += 1
        if now < self._until:
            self._post()
        else:
            self.done.set_result(None)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("the cloud hung up"))


async def post(
    device_port: int, devices: list[dict[str, Any]], seconds: float
) -> Answer:
    """Store datapoints from all devices at once, for so many seconds.

    Returns the milliseconds of every one that was acknowledged, the number of those that were not,
    and the seconds it took.
    """
    loop = asyncio.get_running_loop()
    sensors = []
    for record in devices:
        _, sensor = await loop.create_connection(
            lambda: Sensor(record["master_key"]),  # noqa: B023 - called at once
            LOOPBACK,
            device_port,
        )
        sensors.append(sensor)
    begin = perf_counter()
    for sensor in sensors:
        sensor.post_until(begin + seconds)
    await asyncio.gather(*(sensor.done for sensor in sensors))
    wall = perf_counter() - begin
    for sensor in sensors:
        sensor.close()
    return {
        "milliseconds": [one for sensor in sensors for one in sensor.milliseconds],
        "failures": sum(sensor.failures for sensor in sensors),
        "wall": wall,
    }


async def read(http_port: int, devices: list[dict[str, Any]], seconds: float) -> Answer:
    """Read the last 100 datapoints of one device after the other, as `post` returns it."""
    requests = [
        (
            f"GET /v1/datastreams/{STREAM}/datapoints/?row_count=100 HTTP/1.1\r\n"
            f"Host: {LOOPBACK}\r\nAuthorization: token {record['owner_key']}\r\n\r\n"
        ).encode()
        for record in devices
    ]
    loop = asyncio.get_running_loop()
    _, reader = await loop.create_connection(
        lambda: Caller(requests), LOOPBACK, http_port
    )
    begin = perf_counter()
    reader.call_until(begin + seconds)
    await reader.done
    reader.close()
    return {
        "milliseconds": reader.milliseconds,
        "failures": reader.failures,
        "wall": perf_counter() - begin,
    }


async def main() -> None:
    """Do as one is told until stdin ends."""
    await answer({"post": post, "read": read}, {})


if __name__ == "__main__":
    asyncio.run(main())
