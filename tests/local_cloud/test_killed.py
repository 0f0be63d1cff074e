"""The process of a cloud in bad luck: `kill -9` in the middle of a thousand writes, a disk that fills up.

Three times here; `ESPCLOUD_KILLS=50 scripts/test tests/local_cloud/test_killed.py --timeout 900` is the
long run.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
import json
import os
from pathlib import Path
import random
import resource
import sqlite3
import sys
from typing import Any

from aiohttp import ClientError, ClientSession, TCPConnector

from tests.credentials import EMAIL, PASSWORD

from .helpers import LOCAL_CLOUD

KILLS = int(os.environ.get("ESPCLOUD_KILLS", "3"))
CALLERS = 40
SENSORS = 10
WRITES = 1000


@asynccontextmanager
async def running(
    path: Path,
) -> AsyncGenerator[tuple[asyncio.subprocess.Process, dict[str, Any]]]:
    """Run the cloud as a person does; yield its process and what it says."""
    sensors = [
        word for number in range(SENSORS) for word in ("--device", f"sensor {number}")
    ]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, LOCAL_CLOUD, "--json", "--http-port", "0", "--device-port", "0"),
        *("--account", f"{EMAIL}:{PASSWORD}", *sensors, "--state", path),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = await process.stdout.readline()
        assert line, (await process.communicate())[1]
        yield process, json.loads(line)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


class Load:
    """Writes over both ports, each with a number of its own, and notes which were acknowledged."""

    def __init__(self, ready: dict[str, Any], turn: int) -> None:
        """Write to the cloud that said `ready`."""
        self._ready = ready
        self._numbers = iter(range(turn * WRITES, (turn + 1) * WRITES))
        self.products: list[str] = []
        self.points: list[int] = []

    async def run(self) -> None:
        """Write until nothing is left, or nobody answers."""
        url = self._ready["http"]
        async with ClientSession(connector=TCPConnector(limit=0)) as session:
            account = {"email": EMAIL, "password": PASSWORD}
            async with session.post(f"{url}/v1/user/login/", json=account) as response:
                key = (await response.json(content_type=None))["key"]["token"]
            await asyncio.gather(
                *(self._call(session, url, key) for _ in range(CALLERS)),
                *(self._post_points(device) for device in self._ready["devices"]),
            )

    async def _call(self, session: ClientSession, url: str, key: str) -> None:
        """Store datapoints as a script does, and now and then make a product."""
        owner_key = self._ready["devices"][0]["owner_key"]

        async def is_done(path: str, key: str, body: dict[str, Any]) -> bool:
            headers = {"Authorization": f"token {key}"}
            async with session.post(url + path, json=body, headers=headers) as response:
                return bool((await response.json(content_type=None))["status"] == 200)

        with suppress(ClientError, ConnectionError):
            for number in self._numbers:
                path = f"/v1/datastreams/s{number % 7}/datapoints/"
                if await is_done(path, owner_key, {"datapoints": [{"x": number}]}):
                    self.points.append(number)
                product = {"products": [{"name": str(number)}]}
                if number % 100 == 0 and await is_done("/v1/products/", key, product):
                    self.products.append(str(number))

    async def _post_points(self, device: dict[str, Any]) -> None:
        host, port = self._ready["device"].rsplit(":", 1)
        with suppress(ConnectionError, json.JSONDecodeError):
            reader, writer = await asyncio.open_connection(host, int(port))
            for number in self._numbers:
                frame = {
                    "path": "/v1/datastreams/s/datapoint/",
                    "method": "POST",
                    "meta": {"Authorization": f"token {device['master_key']}"},
                    "body": {"datapoint": {"x": number}},
                }
                writer.write(json.dumps(frame).encode() + b"\n")
                answer = json.loads(await reader.readline())
                assert answer["status"] == 200
                self.points.append(number)
            writer.close()


async def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """However often, and whenever it comes."""
    path = tmp_path / "state.db"
    chance = random.Random(7)
    points: list[int] = []
    products: list[str] = []
    for turn in range(KILLS):
        async with running(path) as (process, ready):
            load = Load(ready, turn)
            writing = asyncio.ensure_future(load.run())
            wanted = chance.randrange(20, WRITES // 2)
            while len(load.points) < wanted:
                assert not writing.done()
                await asyncio.sleep(0)
            process.kill()
            await writing
        points += load.points
        products += load.products
        assert len(load.points) < WRITES
    async with running(path):
        database = sqlite3.connect(path)
        there = Counter(
            json.loads(row[0])["x"]
            for row in database.execute("SELECT point FROM datapoints")
        )
        names = Counter(row[0] for row in database.execute("SELECT name FROM products"))
        database.close()
    assert len(points) > KILLS * 20
    assert not set(points) - set(there)
    assert not set(products) - set(names)
    assert set(there.values()) == {1}
    assert set(names.values()) <= {1}


async def test_a_disk_that_fills_up(tmp_path: Path) -> None:
    """While it does, changes are refused; then it goes on, with all that was acknowledged."""
    path = tmp_path / "state.db"
    async with running(path) as (process, ready), ClientSession() as session:
        assert process.pid is not None
        headers = {"Authorization": f"token {ready['devices'][0]['owner_key']}"}

        async def rename(name: str) -> int:
            body = {"device": {"name": name}}
            url = f"{ready['http']}/v1/device/"
            async with session.put(url, json=body, headers=headers) as response:
                return response.status

        async def name() -> str:
            async with session.get(
                f"{ready['http']}/v1/device/", headers=headers
            ) as it:
                return str((await it.json(content_type=None))["device"]["name"])

        unlimited = resource.RLIM_INFINITY
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (200_000, unlimited))
        done = "lamp"
        for number in range(1000):
            if (status := await rename(f"lamp {number}")) != 200:
                break
            done = f"lamp {number}"
        assert status == 507
        assert await name() == done != "lamp"
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (unlimited, unlimited))
        assert await rename("after") == 200
        process.terminate()
        _, log = await process.communicate()
    assert log.decode().count("Cannot save the state") == 1
    assert log.decode().count("The state is saved again") == 1
    async with running(path):
        database = sqlite3.connect(path)
        names = {row[0] for row in database.execute("SELECT name FROM devices")}
        database.close()
    assert "after" in names
