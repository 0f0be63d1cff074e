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
class Crowd:
    """What one house with many devices took.

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
    """Measure one house after the other."""
    crowds = [
        await measure_crowd(
            scale, folder, devices, is_largest=devices == max(scale.crowds)
        )
        for devices in scale.crowds
    ]
    return summarize(scale, crowds)


async def measure_crowd(
    scale: Scale, folder: Path, devices: int, *, is_largest: bool
) -> Crowd:
    """Measure a house with so many devices; the long things only with the most."""
    crowd = Crowd(devices=devices)
    home = new_folder(folder, f"house-{devices}")
    async with Child.program("houses.espcloud", folder, str(home)) as house:
        await house.ask("load")
        before = (await house.ask("memory"))["rss"]
        cloud_folder = new_folder(folder, f"cloud-{devices}")
        async with running_cloud(cloud_folder, devices) as cloud:
            begin = monotonic()
            added = await house.ask("add", account=cloud.account())
            crowd.entry_ms = added["ms"]
            await house.ask("wait", connected=devices, timeout=PATIENCE)
            crowd.connected_s = monotonic() - begin
            after = (await house.ask("memory"))["rss"]
            crowd.rss_kib = (after - before) / devices / 1024
            seconds = scale.idle if is_largest else min(scale.idle, 25)
            idle = await house.ask("idle", seconds=seconds, timeout=seconds + 30)
            crowd.idle_percent = idle["cpu"] / idle["wall"] * 100
            begin = monotonic()
        async with _same_cloud(cloud, cloud_folder, devices):
            await _all_back(house, devices)
            crowd.back_s = monotonic() - begin
        if is_largest and scale.outage:
            await asyncio.sleep(scale.outage)
            async with _same_cloud(cloud, cloud_folder, devices):
                begin = monotonic()
                await _all_back(house, devices)
                crowd.back_late_s = monotonic() - begin
        crowd.attempts = (await house.ask("attempts"))["per_second"]
    return crowd


def _same_cloud(
    cloud: Cloud, folder: Path, devices: int
) -> AbstractAsyncContextManager[Cloud]:
    return running_cloud(
        folder, devices, http_port=cloud.http_port, device_port=cloud.device_port
    )


async def _all_back(house: Child, devices: int) -> None:
    await house.ask("wait", connected=devices, timeout=PATIENCE)


def summarize(scale: Scale, crowds: list[Crowd]) -> Result:
    """Return the row."""
    most = crowds[-1]
    back = max(most.back_s, most.back_late_s or 0)
    attempts = max(crowd.attempts for crowd in crowds)
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
        lines=[crowd.line() for crowd in crowds],
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
