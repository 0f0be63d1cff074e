"""Row 5: how many calls local_cloud delivers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.child import Child
from bench.cloud import running_cloud
from bench.errors import BenchError
from bench.numbers import percentile, text
from bench.paths import new_folder
from bench.result import Bar, Result
from bench.scale import Scale

CALLERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a cloud with so many devices delivered.

    Attributes:
        devices: how many were connected.
        rate: calls that were acknowledged, a second.
        p50, p99: milliseconds of a call.
        cpu: microseconds of the cloud's processor time per call.
    """

    devices: int
    rate: float
    p50: float
    p99: float
    cpu: float

    def line(self) -> tuple[str, ...]:
        """Return the table's line."""
        return (
            f"{self.devices:,}",
            *(text(value) for value in (self.rate, self.p50, self.p99, self.cpu)),
        )


async def measure(scale: Scale, folder: Path) -> Result:
    """Measure one cloud after the other."""
    loads = [
        await measure_load(folder, devices, scale.cloud_seconds)
        for devices in scale.cloud_loads
    ]
    return Result(
        title="What local_cloud delivers",
        how=(
            f"{CALLERS} callers over HTTP connections that stay open, each sending its next "
            f"`LED_ON` when the last one was acknowledged, for {scale.cloud_seconds:g} s, to "
            "all devices in turns; a device gets one push at a time, so with one device the "
            "callers wait for each other. Callers and devices share one process, as light as "
            "can be; local_cloud is `scripts/local-cloud` in another. Every call has to be "
            "answered with status 200."
        ),
        header=(
            "connected devices",
            "RPCs/s",
            "p50 ms",
            "p99 ms",
            "local_cloud's CPU µs per RPC",
        ),
        lines=[load.line() for load in loads],
        figures={"cloud_rpc_per_s": loads[-1].rate},
        goals=[],
        bars=[
            Bar(f"{load.devices:,} devices", load.rate, "RPCs/s", is_ours=True)
            for load in loads
        ],
    )


async def measure_load(folder: Path, devices: int, seconds: float) -> Load:
    """Measure a cloud with so many devices."""
    async with (
        running_cloud(new_folder(folder, f"load-{devices}"), devices) as cloud,
        Child.program("traffic.load", folder) as load,
    ):
        await load.ask("connect", device_port=cloud.device_port, devices=cloud.devices)
        details: dict[str, Any] = {
            "http_port": cloud.http_port,
            "devices": cloud.devices,
            "callers": CALLERS,
        }
        await load.ask("call", seconds=min(1, seconds), **details)
        cpu = cloud.process.cpu_seconds()
        answer = await load.ask(
            "call", seconds=seconds, timeout=seconds + 60, **details
        )
        cpu = cloud.process.cpu_seconds() - cpu
    if answer["failures"]:
        raise BenchError(f"local_cloud did not deliver {answer['failures']} calls")
    samples = answer["milliseconds"]
    return Load(
        devices=devices,
        rate=len(samples) / answer["wall"],
        p50=percentile(samples, 50),
        p99=percentile(samples, 99),
        cpu=cpu / len(samples) * 1e6,
    )
