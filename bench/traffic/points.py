"""Sensors that store one datapoint after the other, and somebody who reads them."""

import asyncio
from typing import Any, override

import orjson

from bench.answering import Answer, answer
from bench.paths import LOOPBACK

from .load import Caller, InTurn, all_done

STREAM = "s"


class Sensor(InTurn):
    """A device that posts its next datapoint when the last one was acknowledged."""

    def __init__(self, master_key: str) -> None:
        """Post with this key."""
        super().__init__()
        self._frame = {
            "path": f"/v1/datastreams/{STREAM}/datapoint/",
            "method": "POST",
            "meta": {"Authorization": f"token {master_key}"},
        }
        self._received = b""

    @override
    def send(self) -> None:
        point = {"x": 21.5, "y": len(self.milliseconds)}
        frame = {**self._frame, "nonce": 1, "body": {"datapoint": point}}
        self._transport.write(orjson.dumps(frame, option=orjson.OPT_APPEND_NEWLINE))

    @override
    def data_received(self, data: bytes) -> None:
        line, newline, rest = (self._received + data).partition(b"\n")
        self._received = rest if newline else line
        if newline:
            self.answered(line)


async def post(
    device_port: int, devices: list[dict[str, Any]], seconds: float
) -> Answer:
    """Store datapoints from all devices at once; returns what `all_done` does."""
    loop = asyncio.get_running_loop()
    sensors: list[InTurn] = []
    for record in devices:
        _, sensor = await loop.create_connection(
            lambda: Sensor(record["master_key"]),  # noqa: B023 - called at once
            LOOPBACK,
            device_port,
        )
        sensors.append(sensor)
    return await all_done(sensors, seconds)


async def read(http_port: int, devices: list[dict[str, Any]], seconds: float) -> Answer:
    """Read the last 100 datapoints of one device after the other; returns what `all_done` does."""
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
    return await all_done([reader], seconds)


async def main() -> None:
    """Do as one is told until stdin ends."""
    await answer({"post": post, "read": read}, {})


if __name__ == "__main__":
    asyncio.run(main())
