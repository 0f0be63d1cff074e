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
EDGES = 3  # requests that the time measured may cut off: a question, and a list's two
PATIENCE = 600  # seconds until every device has been asked once
FIRST_ROUND = 30  # seconds from then until they are asked in turns


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
    """

    instance: Child
    bare_percent: float = 0
    percent: float = 0
    requests: int = 0
    seconds: float = 0
    written: list[float] = field(default_factory=list)
    returned: list[float] = field(default_factory=list)

    @property
    def is_within_budget(self) -> bool:
        """Whether it asks as little as it may."""
        return self.requests <= BUDGET * self.seconds / WINDOW + EDGES

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


async def measure(scale: Scale, folder: Path) -> Result:
    """Measure the polling, then commands, in turns with those of row 2."""
    async with AsyncExitStack() as stack:
        account = await stack.enter_async_context(running_account(scale, folder))
        if scale.polling > FIRST_ROUND:
            await account.idle(FIRST_ROUND)
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
    p50 = percentile(account.returned, 50)
    to_written = ratio(account.written, lamp.written, scale)
    to_returned = ratio(account.returned, lamp.returned, scale)
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
            "one of row 2's with a virtual lamp, at a cloud of its own; the ratios are the medians of the "
            "rounds' own. *State*: until the new state is written; *returned*: until the call has returned "
            "as well. What is told to a virtual lamp comes back to Home Assistant, which writes the state "
            "before it answers; of a real device it writes what the device has answered, so that only the "
            "times until the call returns are of the same way."
        ),
        header=(
            "devices",
            "CPU %",
            "CPU % before",
            "requests per 15 min",
            "state, p50 ms",
            "returned, p50 ms",
            "p99 ms",
            "× row 2, state",
            "× row 2, returned",
        ),
        lines=[
            (
                str(scale.plugs),
                f"{account.percent:.2f}",
                f"{account.bare_percent:.2f}",
                text(account.per_window),
                text(percentile(account.written, 50)),
                text(p50),
                text(percentile(account.returned, 99)),
                f"{to_written:.2f}",
                f"{to_returned:.2f}",
            )
        ],
        figures={
            "hardware_cpu_percent": account.percent,
            "hardware_requests": account.per_window,
            "hardware_call_p50_ms": p50,
            "hardware_call_ratio": to_returned,
            "hardware_state_ratio": to_written,
        },
        goals=[
            Goal(
                f"asking {scale.plugs} devices takes at most 1 % of a core",
                account.percent <= 1,
                f"{account.percent:.2f} %, all that Home Assistant does included",
            ),
            Goal(
                f"at most {BUDGET} requests in 15 minutes",
                account.is_within_budget,
                f"{account.per_window:.0f}, by {account.requests} in {text(account.seconds)} s",
            ),
            Goal(
                "a command takes at most 1.3 × that of row 2, at the median",
                to_returned <= 1.3,
                f"{to_returned:.2f} × until it returns, {to_written:.2f} × until the state is written",
            ),
        ],
        bars=[
            Bar("plug", p50, "ms", is_ours=True),
            Bar("virtual lamp", percentile(lamp.returned, 50), "ms", is_ours=True),
        ],
    )


def ratio(ours: list[float], others: list[float], scale: Scale) -> float:
    """Return how much longer one takes: the median of the ratios of the rounds' medians."""
    starts = range(0, len(ours), scale.calls)
    return median(
        median(ours[start : start + scale.calls])
        / median(others[start : start + scale.calls])
        for start in starts
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
