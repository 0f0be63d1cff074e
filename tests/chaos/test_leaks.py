"""Nothing is left: a thousand reconnects and two hundred reloads cost nothing.

ESPCLOUD_CHAOS=full runs all of them; a tenth of it always runs.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import gc
import logging
import os
from pathlib import Path
import resource

import pytest

from custom_components.espcloud.cloud import CloudConnection, DeviceSession
from custom_components.espcloud.coordinator import EspCloudCoordinator
from homeassistant.util.async_ import get_scheduled_timer_handles

from .instance import Instance

FULL = os.environ.get("ESPCLOUD_CHAOS") == "full"
RECONNECTS = 1000 if FULL else 100
RELOADS = 200 if FULL else 10
OURS = (CloudConnection, DeviceSession, EspCloudCoordinator)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What this process has; `kib` is its memory, which no two runs agree on."""

    files: int
    tasks: int
    timers: int
    objects: tuple[int, ...]
    kib: int

    @classmethod
    def now(cls) -> Holdings:
        """Count."""
        gc.collect()
        things = gc.get_objects()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return cls(
            files=len(list(Path("/proc/self/fd").iterdir())),
            tasks=len(asyncio.all_tasks()),
            timers=sum(
                not handle.cancelled()
                for handle in get_scheduled_timer_handles(asyncio.get_running_loop())
            ),
            objects=tuple(
                sum(type(thing) is kind for thing in things) for kind in OURS
            ),
            kib=pages * resource.getpagesize() // 1024,
        )

    def check(self, before: Holdings, kib: int) -> None:
        """Check that nothing was added, but for so much memory."""
        assert self.objects == before.objects
        assert self.tasks <= before.tasks
        assert self.files <= before.files
        # Home Assistant's own come and go: clean-ups, delayed writes.
        assert self.timers <= before.timers + 3
        assert self.kib <= before.kib + kib


@pytest.fixture
def report(
    capsys: pytest.CaptureFixture[str],
) -> Callable[[str, Holdings, Holdings], None]:
    """Return what shows the figures of a full run."""

    def show(what: str, before: Holdings, after: Holdings) -> None:
        if FULL:
            with capsys.disabled():
                print(f"\n{what}\n  before {before}\n  after  {after}")  # noqa: T201 - the figures of a full run

    return show


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Keep the log out of the memory that is measured."""
    caplog.set_level(logging.CRITICAL)


async def settle(instance: Instance) -> Holdings:
    """Count when every lamp works and all else is over."""
    await instance.all_connected()
    await instance.work()
    await instance.proxies.http.empty()
    await instance.hass.async_block_till_done()
    return Holdings.now()


@pytest.mark.timeout(600 if FULL else 60)
@pytest.mark.usefixtures("quick_retries")
async def test_reconnects_leave_nothing(
    instance: Instance, report: Callable[[str, Holdings, Holdings], None]
) -> None:
    """Tasks, timers, sockets and objects are as many as before, memory as much."""
    for _ in range(5):
        await instance.reconnect()
    before = await settle(instance)
    for _ in range(RECONNECTS // len(instance.lamps)):
        await instance.reconnect()
    after = await settle(instance)
    report(f"{RECONNECTS} reconnects", before, after)
    after.check(before, kib=4096)


@pytest.mark.timeout(600 if FULL else 60)
async def test_reloads_leave_nothing(
    instance: Instance, report: Callable[[str, Holdings, Holdings], None]
) -> None:
    """However often the account is reloaded."""

    async def reload() -> None:
        assert await instance.hass.config_entries.async_reload(instance.entry.entry_id)
        await instance.all_connected()

    for _ in range(3):
        await reload()
    before = await settle(instance)
    for _ in range(RELOADS):
        await reload()
    after = await settle(instance)
    report(f"{RELOADS} reloads", before, after)
    after.check(before, kib=8192)
