"""A sensor that posts one datapoint after the other, and knows when it sent each."""

import asyncio
from time import perf_counter
from typing import override

import orjson

from bench.answering import Answer, answer
from bench.paths import LOOPBACK
from bench.traffic.load import Lines

STREAM = "flammable_gas"


class Sensor(Lines):
    """A connected sensor that posts its next datapoint when the last one was acknowledged."""

    def __init__(self, master_key: str) -> None:
        """Post with this key."""
        self._meta = {"Authorization": f"token {master_key}"}
        self._rest = b""
        self._left = 0
        self._number = 0
        self.sent: list[float] = []
        self.acknowledged: list[float] = []
        self.failures = 0
        self._done = asyncio.Event()

    async def post(self, count: int) -> None:
        """Post so many datapoints, each of another value than the one before."""
        self.sent, self.acknowledged, self._left = [], [], count
        self._done.clear()
        self._send()
        await self._done.wait()

    def _send(self) -> None:
        self._left -= 1
        self._number += 1
        frame = {
            "path": f"/v1/datastreams/{STREAM}/datapoint/",
            "method": "POST",
            "meta": self._meta,
            "nonce": self._number,
            "body": {"datapoint": {"x": self._number % 1000 / 1000}},
        }
        line = orjson.dumps(frame, option=orjson.OPT_APPEND_NEWLINE)
        self.sent.append(perf_counter())
        self._transport.write(line)

    @override
    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self.acknowledged.append(perf_counter())
            self.failures += orjson.loads(line).get("status") != 200
            if self._left:
                self._send()
            else:
                self._done.set()


async def main() -> None:
    """Do as one is told until stdin ends."""
    sensor: Sensor | None = None

    async def connect(port: int, master_key: str) -> Answer:
        nonlocal sensor
        _, sensor = await asyncio.get_running_loop().create_connection(
            lambda: Sensor(master_key), LOOPBACK, port
        )
        return {}

    async def post(count: int) -> Answer:
        assert sensor is not None
        await sensor.post(count)
        return {
            "sent": sensor.sent,
            "acknowledged": sensor.acknowledged,
            "failures": sensor.failures,
        }

    await answer({"connect": connect, "post": post}, {})


if __name__ == "__main__":
    asyncio.run(main())
