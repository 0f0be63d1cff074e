"""The Home Assistant of a soak: its folder, its lives, and what it takes."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
import json
import os
from pathlib import Path
import signal
import sys

from custom_components.espcloud.const import DOMAIN, PLATFORMS, SUBENTRY_TYPE_LOCAL
from custom_components.espcloud.identity import Identity, key_hash
from custom_components.espcloud.local_cloud import LocalCloud
from demo.home_assistant import write_configuration
from demo.paths import CHECKOUT
from demo.ports import find_free
from demo.process import Process
from homeassistant.config_entries import (
    SOURCE_USER,
    STORAGE_VERSION,
    STORAGE_VERSION_MINOR,
    ConfigEntry,
    ConfigSubentryData,
)

from .house import House

EMAIL = "home-assistant@localhost"
# The recorder takes some memory for each state that it writes, and the devices post all the
# while: what the integration itself takes would be lost in that.
RECORDER = f"""\
recorder:
  exclude:
    domains: [{", ".join(PLATFORMS)}]
"""
ENTRY_ID = "soak"


@dataclass(frozen=True, slots=True)
class Figures:
    """What a process takes."""

    kib: int
    files: int
    threads: int

    @classmethod
    def of(cls, pid: int) -> Figures:
        """Look at a process."""
        folder = Path(f"/proc/{pid}")
        pages = int((folder / "statm").read_text().split()[1])
        return cls(
            kib=pages * os.sysconf("SC_PAGE_SIZE") // 1024,
            files=len(list((folder / "fd").iterdir())),
            threads=len(list((folder / "task").iterdir())),
        )

    def __str__(self) -> str:
        """Return it for people."""
        return f"{self.kib / 1024:.1f} MiB, {self.files} files, {self.threads} threads"


class Home:
    """The folder of a Home Assistant that is a cloud.

    Attributes:
        web_port: where its web server is.
        device_port: where devices connect.
    """

    def __init__(self, folder: Path) -> None:
        """Use this folder."""
        self.folder = folder
        self.web_port = find_free()
        self.device_port = find_free()

    @property
    def database(self) -> Path:
        """Where the server keeps what it has acknowledged."""
        return self.folder / ".storage" / f"{DOMAIN}.db"

    @property
    def log(self) -> Path:
        """What it has to say."""
        return self.folder / "output.log"

    async def write(self, house: House) -> None:
        """Write what a person would have entered: the cloud, with all devices confirmed."""
        write_configuration(self.folder, self.web_port, "info")
        with (self.folder / "configuration.yaml").open("a") as configuration:
            configuration.write(RECORDER)
        cloud = LocalCloud(state_file=self.database, serves_http=False)
        await cloud.start()
        try:
            await cloud.add_account(EMAIL, None)
            devices = house.add_to(cloud)
            await cloud.flush()
        finally:
            await cloud.close()
        entry = ConfigEntry(
            data={"port": self.device_port},
            discovery_keys={},  # type: ignore[arg-type]  # read only
            domain=DOMAIN,
            entry_id=ENTRY_ID,
            version=1,
            minor_version=1,
            options=None,
            source=SOURCE_USER,
            subentries_data=[
                ConfigSubentryData(
                    subentry_type=SUBENTRY_TYPE_LOCAL,
                    unique_id=key_hash(thing.key),
                    title=thing.name,
                    data={
                        **Identity(
                            (device := devices[thing.name]).id,
                            device.serial,
                            key_hash(thing.key),
                        ).as_data(),
                        "kind": thing.chosen_kind,
                    },
                )
                for thing in house.things
            ],
            title="Local cloud",
            unique_id="local",
        )
        store = {
            "version": STORAGE_VERSION,
            "minor_version": STORAGE_VERSION_MINOR,
            "key": "core.config_entries",
            "data": {"entries": [entry.as_dict()]},
        }
        text = json.dumps(store, default=str)
        (self.folder / ".storage" / "core.config_entries").write_text(text)

    @asynccontextmanager
    async def life(self) -> AsyncGenerator[Life]:
        """Run Home Assistant until the block ends, or it is killed."""
        command = [sys.executable, "-m", "homeassistant", "--skip-pip", "--config"]
        async with Process.running(
            "Home Assistant", [*command, self.folder], self.log, cwd=CHECKOUT
        ) as process:
            yield Life(process)

    def complaints(self) -> list[str]:
        """Return the lines in which the integration complains of itself."""
        return [
            line
            for line in self.log.read_text(errors="replace").splitlines()
            if DOMAIN in line and (" ERROR " in line or "Traceback" in line)
        ]


class Life:
    """A Home Assistant that runs."""

    def __init__(self, process: Process) -> None:
        """Watch its process."""
        self.process = process
        self.pid = process.pid

    async def kill(self) -> None:
        """End it in the middle of whatever it does."""
        os.kill(self.pid, signal.SIGKILL)
        await self.process.ended()

    async def until(self, happened: Callable[[], bool], patience: float) -> None:
        """Wait for something; raises DemoError where Home Assistant dies before it."""

        async def wait() -> None:
            async with asyncio.timeout(patience):
                while not happened():  # noqa: ASYNC110 - it has no event
                    await asyncio.sleep(0.005)

        await self.process.while_alive(wait())
