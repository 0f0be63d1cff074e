"""Row 6: what a stored datapoint costs, whatever is stored already."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.child import Child
from bench.cloud import running_cloud
from bench.errors import BenchError
from bench.numbers import percentile, text
from bench.paths import new_folder
from bench.result import Bar, Goal, Result
from bench.scale import Scale
from bench.stored import fill, sync_milliseconds

SENSORS = 50
MOST_RATIO = 1.2
MOST_GROWTH = 1.1
LEAST_RATE = 5000
MOST_READ = 20  # milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one more datapoint costs where so many are stored.

    Attributes:
        stored: datapoints that were there before.
        rate: datapoints that were acknowledged, a second.
        p50, p99: milliseconds until one was.
        cpu: microseconds of the cloud's processor time for each.
        written: bytes that the cloud wrote for each.
        memory: MiB that the cloud's process has in the end.
        read: p99 in milliseconds of reading the last 100.
    """

    stored: int
    rate: float
    p50: float
    p99: float
    cpu: float
    written: float
    memory: float
    read: float

    def line(self) -> tuple[str, ...]:
        """Return the table's line."""
        numbers = (self.rate, self.p50, self.p99, self.cpu, self.written)
        return (
            f"{self.stored:,}",
            *(text(value) for value in (*numbers, self.memory, self.read)),
        )


async def measure(scale: Scale, folder: Path) -> Result:
    """Measure one cloud after the other."""
    costs = [
        await measure_cost(folder, count, scale.cloud_seconds) for count in scale.stored
    ]
    sync = sync_milliseconds(folder, 200)
    first, last = costs[0], costs[-1]
    ratio, growth = last.cpu / first.cpu, last.memory / first.memory
    return Result(
        title="What a stored datapoint costs",
        how=(
            f"{SENSORS} devices, each posting its next datapoint over TCP when the last one was "
            f"acknowledged, for {scale.cloud_seconds:g} s; what was acknowledged is on the disk. Before, "
            "so many datapoints were put into the database, of another device, and the cloud was "
            "started with it. *Written*: what the process had written, by the system's count. "
            "*Memory*: its resident memory at the end. *Reading*: one request after the other over "
            "HTTP for the last 100 datapoints of a device. A page of 4 KiB that is written and "
            f"synced by itself, on the same disk, took {text(sync)} ms (median of 200)."
        ),
        header=(
            "datapoints before",
            "stored/s",
            "p50 ms",
            "p99 ms",
            "CPU µs each",
            "written bytes each",
            "memory MiB",
            "reading, p99 ms",
        ),
        lines=[cost.line() for cost in costs],
        figures={
            "stored_per_s": last.rate,
            "stored_cpu_us": last.cpu,
            "stored_cpu_ratio": ratio,
            "sync_ms": sync,
        },
        goals=[
            Goal(
                f"CPU with {last.stored:,} before ≤ {MOST_RATIO} × that with {first.stored:,}",
                ratio <= MOST_RATIO,
                f"{ratio:.2f} ×",
            ),
            Goal(
                f"memory with {last.stored:,} before ≤ {MOST_GROWTH} × that with {first.stored:,}",
                growth <= MOST_GROWTH,
                f"{growth:.2f} ×",
            ),
            Goal(
                f"≥ {LEAST_RATE:,} datapoints a second from {SENSORS} devices",
                last.rate >= LEAST_RATE,
                f"{text(last.rate)} a second",
            ),
            Goal(
                f"reading 100 rows with {last.stored:,}: p99 ≤ {MOST_READ} ms",
                last.read <= MOST_READ,
                f"{text(last.read)} ms",
            ),
        ],
        bars=[
            Bar(f"{cost.stored:,} before", cost.cpu, "µs", is_ours=True)
            for cost in costs
        ],
    )


async def measure_cost(folder: Path, stored: int, seconds: float) -> Cost:
    """Measure a cloud with so many datapoints."""
    home = new_folder(folder, f"stored-{stored}")
    async with running_cloud(home, SENSORS):
        pass
    if stored:
        fill(home / "cloud.db", stored)
    async with (
        running_cloud(home, SENSORS) as cloud,
        Child.program("traffic.points", folder) as traffic,
    ):
        process = cloud.process
        sensors: dict[str, Any] = {
            "device_port": cloud.device_port,
            "devices": cloud.devices,
        }
        await traffic.ask("post", seconds=min(1, seconds), **sensors)
        cpu, written = process.cpu_seconds(), process.written_bytes()
        posted = await traffic.ask(
            "post", seconds=seconds, timeout=seconds + 60, **sensors
        )
        cpu = process.cpu_seconds() - cpu
        written = process.written_bytes() - written
        memory = process.resident_bytes() / 2**20
        history = await traffic.ask(
            "read",
            http_port=cloud.http_port,
            devices=cloud.devices,
            seconds=seconds / 2,
            timeout=seconds + 60,
        )
    if failures := posted["failures"] + history["failures"]:
        raise BenchError(f"local_cloud refused {failures} requests")
    samples = posted["milliseconds"]
    return Cost(
        stored=stored,
        rate=len(samples) / posted["wall"],
        p50=percentile(samples, 50),
        p99=percentile(samples, 99),
        cpu=cpu / len(samples) * 1e6,
        written=written / len(samples),
        memory=memory,
        read=percentile(history["milliseconds"], 99),
    )
