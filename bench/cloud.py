"""local_cloud in a process of its own, with an account and lamps."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
import sys
from typing import Any

import aiohttp

from .child import Child
from .errors import BenchError
from .paths import LOCAL_CLOUD, LOOPBACK

EMAIL = "bench@example.com"
PASSWORD = "an invented password"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """A cloud that is ready.

    Attributes:
        process: the cloud's own.
        url: of its HTTP API.
        device_port: where devices connect.
        user_id: the account's id.
        user_key: a key of the account.
        devices: what the cloud says of each, its keys included.
    """

    process: Child
    url: str
    device_port: int
    user_id: int
    user_key: str
    devices: list[dict[str, Any]]

    @property
    def http_port(self) -> int:
        """Where the HTTP API is."""
        return int(self.url.rpartition(":")[2])

    def account(self) -> dict[str, Any]:
        """Return what an instance needs to set the account up."""
        return {
            "url": self.url,
            "port": self.device_port,
            "email": EMAIL,
            "user_id": self.user_id,
            "user_key": self.user_key,
            "devices": self.devices,
        }


@asynccontextmanager
async def running_cloud(
    folder: Path,
    devices: int,
    *,
    name: str = "Lamp {}",
    http_port: int = 0,
    device_port: int = 0,
) -> AsyncIterator[Cloud]:
    """Run a cloud with so many devices; a second one in the same folder has the same.

    They are lamps, unless `name` has another kind behind a colon.
    """
    command = [
        *(sys.executable, str(LOCAL_CLOUD), "--json", "--host", LOOPBACK),
        *("--http-port", str(http_port), "--device-port", str(device_port)),
        *("--account", f"{EMAIL}:{PASSWORD}", "--state", str(folder / "cloud.db")),
    ]
    for number in range(devices):
        command += ["--device", name.format(number)]
    async with Child.running("local_cloud", command, folder) as process:
        ready = process.greeting
        yield Cloud(
            process=process,
            url=ready["http"],
            device_port=int(ready["device"].rpartition(":")[2]),
            user_id=ready["account"]["user_id"],
            user_key=await _sign_in(ready["http"]),
            devices=ready["devices"],
        )


async def _sign_in(url: str) -> str:
    body = {"email": EMAIL, "password": PASSWORD, "scope": "user"}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{url}/v1/keys/", json=body) as response,
    ):
        answer = await response.json(content_type=None)
    if answer.get("status") != 200:
        raise BenchError(f"local_cloud did not let us in: {answer}")
    key: str = answer["keys"][0]["token"]
    return key
