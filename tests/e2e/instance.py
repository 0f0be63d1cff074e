"""A Home Assistant in which nobody has set anything up, and a cloud with two lamps."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
import json
from pathlib import Path
import secrets
import sqlite3
import sys
from typing import Any

import aiohttp

from demo.errors import deadline
from demo.home_assistant import running_home_assistant, write_configuration
from demo.paths import CHECKOUT, LOCAL_CLOUD
from demo.ports import LOOPBACK, find_free
from demo.process import Process
from demo.session import sign_in
from tests.firmware import image
from tests.local_cloud.helpers import firmware_body

EMAIL = "someone@example.org"
PASSWORD = "an invented password"
DESK, READING = LAMPS = ("Desk lamp", "Reading lamp")
START_TIMEOUT = ANSWER_TIMEOUT = 30


@dataclass(frozen=True, slots=True)
class Lamp:
    """What the cloud's page of a device shows its owner."""

    serial: str
    master_key: str
    owner_key: str


class Cloud:
    """The cloud's process, which comes back where it was."""

    def __init__(
        self, folder: Path, stack: AsyncExitStack, names: Sequence[str]
    ) -> None:
        """Run for as long as the stack lasts, once `start` was called."""
        self._log = folder / "cloud.log"
        self._state = folder / "cloud.db"
        self._stack = stack
        self._names = names
        self._process: Process | None = None
        self.url = ""
        self.http_port = self.device_port = 0
        self.lamps: dict[str, Lamp] = {}

    async def start(self) -> None:
        """Start; the first time on free ports."""
        self._process = await self._stack.enter_async_context(
            Process.running(
                "the cloud",
                [
                    *(sys.executable, LOCAL_CLOUD, "--json"),
                    *("--host", LOOPBACK, "--http-port", str(self.http_port)),
                    *("--device-port", str(self.device_port)),
                    *("--account", f"{EMAIL}:{PASSWORD}"),
                    *(word for name in self._names for word in ("--device", name)),
                    *("--state", self._state),
                ],
                self._log,
                cwd=CHECKOUT,
                announces=True,
            )
        )
        async with deadline(START_TIMEOUT, "the start of the cloud"):
            ready = json.loads(await self._process.read_line())
        self.url = ready["http"]
        self.http_port = int(ready["http"].rpartition(":")[2])
        self.device_port = int(ready["device"].rpartition(":")[2])
        self.lamps = {
            device["name"]: Lamp(
                serial=device["serial"],
                master_key=device["master_key"],
                owner_key=device["owner_key"],
            )
            for device in ready["devices"]
        }

    async def replace_master_key(self, name: str) -> None:
        """Give a lamp a new master key, which at the real cloud its web page does."""
        assert self._process is not None
        await self._process.stop()
        change = secrets.token_hex(20), self.lamps[name].master_key
        database = sqlite3.connect(self._state)
        changed = database.execute("UPDATE keys SET token = ? WHERE token = ?", change)
        assert changed.rowcount == 1
        database.commit()
        database.close()
        await self.start()

    async def send(self, name: str, action: str) -> None:
        """Send a command to a lamp as the phone app does; it has to acknowledge it."""
        async with (
            deadline(ANSWER_TIMEOUT, f"the cloud's answer to {action}"),
            aiohttp.ClientSession(self.url) as http,
            http.get(
                "/v1/device/rpc/",
                params={"deliver_to_device": "true", "action": action},
                headers={"Authorization": f"token {self.lamps[name].owner_key}"},
            ) as response,
        ):
            answer = await response.json(content_type=None)
        assert answer["status"] == 200, answer

    async def add_firmware(self, ptype: int, version: str) -> None:
        """Upload firmware for the devices of a kind, as the person who runs the cloud."""
        account = {"email": EMAIL, "password": PASSWORD}
        signed_in = await self._post("/v1/user/login/", account)
        await self._post(
            f"/v1/roms/?ptype={ptype}",
            firmware_body(version, image.build(1), image.build(2)),
            signed_in["key"]["token"],
        )

    async def add_points(
        self, name: str, stream: str, points: Sequence[dict[str, float]]
    ) -> None:
        """Store what a device measured earlier; `at` of each is the epoch second."""
        body = {
            "datapoints": [point | {"at": str(int(point["at"]))} for point in points]
        }
        path = f"/v1/datastreams/{stream}/datapoints/"
        await self._post(path, body, self.lamps[name].master_key)

    async def _post(
        self, path: str, body: dict[str, Any], key: str = ""
    ) -> dict[str, Any]:
        headers = {"Authorization": f"token {key}"} if key else {}
        async with (
            deadline(ANSWER_TIMEOUT, f"the cloud's answer to POST {path}"),
            aiohttp.ClientSession(self.url, headers=headers) as http,
            http.post(path, json=body) as response,
        ):
            answer: dict[str, Any] = await response.json(content_type=None)
        assert answer["status"] == 200, answer
        return answer

    @asynccontextmanager
    async def rival(self, name: str) -> AsyncIterator[None]:
        """Run a forgotten board that holds a lamp's key and comes back when thrown out.

        Once is enough: by then Home Assistant has lost its place a second time.
        """
        reader, writer = await self._identify(name)
        async with deadline(ANSWER_TIMEOUT, "Home Assistant's return"):
            await reader.read()
        writer.close()
        _, writer = await self._identify(name)
        yield
        writer.close()

    async def _identify(
        self, name: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(LOOPBACK, self.device_port)
        request = {
            "nonce": 1,
            "path": "/v1/device/identify",
            "method": "GET",
            "meta": {"Authorization": f"token {self.lamps[name].master_key}"},
        }
        writer.write(json.dumps(request).encode() + b"\n")
        async with deadline(ANSWER_TIMEOUT, "the cloud's answer to a rival"):
            answer = json.loads(await reader.readline())
        assert answer["status"] == 200, answer
        return reader, writer


@dataclass(frozen=True, slots=True)
class Instance:
    """Home Assistant's address and log, and the cloud."""

    url: str
    log: Path
    cloud: Cloud


@asynccontextmanager
async def running_house(
    folder: Path, *, lamps: Sequence[str] = LAMPS, language: str = "en"
) -> AsyncIterator[Instance]:
    """Run both in a folder that is theirs alone, and with names in this language."""
    home, log, port = folder / "home", folder / "home-assistant.log", find_free()
    url = f"http://{LOOPBACK}:{port}"
    write_configuration(home, port, log_level="debug")
    async with AsyncExitStack() as stack:
        cloud = Cloud(folder, stack, lamps)
        await cloud.start()
        await stack.enter_async_context(
            running_home_assistant(Path(sys.executable), home, log, port)
        )
        async with sign_in(url, language) as session:
            await session.wait_until_running()
            # Without a country there is something to repair that is not ours.
            await session.call(
                "config/core/update", country="CN", currency="CNY", language=language
            )
        yield Instance(url, log, cloud)
