"""Row 9: many devices at the Home Assistant that is their cloud, and many that are not its own."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from bench.child import Child
from bench.household import prepare
from bench.numbers import text
from bench.paths import new_folder
from bench.result import Bar, Goal, Result
from bench.scale import Scale

SETTLE = 15  # seconds until Home Assistant has stored what is new in its registries
PATIENCE = 180  # seconds until everything has to be connected
MOST_SHOWN = 16
MOST_IDLE = 0.5  # percent of a core
MOST_KNOCKED = 5.0  # percent of a core
MOST_BACK = 30.0  # seconds


@dataclass(slots=True, kw_only=True)
class Household:
    """What a household took.

    Attributes:
        entry_ms: until Home Assistant could go on, in milliseconds.
        kib: of memory per device.
        bare_kib: of memory per device whose entities are all that there is.
        idle_percent: of a processor core, while all devices only ping.
        bare_percent: of a core, with entities and no devices behind them.
        back_s: from the start of Home Assistant's process until all were back.
        knocked_percent: of a core, while as many unknown devices knocked as well.
        shown: how many of those were offered to a person.
    """

    entry_ms: float = 0
    kib: float = 0
    bare_kib: float = 0
    idle_percent: float = 0
    bare_percent: float = 0
    back_s: float = 0
    knocked_percent: float = 0
    shown: int = 0


async def measure(scale: Scale, folder: Path) -> Result:
    """Measure the household, the bare entities, a restart of Home Assistant, and strangers."""
    took = Household()
    count = scale.household
    household = await prepare(folder, "household", count, "gas", "flammable_gas")
    async with Child.program("traffic.household", folder) as traffic:
        async with household.running(folder) as instance:
            before = await _memory(instance)
            added = await instance.ask(
                "add", port=household.port, devices=household.devices, timeout=PATIENCE
            )
            took.entry_ms = added["ms"]
            await traffic.ask("connect", port=household.port, devices=household.devices)
            await instance.ask("wait", connected=count, timeout=PATIENCE)
            took.kib = (await _memory(instance) - before) / count / 1024
            await asyncio.sleep(min(SETTLE, scale.idle))
            took.idle_percent = await _idle(instance, scale.idle)
            counted = await instance.ask("entities")
        begin = monotonic()
        async with household.running(folder) as instance:
            await instance.ask("start", timeout=PATIENCE)
            await instance.ask("wait", connected=count, timeout=PATIENCE)
            took.back_s = monotonic() - begin
            await traffic.ask("knock", port=household.port, count=count)
            took.knocked_percent = await _idle(instance, scale.idle)
            at_least = min(MOST_SHOWN, count)
            answer = await instance.ask("discovered", count=at_least)
            took.shown = answer["shown"]
    await _measure_bare(scale, folder, took, counted["entities"])
    return summarize(scale, took)


async def _measure_bare(
    scale: Scale, folder: Path, took: Household, entities: dict[str, list[int]]
) -> None:
    home = new_folder(folder, "bare")
    async with Child.program("instances.bare", folder, str(home)) as bare:
        await bare.ask("load", domains=list(entities))
        before = await _memory(bare)
        await bare.ask("add", entities=entities, timeout=PATIENCE)
        took.bare_kib = (await _memory(bare) - before) / scale.household / 1024
        await asyncio.sleep(min(SETTLE, scale.idle))
        took.bare_percent = await _idle(bare, scale.idle)


async def _memory(instance: Child) -> int:
    resident: int = (await instance.ask("memory"))["rss"]
    return resident


async def _idle(instance: Child, seconds: float) -> float:
    """Return the share of a core that an instance takes while nobody commands."""
    answer = await instance.ask("idle", seconds=seconds, timeout=seconds + 30)
    percent: float = answer["cpu"] / answer["wall"] * 100
    return percent


def summarize(scale: Scale, took: Household) -> Result:
    """Return the row."""
    count = f"{scale.household:,}"
    return Result(
        title=f"{count} devices at the Home Assistant that is their cloud",
        how=(
            f"One Home Assistant core with {count} sensors, confirmed before: they are in its database "
            "and in the entry. They are simulated, in one process, each at a loopback address of its "
            "own: they activate once, identify, ping every 50 s, at moments of their own, and connect again a second after their connection "
            "has ended or was refused. *Memory*: growth of the process's resident memory from before "
            "the entry until all are connected, garbage collected, divided by the devices; the code "
            "was loaded before. *Bare*: the same of a Home Assistant with as many devices and entities "
            "in its registries, of the same domains, and as many of them enabled, behind which there is "
            f"nothing. *Idle*: the whole process's CPU over {text(scale.idle)} s in which the devices "
            "ping, once the registries are stored. *Back*: Home Assistant is stopped and started again; from the start of its process, "
            "Python's own included, until every device is identified. *Strangers*: "
            f"{count} more devices, whose keys nobody knows, knock from addresses of their own; the "
            f"whole process's CPU over {text(scale.idle)} s from when they begin, what the household "
            "takes included. *Offered*: how many of them Home Assistant shows as discovered after that."
        ),
        header=(
            "devices",
            "set up ms",
            "KiB per device",
            "bare",
            "idle CPU %",
            "bare",
            "back s",
            "CPU % with strangers",
            "offered",
        ),
        lines=[
            (
                count,
                text(took.entry_ms),
                text(took.kib),
                text(took.bare_kib),
                f"{took.idle_percent:.2f}",
                f"{took.bare_percent:.2f}",
                text(took.back_s),
                f"{took.knocked_percent:.2f}",
                str(took.shown),
            )
        ],
        figures={
            "household_kib": took.kib,
            "household_own_kib": took.kib - took.bare_kib,
            "household_idle_percent": took.idle_percent,
            "household_back_s": took.back_s,
            "household_knocked_percent": took.knocked_percent,
            "household_offered": took.shown,
        },
        goals=[
            Goal(
                f"{count} idle devices take less than {MOST_IDLE} % of a core",
                took.idle_percent < MOST_IDLE,
                f"{took.idle_percent:.2f} %",
            ),
            Goal(
                f"all are back within {MOST_BACK:.0f} s of Home Assistant's start",
                took.back_s <= MOST_BACK,
                f"{took.back_s:.0f} s",
            ),
            Goal(
                f"{count} strangers that knock take less than {MOST_KNOCKED:.0f} % of a core",
                took.knocked_percent < MOST_KNOCKED,
                f"{took.knocked_percent:.2f} %, the household's own devices included",
            ),
            Goal(
                f"of those, at most {MOST_SHOWN} are offered",
                took.shown <= MOST_SHOWN,
                str(took.shown),
            ),
        ],
        bars=[
            Bar("bare entities", took.bare_kib, "KiB"),
            Bar("with their device", took.kib, "KiB", is_ours=True),
        ],
    )
