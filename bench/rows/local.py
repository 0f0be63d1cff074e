"""Row 8: Home Assistant is the cloud itself: commands to a device, and datapoints from one."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

from bench.broker import HOW_TO_INSTALL, find_mosquitto, free_port
from bench.child import Child
from bench.household import prepare
from bench.numbers import median, percentile, text
from bench.paths import new_folder
from bench.result import Bar, Goal, Result
from bench.rows import posts
from bench.rows.call import Contestant
from bench.rows.push import running_mqtt
from bench.scale import Scale

NO_ESPHOME = "aioesphomeapi is missing: bench/requirements.txt"
OF_MQTT = 0.6
OF_ESPHOME = 1.0
OF_FLOOR = 1.2


async def measure(scale: Scale, folder: Path) -> Result:
    """Measure the commands of all in turns, then the datapoints."""
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(running_local(folder))
        mqtt = esphome = None
        if find_mosquitto():
            other = await stack.enter_async_context(
                running_mqtt(folder, "local", "switch")
            )
            mqtt = Contestant("MQTT switch", other.instance)
        if has_esphome():
            esphome = await stack.enter_async_context(running_esphome(folder))
        contestants = [one for one in (ours, mqtt, esphome) if one is not None]
        for one in contestants:
            await one.instance.ask("call", count=scale.calls)
        for number in range(scale.rounds):
            turn = number % len(contestants)
            for one in contestants[turn:] + contestants[:turn]:
                await one.play(scale.calls)
    return summarize(scale, ours, mqtt, esphome, await posts.measure(scale, folder))


def summarize(
    scale: Scale,
    ours: Contestant,
    mqtt: Contestant | None,
    esphome: Contestant | None,
    posted: posts.Posts,
) -> Result:
    """Return the row."""
    others = (("MQTT switch", mqtt), ("ESPHome switch", esphome))
    missing = {"MQTT switch": HOW_TO_INSTALL, "ESPHome switch": NO_ESPHOME}
    lines = [(*ours.line(), *[""] * 2)]
    for name, one in others:
        lines.append(
            (*one.line(), "", "")
            if one
            else (name, "not measured", missing[name], *[""] * 4)
        )
    to_floor = posts.ratio(posted.ours, posted.floor)
    to_keeping = posts.ratio(posted.ours, posted.keeping)
    return Result(
        title="Home Assistant as the cloud: commands and datapoints",
        how=(
            f"{scale.rounds} rounds of {scale.calls:,} calls for each, in turns, one call after the "
            "other; the percentiles are of all calls. The time runs from `switch.turn_on` or "
            "`switch.turn_off` until the state is written that the device has answered with, and in "
            "the next two columns until the blocking call has returned as well. All show a switch, and "
            "no state is assumed. *espcloud*: Home Assistant, which is the cloud, → its device port → a "
            "plug, as light as can be, which answers. *MQTT*: Home Assistant → mosquitto → a plug "
            "(paho-mqtt), which says on its state topic what it does → mosquitto → Home Assistant. "
            "*ESPHome*: Home Assistant's own integration → a device with the unencrypted native API, "
            "made of aioesphomeapi's own messages, which answers with its state. Both of these calls "
            "return without waiting for the device. Each of all these is a process of its own. "
            + ("" if esphome else "ESPHome was left out: aioesphomeapi is not there. ")
            + f"*Datapoint*: {scale.rounds} rounds of {scale.posts:,} from one sensor, the next when the "
            "last one was acknowledged, until its state is written; CPU is all of the Home Assistant's "
            "process, divided by the datapoints. *Floor*: a server whose asyncio.Protocol splits lines, "
            "orjson, a bare sensor entity, one acknowledgement each; it keeps nothing. *Floor that keeps "
            "them*: the same, but each is in SQLite, synced, before it is acknowledged, as it is at "
            "espcloud, which answers 200 for nothing that a loss of power could take back."
        ),
        header=(
            "",
            "p50 ms",
            "p99 ms",
            "returned, p50 ms",
            "returned, p99 ms",
            "CPU µs",
            "× floor, CPU",
        ),
        lines=[*lines, *posted.lines()],
        figures={
            "local_call_p50_ms": percentile(ours.written, 50),
            "local_mqtt_call_p50_ms": percentile(mqtt.written, 50) if mqtt else None,
            "local_esphome_call_p50_ms": (
                percentile(esphome.written, 50) if esphome else None
            ),
            "local_post_us": median(posted.ours.cpu),
            "local_post_floor_us": median(posted.floor.cpu),
            "local_post_ratio": to_floor,
        },
        goals=[
            _goal(OF_MQTT, "MQTT", ours, mqtt, HOW_TO_INSTALL),
            _goal(OF_ESPHOME, "ESPHome", ours, esphome, NO_ESPHOME),
            Goal(
                f"a datapoint costs at most {OF_FLOOR} × the floor",
                to_floor <= OF_FLOOR,
                f"{to_floor:.2f} ×; {to_keeping:.2f} × a floor that keeps it",
            ),
        ],
        bars=[
            Bar(one.name, percentile(one.written, 50), "ms", is_ours=one is ours)
            for one in (ours, mqtt, esphome)
            if one is not None
        ],
    )


def _goal(
    most: float, name: str, ours: Contestant, other: Contestant | None, obstacle: str
) -> Goal:
    said = f"a call takes at most {text(most)} × {name}'s, at the median"
    if other is None:
        return Goal(said, None, obstacle)
    ratio = median(a / b for a, b in zip(ours.medians, other.medians, strict=True))
    return Goal(said, ratio <= most, f"{ratio:.2f} ×")


def has_esphome() -> bool:
    """Tell whether what Home Assistant's ESPHome integration needs is there."""
    return find_spec("aioesphomeapi") is not None


@asynccontextmanager
async def running_local(folder: Path) -> AsyncIterator[Contestant]:
    """Run espcloud as the cloud, with one plug."""
    household = await prepare(folder, "local", 1, "plug", "plug")
    async with (
        household.running(folder) as instance,
        Child.program("traffic.plugs", folder) as plugs,
    ):
        await instance.ask("add", port=household.port, devices=household.devices)
        await plugs.ask(
            "connect", device_port=household.port, devices=household.devices
        )
        await instance.ask("wait", connected=1)
        yield Contestant("espcloud", instance)


@asynccontextmanager
async def running_esphome(folder: Path) -> AsyncIterator[Contestant]:
    """Run Home Assistant's ESPHome with one plug."""
    async with (
        Child.program("traffic.esphome_plug", folder) as plug,
        Child.program(
            "instances.esphome",
            folder,
            str(new_folder(folder, "esphome")),
            str(plug.greeting["port"]),
            plug.greeting["mac"],
            str(free_port()),
        ) as instance,
    ):
        yield Contestant("ESPHome switch", instance)
