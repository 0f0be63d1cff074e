"""The part of row 8 in which a sensor posts to the Home Assistant that is its cloud."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.child import Child
from bench.errors import BenchError
from bench.household import prepare
from bench.numbers import median, percentile, text
from bench.paths import new_folder
from bench.scale import Scale

TIMEOUT = 120  # seconds, for one round


@dataclass(slots=True)
class Contestant:
    """An instance and the sensor that posts to it.

    Attributes:
        name: for the table.
        instance: the instance.
        sensor: who posts.
        cpu: microseconds of the instance's processor time per datapoint, one for each round.
        written: milliseconds until the state was written, of every datapoint.
        acknowledged: milliseconds until the sensor was answered.
    """

    name: str
    instance: Child
    sensor: Child
    cpu: list[float] = field(default_factory=list)
    written: list[float] = field(default_factory=list)
    acknowledged: list[float] = field(default_factory=list)

    async def play(self, count: int) -> None:
        """Play one round; raises BenchError where a datapoint was lost."""
        await self.instance.ask("begin", states=count)
        posted = await self.sensor.ask("post", count=count, timeout=TIMEOUT)
        answer = await self.instance.ask("end", timeout=TIMEOUT)
        if posted["failures"] or answer["written"] != count:
            raise BenchError(
                f"{self.name} wrote {answer['written']} states of {count} datapoints, "
                f"and refused {posted['failures']}"
            )
        self.cpu.append(answer["cpu"] / count * 1e6)
        self.written += _milliseconds(posted["sent"], answer["written_at"])
        self.acknowledged += _milliseconds(posted["sent"], posted["acknowledged"])

    def forget(self) -> None:
        """Forget the rounds so far: they warmed everything up."""
        self.cpu.clear()
        self.written.clear()
        self.acknowledged.clear()

    def line(self, floor: Contestant) -> tuple[str, ...]:
        """Return the table's line."""
        return (
            self.name,
            *(
                text(percentile(samples, percent))
                for samples in (self.written, self.acknowledged)
                for percent in (50, 99)
            ),
            text(median(self.cpu)),
            f"{ratio(self, floor):.2f}",
        )


@dataclass(slots=True, kw_only=True)
class Posts:
    """All who were posted to.

    Attributes:
        floor: what nobody can do without.
        keeping: the same, which keeps each datapoint.
        ours: espcloud.
    """

    floor: Contestant
    keeping: Contestant
    ours: Contestant

    def lines(self) -> list[tuple[str, ...]]:
        """Return the table's lines."""
        return [one.line(self.floor) for one in (self.ours, self.floor, self.keeping)]


def ratio(one: Contestant, other: Contestant) -> float:
    """Return how much more processor time one takes: the median of the rounds' ratios."""
    return median(a / b for a, b in zip(one.cpu, other.cpu, strict=True))


async def measure(scale: Scale, folder: Path) -> Posts:
    """Measure the floors and espcloud in turns."""
    async with AsyncExitStack() as stack:
        floor = await stack.enter_async_context(running_floor(folder, "floor"))
        keeping = await stack.enter_async_context(
            running_floor(folder, "keeping", "keep")
        )
        ours = await stack.enter_async_context(running_local(folder))
        contestants = [floor, keeping, ours]
        for one in contestants:
            await one.play(scale.posts)
            one.forget()
        for number in range(scale.rounds):
            turn = number % len(contestants)
            for one in contestants[turn:] + contestants[:turn]:
                await one.play(scale.posts)
    return Posts(floor=floor, keeping=keeping, ours=ours)


@asynccontextmanager
async def running_floor(
    folder: Path, name: str, *arguments: str
) -> AsyncIterator[Contestant]:
    """Run a floor and its sensor."""
    home = new_folder(folder, f"posts-{name}")
    async with (
        Child.program("instances.post_floor", folder, str(home), *arguments) as floor,
        Child.program("traffic.posts", folder) as sensor,
    ):
        await sensor.ask("connect", port=floor.greeting["port"], master_key="none")
        title = "Datapoint, floor that keeps them" if arguments else "Datapoint, floor"
        yield Contestant(title, floor, sensor)


@asynccontextmanager
async def running_local(folder: Path) -> AsyncIterator[Contestant]:
    """Run espcloud as the cloud, with one sensor."""
    household = await prepare(folder, "posts", 1, "gas", "flammable_gas")
    async with (
        household.running(folder) as instance,
        Child.program("traffic.posts", folder) as sensor,
    ):
        await instance.ask("add", port=household.port, devices=household.devices)
        key = household.devices[0]["master_key"]
        await sensor.ask("connect", port=household.port, master_key=key)
        # The first one shows that the sensor is there, which is a state of its own.
        await sensor.ask("post", count=1)
        yield Contestant("Datapoint, espcloud", instance, sensor)


def _milliseconds(begins: list[float], ends: list[float]) -> list[float]:
    return [(end - begin) * 1000 for begin, end in zip(begins, ends, strict=True)]
