"""Simulated devices of the account, which Home Assistant shows without becoming them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
import json
from pathlib import Path
import sys
from typing import Any

from .cloud import COLOUR_LAMP, PLUG, STRIP, THERMOMETER, Cloud
from .errors import DemoError, deadline
from .paths import CHECKOUT
from .ports import LOOPBACK
from .process import Process

START_TIMEOUT = ANSWER_TIMEOUT = 30
SOCKETS = 3
# As the simulated firmware wants to be described; real ones connect again after a second, too.
FIRMWARE: dict[str, dict[str, Any]] = {
    COLOUR_LAMP: {"kind": "light", "retry": 1},
    PLUG: {"kind": "plug", "retry": 1},
    STRIP: {"kind": "strip", "retry": 1, "sockets": SOCKETS},
    THERMOMETER: {"kind": "tem_hum"},
}
ENTITIES = {COLOUR_LAMP: 1, PLUG: 1, STRIP: SOCKETS, THERMOMETER: 2}
"""How many entities each has in Home Assistant, beside its connectivity."""


class Devices:
    """The devices' process, and what a person in front of them does."""

    def __init__(self, process: Process) -> None:
        """Take over a process that is ready."""
        self.process = process
        self._one_at_a_time = asyncio.Lock()

    async def state(self, name: str) -> dict[str, Any]:
        """Return what can be seen of a device from outside."""
        return await self.do(name, "state")

    async def press(self, name: str, button: int = 0) -> None:
        """Press a button, the first being 0; the device tells nobody."""
        await self.do(name, "press", button=button)

    async def power(self, name: str, *, on: bool) -> None:
        """Give a device its power, or take it away."""
        await self.do(name, "power_on" if on else "power_off")

    async def measure(self, name: str, temperature: float, humidity: float) -> None:
        """Change what a thermometer feels; it posts that at once."""
        reading = {"x": temperature, "y": humidity}
        await self.do(name, "post", reading=reading)

    async def do(self, name: str, do: str, **options: Any) -> dict[str, Any]:
        """Tell a device what happens to it, and return how it is afterwards.

        Raises DemoError with the reason where it cannot happen.
        """
        command = {"device": name, "do": do, **options}
        async with (
            self._one_at_a_time,
            deadline(ANSWER_TIMEOUT, f"the answer of {name} to {do}"),
        ):
            await self.process.write_line(json.dumps(command))
            answer = json.loads(await self.process.read_line() or "{}")
        if "state" not in answer:
            raise DemoError(
                f"{name}: {answer.get('error', 'the simulation has ended')}"
            )
        state: dict[str, Any] = answer["state"]
        return state


@asynccontextmanager
async def running_devices(cloud: Cloud, folder: Path) -> AsyncIterator[Devices]:
    """Run the demo's devices."""
    keys = {name: cloud[name].master_key for name in FIRMWARE}
    async with running_firmware(
        FIRMWARE, keys, cloud.http_port, cloud.device_port, folder
    ) as devices:
        yield devices


@asynccontextmanager
async def running_firmware(
    firmware: Mapping[str, Mapping[str, Any]],
    keys: Mapping[str, str],
    http_port: int,
    device_port: int,
    folder: Path,
) -> AsyncIterator[Devices]:
    """Run devices that have power; they find the cloud by themselves.

    Args:
        firmware: what each is, by its name, as FIRMWARE says it.
        keys: their master keys.
        http_port: where the cloud serves firmware.
        device_port: where devices connect.
        folder: where the log goes.
    """
    wishes = [
        {
            "name": name,
            "key": keys[name],
            # Home Assistant takes two devices with one address for one.
            "bssid": f"18:fe:34:00:00:{number:02x}",
            "activates": True,
            **wish,
        }
        for number, (name, wish) in enumerate(firmware.items(), 1)
    ]
    async with Process.running(
        "the simulated devices",
        [
            *(sys.executable, "-m", "tests.firmware", "--control"),
            *("--server", f"{LOOPBACK}:{device_port}"),
            *("--http-port", str(http_port)),
        ],
        folder / "devices.log",
        cwd=CHECKOUT,
        announces=True,
        listens=True,
    ) as process:
        await process.write_line(json.dumps(wishes))
        async with deadline(START_TIMEOUT, "the start of the simulated devices"):
            if not await process.read_line():
                await process.ended()
                raise process.died()
        yield Devices(process)
