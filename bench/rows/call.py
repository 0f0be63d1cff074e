"""Row 2: a light is switched in Home Assistant; how long until its state says so?"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.broker import HOW_TO_INSTALL, find_mosquitto
from bench.child import Child
from bench.cloud import running_cloud
from bench.numbers import median, percentile, text
from bench.paths import new_folder
from bench.result import Bar, Goal, Result
from bench.rows.push import running_mqtt
from bench.scale import Scale


@dataclass(slots=True)
class Contestant:
    """An instance with one light.

    Attributes:
        name: for the table.
        instance: the instance.
        written: milliseconds until the state was written, of every call.
        returned: milliseconds until the call had returned as well.
        medians: milliseconds, the median of each round's `written`.
    """

    name: str
    instance: Child
    written: list[float] = field(default_factory=list)
    returned: list[float] = field(default_factory=list)
    medians: list[float] = field(default_factory=list)

    async def play(self, count: int) -> None:
        """Play one round."""
        answer = await self.instance.ask("call", count=count)
        self.written += answer["written"]
        self.returned += answer["returned"]
        self.medians.append(median(answer["written"]))

    def line(self) -> tuple[str, ...]:
        """Return the table's line."""
        return (
            self.name,
            *(
                text(percentile(samples, percent))
                for samples in (self.written, self.returned)
                for percent in (50, 99)
            ),
        )


async def measure(scale: Scale, folder: Path) -> Result:
    """Measure espcloud and MQTT in turns."""
    async with AsyncExitStack() as stack:
        espcloud = await stack.enter_async_context(running_espcloud(folder))
        contestants = [espcloud]
        mqtt: Contestant | None = None
        if find_mosquitto():
            other = await stack.enter_async_context(running_mqtt(folder, "call"))
            mqtt = Contestant("MQTT light", other.instance)
            contestants.append(mqtt)
        for one in contestants:
            await one.instance.ask("call", count=scale.calls)
        for number in range(scale.rounds):
            turn = number % len(contestants)
            for one in contestants[turn:] + contestants[:turn]:
                await one.play(scale.calls)
    return summarize(scale, espcloud, mqtt)


def summarize(scale: Scale, espcloud: Contestant, mqtt: Contestant | None) -> Result:
    """Return the row."""
    p50 = percentile(espcloud.written, 50)
    ratio = None
    if mqtt:
        pairs = zip(espcloud.medians, mqtt.medians, strict=True)
        ratio = median(a / b for a, b in pairs)
    return Result(
        title="Service call to state",
        how=(
            f"{scale.rounds} rounds of {scale.calls:,} calls for each, in turns, one call "
            "after the other; the percentiles are of all calls. The time runs from "
            "`light.turn_on` or `light.turn_off` until the new state is written, and in the "
            "last two columns until the blocking call has returned as well. *espcloud*: "
            "Home Assistant → HTTP → local_cloud → device port → Home Assistant, which "
            "acknowledges; only then does the call return. *MQTT*: Home Assistant → mosquitto "
            "→ a lamp (paho-mqtt) → mosquitto → Home Assistant; the call returns without "
            "waiting for the lamp. Each of these is a process of its own."
        ),
        header=("", "p50 ms", "p99 ms", "returned, p50 ms", "returned, p99 ms"),
        lines=[one.line() for one in (espcloud, *([mqtt] if mqtt else []))]
        + ([] if mqtt else [("MQTT light", "not measured", HOW_TO_INSTALL, "", "")]),
        figures={
            "call_p50_ms": p50,
            "mqtt_call_p50_ms": percentile(mqtt.written, 50) if mqtt else None,
        },
        goals=[
            Goal(
                "a call takes no longer than MQTT's, at the median",
                None if ratio is None else ratio <= 1,
                HOW_TO_INSTALL if ratio is None else f"{ratio:.2f} × MQTT's",
            )
        ],
        bars=[
            Bar(one.name, percentile(one.written, 50), "ms", is_ours=one is espcloud)
            for one in (espcloud, *([mqtt] if mqtt else []))
        ],
    )


@asynccontextmanager
async def running_espcloud(folder: Path) -> AsyncIterator[Contestant]:
    """Run espcloud with one lamp at a local cloud."""
    async with (
        running_cloud(new_folder(folder, "call-cloud"), 1) as cloud,
        Child.program(
            "instances.espcloud", folder, str(new_folder(folder, "call-espcloud"))
        ) as instance,
    ):
        await instance.ask("load")
        await instance.ask("add", account=cloud.account())
        await instance.ask("wait", connected=1)
        yield Contestant("espcloud", instance)
