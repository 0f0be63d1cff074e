"""An account holder alone with a script: the server's memory and file stay within bounds.

A few seconds here; `ESPCLOUD_GREEDY_SECONDS=60 scripts/test tests/local_cloud/test_greedy.py --timeout 300`
is the long run.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
import json
import os
from pathlib import Path
import sys
from typing import Any

from aiohttp import ClientSession, TCPConnector

from tests.credentials import EMAIL, PASSWORD

from .helpers import LOCAL_CLOUD

SECONDS = float(os.environ.get("ESPCLOUD_GREEDY_SECONDS", "6"))
CALLERS = 16
MOST_MEMORY = 32 << 20
MOST_BYTES_OF_A_POINT = 700
"""In the file, with its place in the index and in half-full pages."""
OTHERS = 64 << 20
"""What all that is no datapoint may have in the file, its log included."""
TEXT = "x" * 250

type Call = Callable[..., Awaitable[dict[str, Any]]]


@asynccontextmanager
async def running(
    path: Path,
) -> AsyncGenerator[tuple[asyncio.subprocess.Process, dict[str, Any]]]:
    """Run the cloud as a person does."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, LOCAL_CLOUD, "--json", "--http-port", "0", "--device-port", "0"),
        *("--account", f"{EMAIL}:{PASSWORD}", "--device", "lamp", "--state", path),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process, json.loads(await process.stdout.readline())
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def resident(process: asyncio.subprocess.Process) -> int:
    """Return a process' resident memory in bytes."""
    pages = Path(f"/proc/{process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


class Greed:
    """Makes as much of everything as it is let."""

    def __init__(self, call: Call, user_key: str, owner_key: str, end: float) -> None:
        """Call until `end`, in the event loop's time."""
        self._owner_key = owner_key
        self._call = call
        self._user_key = user_key
        self._loop = asyncio.get_running_loop()
        self._end = end
        self.points = 0
        self.refused: set[str] = set()

    async def run(self, number: int) -> None:
        """Begin somewhere else than the others."""
        steps = [self._make_devices, self._store, self._sign_in, self._group]
        while self._loop.time() < self._end:
            await steps[number % len(steps)]()
            number += 1

    async def _ask(self, path: str, body: Any, key: str | None = None) -> Any:
        answer = await self._call(path, key or self._user_key, body)
        if answer["status"] != 200:
            self.refused.add(answer["message"])
        return answer

    async def _make_devices(self) -> None:
        await self._ask("/v1/products/", {"products": [{"name": TEXT}] * 50})
        wanted = {"devices": [{"name": TEXT, "serial": TEXT}] * 100}
        made = await self._ask("/v1/products/1/devices/", wanted)
        plan = {"type": "LOOP_PERIOD", "period": "day", "time": 1, "action": "x" * 14}
        for device in made.get("devices", ()):
            key = device["key"]["token"]
            await self._ask("/v1/device/timers/", {"timers": [plan] * 9}, key)
            text = {"token": TEXT[: 40 - 6] + f"{device['id']:06}", "bssid": TEXT}
            await self._ask("/v1/device/activate/", text, key)
            await self._ask("/v1/key/authorize/", {"token": text["token"]})
            for number in range(3):
                many = {"datapoints": [{"x": TEXT[:64], "y": 1e200}] * 100}
                path = f"/v1/datastreams/s{number}/datapoints/"
                answer = await self._ask(path, many, key)
                self.points += len(answer.get("datapoints", ()))
            if self._loop.time() > self._end:
                return

    async def _store(self) -> None:
        point = dict.fromkeys("xyzkl", TEXT[:64])
        for number in range(100):
            answer = await self._ask(
                f"/v1/datastreams/{number:060}/datapoints/", {"datapoints": [point] * 1000},
                self._owner_key,
            )  # fmt: skip
            self.points += len(answer.get("datapoints", ()))
            if self._loop.time() > self._end:
                return

    async def _sign_in(self) -> None:
        for _ in range(20):
            await self._ask("/v1/user/login/", {"email": EMAIL, "password": PASSWORD})
            await self._ask("/v1/key/share/", {"name": TEXT}, self._owner_key)

    async def _group(self) -> None:
        wanted = {"deviceGroups": [{"name": TEXT, "desc": TEXT}] * 10}
        await self._ask("/v1/user/devices/groups/", wanted)


async def test_a_greedy_account(tmp_path: Path) -> None:
    """It is refused what would be too much, and what it has is bounded."""
    path = tmp_path / "state.db"
    async with (
        running(path) as (process, ready),
        ClientSession(connector=TCPConnector(limit=0)) as session,
    ):

        async def call(way: str, key: str | None, body: Any) -> dict[str, Any]:
            headers = {"Authorization": f"token {key}"} if key else {}
            async with session.post(
                ready["http"] + way, json=body, headers=headers
            ) as response:
                answer: dict[str, Any] = await response.json(content_type=None)
                return answer

        account = {"email": EMAIL, "password": PASSWORD}
        user_key = (await call("/v1/user/login/", None, account))["key"]["token"]
        before = resident(process)
        owner_key = ready["devices"][0]["owner_key"]
        end = asyncio.get_running_loop().time() + SECONDS
        greed = Greed(call, user_key, owner_key, end)
        await asyncio.gather(*(greed.run(number) for number in range(CALLERS)))
        grown = resident(process) - before
        size = sum(file.stat().st_size for file in path.parent.iterdir())
        assert (await call("/v1/ping/", None, {}))["status"] == 200
    assert greed.points > 1000
    assert greed.refused
    assert grown < MOST_MEMORY, f"{grown / 2**20:.1f} MiB more, {sorted(greed.refused)}"
    assert size < greed.points * MOST_BYTES_OF_A_POINT + OTHERS, size
