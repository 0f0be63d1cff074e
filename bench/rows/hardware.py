"""Row 7: many real devices on one account, asked how they are all the while, and commanded."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.child import Child
from bench.cloud import running_cloud
from bench.numbers import median, percentile, text
from bench.paths import new_folder
from bench.result import Bar, Goal, Result
from bench.rows.call import Contestant, running_espcloud
from bench.scale import Scale

WINDOW = 900  # seconds
BUDGET = 900  # requests of a window
PATIENCE = 600  # seconds until every device has been asked once


@dataclass(slots=True)
class Account:
    """An instance that shows an account's plugs.

    Attributes:
        instance: the instance.
        bare_percent: of a core, before there was an account.
        percent: of a core, while the plugs were asked.
        requests: those of that time, as many as they were.
        seconds: how long that was.
        written: milliseconds of every command until the state was written.
        returned: milliseconds until the call had returned as well.
        medians: milliseconds, the median of each round's `written`.
    """

    instance: Child
    bare_percent: float = 0
    percent: float = 0
    requests: int = 0
    seconds: float = 0
    written: list[float] = field(default_factory=list)
    returned: list[float] = field(default_factory=list)
    medians: list[float] = field(default_factory=list)

    @property
    def per_window(self) -> float:
        """Requests of 15 minutes."""
        return self.requests / self.seconds * WINDOW

    async def idle(self, seconds: float) -> float:
        """Return the share of a core that the instance takes while nobody commands."""
        answer = await self.instance.ask("idle", seconds=seconds, timeout=seconds + 30)
        self.seconds = answer["wall"]
        percent: float = answer["cpu"] / answer["wall"] * 100
        return percent

    async def play(self, count: int) -> None:
        """Switch one of the plugs so many times."""
        answer = await self.instance.ask("switch", count=count)
        self.written += answer["written"]
        self.returned += answer["returned"]
        self.medians.append(median(answer["written"]))


async def measure(scale: Scale, folder: Path) -> Result:
    """Measure the polling, then commands, in turns with those of row 2."""
    async with AsyncExitStack() as stack:
        account = await stack.enter_async_context(running_account(scale, folder))
        await account.instance.ask("count_requests")
        account.percent = await account.idle(scale.polling)
        counted = await account.instance.ask("count_requests")
        account.requests = counted["requests"]
        lamp = await stack.enter_async_context(running_espcloud(folder))
        await lamp.instance.ask("call", count=scale.calls)
        await account.instance.ask("switch", count=scale.calls)
        for _ in range(scale.rounds):
            await lamp.play(scale.calls)
            await account.play(scale.calls)
    return summarize(scale, account, lamp)


def summarize(scale: Scale, account: Account, lamp: Contestant) -> Result:
    """Return the row."""
    p50 = percentile(account.written, 50)
    pairs = zip(account.medians, lamp.medians, strict=True)
    ratio = median(a / b for a, b in pairs)
    return Result(
        title=f"{scale.plugs} real devices on one account",
        how=(
            f"A Home Assistant core, local_cloud and {scale.plugs} plugs, each of these three a process "
            "of its own; the plugs are simulated, as light as can be: they activate, identify, "
            "ping every 50 s, and answer what they are pushed at once. *CPU*: the whole process's, "
            f"over {text(scale.polling)} s in which nobody commands anything, once every plug has been "
            "asked; *before* is the same process without an account. *Requests*: all HTTP requests "
            "that Home Assistant made in that time, the list of devices included, as the client's own "
            f"tracing counts them, times {WINDOW:,} s by the time measured. *Commands*: {scale.rounds} "
            f"rounds of {scale.calls:,}, one after the other, while the polling goes on, each round after "
            "one of row 2's with a virtual lamp, at a cloud of its own; the ratio is the median of the "
            "rounds' own."
        ),
        header=(
            "devices",
            "CPU %",
            "CPU % before",
            "requests per 15 min",
            "command, p50 ms",
            "p99 ms",
            "× row 2's p50",
        ),
        lines=[
            (
                str(scale.plugs),
                f"{account.percent:.2f}",
                f"{account.bare_percent:.2f}",
                text(account.per_window),
                text(p50),
                text(percentile(account.written, 99)),
                f"{ratio:.2f}",
            )
        ],
        figures={
            "hardware_cpu_percent": account.percent,
            "hardware_requests": account.per_window,
            "hardware_call_p50_ms": p50,
            "hardware_call_ratio": ratio,
        },
        goals=[
            Goal(
                f"asking {scale.plugs} devices takes at most 1 % of a core",
                account.percent <= 1,
                f"{account.percent:.2f} %, all that Home Assistant does included",
            ),
            Goal(
                f"at most {BUDGET} requests in 15 minutes",
                account.per_window <= BUDGET,
                f"{account.per_window:.0f}",
            ),
            Goal(
                "a command takes at most 1.3 × that of row 2, at the median",
                ratio <= 1.3,
                f"{ratio:.2f} ×",
            ),
        ],
        bars=[
            Bar("plug", p50, "ms", is_ours=True),
            Bar("virtual lamp", percentile(lamp.written, 50), "ms", is_ours=True),
        ],
    )


@asynccontextmanager
async def running_account(scale: Scale, folder: Path) -> AsyncIterator[Account]:
    """Run espcloud with plugs that are all known."""
    async with (
        running_cloud(
            new_folder(folder, "plugs-cloud"), scale.plugs, name="Plug {}:plug"
        ) as cloud,
        Child.program("traffic.plugs", folder) as plugs,
        Child.program(
            "instances.espcloud", folder, str(new_folder(folder, "plugs-espcloud"))
        ) as instance,
    ):
        await plugs.ask("connect", device_port=cloud.device_port, devices=cloud.devices)
        account = Account(instance)
        await instance.ask("load")
        account.bare_percent = await account.idle(min(scale.polling, 20))
        await instance.ask("add", account=cloud.account(), virtual=False)
        await instance.ask("wait", connected=scale.plugs)
        await instance.ask("known", switches=scale.plugs, timeout=PATIENCE)
        yield account
