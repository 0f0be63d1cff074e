"""A Home Assistant that is the cloud, in a process of its own, and its devices' keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
import shutil
from typing import Any

from .broker import free_port
from .child import Child
from .cloud import running_cloud
from .paths import new_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """What there is before Home Assistant has started for the first time.

    Attributes:
        home: its folder, with the database in it.
        port: where devices are to connect.
        devices: what the database has of each, its keys included, and its kind.
    """

    home: Path
    port: int
    devices: list[dict[str, Any]]

    @asynccontextmanager
    async def running(self, folder: Path) -> AsyncIterator[Child]:
        """Run Home Assistant, its log in `folder`."""
        async with Child.program("instances.local", folder, str(self.home)) as instance:
            await instance.ask("load")
            yield instance


async def prepare(
    folder: Path, name: str, devices: int, ptype: str, kind: str
) -> Household:
    """Make a database with so many devices, all of one kind.

    Args:
        folder: for all files.
        name: of the folders in it.
        devices: how many.
        ptype: what local_cloud's command line calls the kind.
        kind: what the integration calls it.
    """
    cloud_folder = new_folder(folder, f"{name}-cloud")
    async with running_cloud(
        cloud_folder, devices, name=f"Device {{}}:{ptype}"
    ) as cloud:
        records = [{**record, "kind": kind} for record in cloud.devices]
    home = new_folder(folder, name)
    storage = new_folder(home, ".storage")
    shutil.move(cloud_folder / "cloud.db", storage / "espcloud.db")
    return Household(home=home, port=free_port(), devices=records)
