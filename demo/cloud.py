"""The local Espressif cloud, as a person at the other end of it sees it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
import json
from pathlib import Path
import sys
from typing import Any

import aiohttp

from .errors import DemoError, deadline
from .paths import CHECKOUT, LOCAL_CLOUD
from .ports import LOOPBACK
from .process import Process

EMAIL = "demo@example.com"
LAMPS = ("Desk lamp", "Reading lamp")
SPARE = "Spare lamp"  # nothing connects as it before somebody tries its key
# Devices that Home Assistant does not become, and what the cloud calls their kinds.
COLOUR_LAMP, PLUG, STRIP = "Colour lamp", "Plug", "Power strip"
THERMOMETER = "Thermometer"
HARDWARE = {
    COLOUR_LAMP: "light",
    PLUG: "plug",
    STRIP: "strip",
    THERMOMETER: "humiture",
}
START_TIMEOUT = ANSWER_TIMEOUT = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudSettings:
    """Where a cloud listens and what it remembers; port 0 is any free one."""

    http_port: int
    device_port: int
    password: str
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudDevice:
    """A device of the demo's account, at the cloud that has this address."""

    url: str
    name: str
    master_key: str
    owner_key: str

    def rpc_url(self, action: str) -> str:
        """Return the address that sends an action to the device."""
        return f"{self.url}/v1/device/rpc/?deliver_to_device=true&action={action}"

    def curl(self, action: str) -> str:
        """Return the command line that sends an action to the device."""
        return (
            f'curl -H "Authorization: token {self.owner_key}" "{self.rpc_url(action)}"'
        )

    def datapoint_url(self, stream: str) -> str:
        """Return the address that hands a datapoint to the device."""
        return f"{self.url}/v1/datastreams/{stream}/datapoint/?deliver_to_device=true"

    def curl_datapoint(self, stream: str, datapoint: Mapping[str, int]) -> str:
        """Return the command line that writes a datapoint, as the phone app does."""
        body = json.dumps({"datapoint": datapoint})
        return (
            f'curl -H "Authorization: token {self.owner_key}" '
            f"-d '{body}' \"{self.datapoint_url(stream)}\""
        )

    async def send(self, action: str) -> None:
        """Send an action as the curl line does; it has to be acknowledged."""
        await self._request("GET", self.rpc_url(action), action)

    async def write(self, stream: str, **datapoint: int) -> None:
        """Write a datapoint as the curl line does; the device has to answer."""
        body = {"datapoint": datapoint}
        await self._request("POST", self.datapoint_url(stream), stream, json=body)

    async def _request(self, method: str, url: str, what: str, **body: Any) -> None:
        headers = {"Authorization": f"token {self.owner_key}"}
        async with (
            deadline(ANSWER_TIMEOUT, f"the cloud's answer to {what}"),
            aiohttp.ClientSession(headers=headers) as http,
            http.request(method, url, **body) as response,
        ):
            answer = await response.json(content_type=None)
        if answer.get("status") != 200:
            raise DemoError(f"the cloud answered {what} with {answer}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """A cloud that is ready."""

    process: Process
    url: str
    web_site: str
    http_port: int
    device_port: int
    email: str
    password: str
    devices: dict[str, CloudDevice]

    def __getitem__(self, name: str) -> CloudDevice:
        """Return a device by its name."""
        return self.devices[name]


@asynccontextmanager
async def running_cloud(settings: CloudSettings) -> AsyncIterator[Cloud]:
    """Run a cloud that has said that it is ready."""
    async with Process.running(
        "the cloud",
        [
            *(sys.executable, LOCAL_CLOUD, "--json", "--host", LOOPBACK),
            *("--http-port", str(settings.http_port)),
            *("--device-port", str(settings.device_port)),
            *("--account", f"{EMAIL}:{settings.password}"),
            *(word for name in (*LAMPS, SPARE) for word in ("--device", name)),
            *(f"--device={name}:{kind}" for name, kind in HARDWARE.items()),
            *("--state", settings.folder / "cloud.db"),
        ],
        settings.folder / "cloud.log",
        cwd=CHECKOUT,
        announces=True,
    ) as process:
        async with deadline(START_TIMEOUT, "the start of the cloud"):
            line = await process.read_line()
            if not line:
                await process.ended()
                raise process.died()
        yield _read_announcement(process, settings, json.loads(line))


def _read_announcement(
    process: Process, settings: CloudSettings, ready: dict[str, Any]
) -> Cloud:
    return Cloud(
        process=process,
        url=ready["http"],
        web_site=ready["site"] or "",
        http_port=int(ready["http"].rpartition(":")[2]),
        device_port=int(ready["device"].rpartition(":")[2]),
        email=ready["account"]["email"],
        password=settings.password,
        devices={
            device["name"]: CloudDevice(
                url=ready["http"],
                name=device["name"],
                master_key=device["master_key"],
                owner_key=device["owner_key"],
            )
            for device in ready["devices"]
        },
    )
