"""Row 1: a pushed command becomes a written state."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.broker import HOW_TO_INSTALL, find_mosquitto, free_port, running_broker
from bench.child import Child
from bench.cloud import running_cloud
from bench.errors import BenchError
from bench.numbers import median, text
from bench.paths import new_folder
from bench.result import Bar, Goal, Result
from bench.scale import Scale

TIMEOUT = 60  # seconds, for one round


@dataclass(slots=True)
class Contestant:
    """An instance and who pushes to it.

    Attributes:
        name: for the table.
        states: how many states it writes for each change.
        cpu: microseconds of the instance's processor time per change, one for each round.
        rate: changes a second, one for each round.
    """

    name: str
    instance: Child
    source: Child
    states: int
    cpu: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)

    async def play(self, count: int) -> None:
        """Play one round; raises BenchError where states are missing or too many."""
        states = count * self.states
        await self.instance.ask("begin", states=states)
        await self.source.ask("push", count=count)
        answer = await self.instance.ask("end", timeout=TIMEOUT)
        if answer["written"] != states:
            raise BenchError(
                f"{self.name} wrote {answer['written']} states, not {states}"
            )
        self.cpu.append(answer["cpu"] / count * 1e6)
        self.rate.append(count / answer["wall"])

    def forget(self) -> None:
        """Forget the rounds so far: they warmed everything up."""
        self.cpu.clear()
        self.rate.clear()

    def line(self, floor: Contestant) -> tuple[str, ...]:
        """Return the table's line."""
        return (
            self.name,
            str(self.states),
            text(median(self.rate)),
            text(median(self.cpu)),
            f"{ratio(self, floor):.2f}",
        )


def ratio(one: Contestant, other: Contestant) -> float:
    """Return how much more processor time one takes: the median of the rounds' ratios."""
    return median(a / b for a, b in zip(one.cpu, other.cpu, strict=True))


async def measure(scale: Scale, folder: Path) -> Result:
    """Measure the floor, espcloud and MQTT in turns."""
    async with AsyncExitStack() as stack:
        floor = await stack.enter_async_context(running_floor(folder))
        espcloud = await stack.enter_async_context(running_espcloud(folder))
        contestants = [floor, espcloud]
        mqtt: Contestant | None = None
        if find_mosquitto():
            mqtt = await stack.enter_async_context(running_mqtt(folder))
            contestants.append(mqtt)
        for one in contestants:
            await one.play(scale.pushes)
            one.forget()
        for number in range(scale.rounds):
            # Nobody always comes first after a pause, or last on a warm machine.
            turn = number % len(contestants)
            for one in contestants[turn:] + contestants[:turn]:
                await one.play(scale.pushes)
    return summarize(scale, floor, espcloud, mqtt)


def summarize(
    scale: Scale, floor: Contestant, espcloud: Contestant, mqtt: Contestant | None
) -> Result:
    """Return the row."""
    to_floor = ratio(espcloud, floor)
    to_mqtt = ratio(mqtt, espcloud) if mqtt else None
    return Result(
        title="Pushed command to written state",
        how=(
            f"{scale.rounds} rounds of {scale.pushes:,} commands for each, in turns; medians, "
            "and the ratio is the median of the rounds' own ratios. Every Home Assistant core "
            "is a process of its own, without a recorder; CPU is that process's, all threads, "
            "divided by the commands. One light; on and off take turns, so each command "
            "changes it. A listener counts every written state, and a round with one too many "
            "or too few does not count. *Floor*: an asyncio.Protocol that splits lines, "
            "orjson, a bare light and a bare event entity, one acknowledgement per command, "
            "written together for what arrived together. It writes the same two states as "
            "espcloud: the light, and the event with the action and its parameters. "
            "*espcloud*: the integration as it is installed, its limits on pushes raised beyond "
            "reach; it counts each push as ever. Both get local_cloud's own frames "
            "from a process that has made them beforehand and keeps 256 on their way. *MQTT*: "
            "Home Assistant's MQTT light (one state, no event entity), found by discovery, "
            "QoS 0, over mosquitto with `max_queued_messages 0`; the messages come from a "
            "paho-mqtt client in another process, as fast as it can."
        ),
        header=("", "states per change", "changes/s", "CPU µs per change", "× floor"),
        lines=[one.line(floor) for one in (floor, espcloud, *([mqtt] if mqtt else []))]
        + ([] if mqtt else [("MQTT light", "not measured", HOW_TO_INSTALL, "", "")]),
        figures={
            "floor_us": median(floor.cpu),
            "push_us": median(espcloud.cpu),
            "mqtt_push_us": median(mqtt.cpu) if mqtt else None,
        },
        goals=[
            Goal(
                "a change costs espcloud at most 1.2 × the floor",
                to_floor <= 1.2,
                f"{to_floor:.2f} ×",
            ),
            Goal(
                "at least 2 × faster than MQTT",
                None if to_mqtt is None else to_mqtt >= 2,
                HOW_TO_INSTALL if to_mqtt is None else f"{to_mqtt:.2f} × faster",
            ),
        ],
        bars=[
            Bar(one.name, median(one.cpu), "µs of CPU", is_ours=one is espcloud)
            for one in (floor, espcloud, *([mqtt] if mqtt else []))
        ],
    )


@asynccontextmanager
async def running_floor(folder: Path) -> AsyncIterator[Contestant]:
    """Run the floor and its pusher."""
    async with (
        Child.program("traffic.pusher", folder) as pusher,
        Child.program(
            "instances.floor",
            folder,
            str(new_folder(folder, "floor")),
            str(pusher.greeting["port"]),
        ) as instance,
    ):
        yield Contestant("Floor", instance, pusher, 2)


@asynccontextmanager
async def running_espcloud(folder: Path) -> AsyncIterator[Contestant]:
    """Run espcloud with its account at a local cloud, and its device at the pusher."""
    async with (
        Child.program("traffic.pusher", folder) as pusher,
        running_cloud(new_folder(folder, "push-cloud"), 1) as cloud,
        Child.program(
            "instances.espcloud", folder, str(new_folder(folder, "espcloud"))
        ) as instance,
    ):
        await instance.ask("load")
        account = cloud.account() | {"port": pusher.greeting["port"]}
        await instance.ask("add", account=account)
        await instance.ask("wait", connected=1, timeout=20)
        yield Contestant("espcloud", instance, pusher, 2)


@asynccontextmanager
async def running_mqtt(
    folder: Path, name: str = "push", domain: str = "light"
) -> AsyncIterator[Contestant]:
    """Run Home Assistant's MQTT, a broker and a light or switch, in folders of that name."""
    async with (
        running_broker(new_folder(folder, f"{name}-broker")) as port,
        Child.program("traffic.mqtt_lamp", folder, str(port), domain) as lamp,
        Child.program(
            "instances.mqtt",
            folder,
            str(new_folder(folder, f"{name}-mqtt")),
            str(port),
            str(free_port()),
            domain,
        ) as instance,
    ):
        yield Contestant(f"MQTT {domain}", instance, lamp, 1)
