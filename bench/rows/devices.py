"""Row 3: many devices in one Home Assistant."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from bench.child import Child
from bench.cloud import Cloud, running_cloud
from bench.numbers import text
from bench.paths import new_folder
from bench.result import Bar, Goal, Result
from bench.scale import Scale

PATIENCE = 180  # seconds until everything has to be connected


@dataclass(slots=True, kw_only=True)
class Load:
    """What one instance with many devices took.

    Attributes:
        devices: how many.
        entry_ms: until Home Assistant could go on, in milliseconds.
        connected_s: until all were connected, in seconds.
        rss_kib: of memory per device, in KiB.
        idle_percent: of one processor core, while nothing happened.
        back_s: from the end of the cloud, restarted at once, until all were back.
        back_late_s: from the cloud's return after a long outage until all were back.
        attempts: connection attempts in the busiest second of all of this.
    """

    devices: int
    entry_ms: float = 0
    connected_s: float = 0
    rss_kib: float = 0
    idle_percent: float = 0
    back_s: float = 0
    back_late_s: float | None = None
    attempts: int = 0

    def line(self) -> tuple[str, ...]:
        """Return the table's line."""
        return (
            f"{self.devices:,}",
            text(self.entry_ms),
            text(self.connected_s),
            text(self.rss_kib) if self.devices > 1 else "–",
            f"{self.idle_percent:.2f}",
            text(self.back_s),
            "–" if self.back_late_s is None else text(self.back_late_s),
            str(self.attempts),
        )


async def measure(scale: Scale, folder: Path) -> Result:
    """Measure one instance after the other."""
    loads = [
        await measure_load(
            scale, folder, devices, is_largest=devices == max(scale.loads)
        )
        for devices in scale.loads
    ]
    return summarize(scale, loads)


async def measure_load(
    scale: Scale, folder: Path, devices: int, *, is_largest: bool
) -> Load:
    """Measure an instance with so many devices; the long things only with the most."""
    load = Load(devices=devices)
    home = new_folder(folder, f"instance-{devices}")
    async with Child.program("instances.espcloud", folder, str(home)) as instance:
        await instance.ask("load")
        before = (await instance.ask("memory"))["rss"]
        cloud_folder = new_folder(folder, f"cloud-{devices}")
        async with running_cloud(cloud_folder, devices) as cloud:
            begin = monotonic()
            added = await instance.ask("add", account=cloud.account())
            load.entry_ms = added["ms"]
            await instance.ask("wait", connected=devices, timeout=PATIENCE)
            load.connected_s = monotonic() - begin
            after = (await instance.ask("memory"))["rss"]
            load.rss_kib = (after - before) / devices / 1024
            seconds = scale.idle if is_largest else min(scale.idle, 25)
            idle = await instance.ask("idle", seconds=seconds, timeout=seconds + 30)
            load.idle_percent = idle["cpu"] / idle["wall"] * 100
            begin = monotonic()
        async with _same_cloud(cloud, cloud_folder, devices):
            await _all_back(instance, devices)
            load.back_s = monotonic() - begin
        if is_largest and scale.outage:
            await asyncio.sleep(scale.outage)
            async with _same_cloud(cloud, cloud_folder, devices):
                begin = monotonic()
                await _all_back(instance, devices)
                load.back_late_s = monotonic() - begin
        load.attempts = (await instance.ask("attempts"))["per_second"]
    return load


def _same_cloud(
    cloud: Cloud, folder: Path, devices: int
) -> AbstractAsyncContextManager[Cloud]:
    return running_cloud(
        folder, devices, http_port=cloud.http_port, device_port=cloud.device_port
    )


async def _all_back(instance: Child, devices: int) -> None:
    await instance.ask("wait", connected=devices, timeout=PATIENCE)


def summarize(scale: Scale, loads: list[Load]) -> Result:
    """Return the row."""
    most = loads[-1]
    back = max(most.back_s, most.back_late_s or 0)
    attempts = max(load.attempts for load in loads)
    return Result(
        title=f"1 to {most.devices:,} devices in one Home Assistant",
        how=(
            "A fresh Home Assistant core and a fresh local_cloud for each line, each a process "
            "of its own; the devices are one account's. *Set up*: until Home Assistant goes on "
            "with its start; *connected*: until every device is identified at the cloud. "
            "*Memory*: growth of the process's resident memory over that, garbage collected, "
            "divided by the devices; the integration's code was loaded before. It includes "
            "what Home Assistant keeps of a device with three entities. *Idle*: the whole "
            "process's CPU while nothing but the devices' own pings happens (one every 25 s "
            f"each, over {text(scale.idle)} s with the most devices). *Back*: the cloud ends "
            "and starts again at once; from its end until every device is identified again. "
            + (
                f"*Back after {scale.outage:g} s*: the cloud stays away so long; from its return. "
                if scale.outage
                else ""
            )
            + "*Attempts*: `connect()` calls in the busiest second of all that, as an audit "
            "hook of Python's sees them."
        ),
        header=(
            "devices",
            "set up ms",
            "connected s",
            "KiB per device",
            "idle CPU %",
            "back s",
            f"back after {scale.outage:g} s",
            "attempts/s",
        ),
        lines=[load.line() for load in loads],
        figures={
            "rss_per_device_kib": most.rss_kib,
            "idle_cpu_percent": most.idle_percent,
            "recover_s": most.back_s,
        },
        goals=[
            Goal(
                "a device takes at most 60 KiB",
                most.rss_kib <= 60,
                f"{most.rss_kib:.0f} KiB",
            ),
            Goal(
                f"{most.devices:,} idle devices take less than 0.5 % of a core",
                most.idle_percent < 0.5,
                f"{most.idle_percent:.2f} %",
            ),
            Goal("all are back in less than 60 s", back < 60, f"{back:.0f} s"),
            Goal(
                "never more than 100 attempts a second",
                attempts <= 100,
                f"{attempts} at most",
            ),
        ],
        bars=[
            Bar("per device", most.rss_kib, "KiB", is_ours=True),
        ],
    )
