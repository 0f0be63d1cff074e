"""Row 4: what espcloud adds to the start of Home Assistant."""

from pathlib import Path

from bench.child import Child
from bench.cloud import running_cloud
from bench.numbers import median, text
from bench.paths import new_folder
from bench.result import Bar, Goal, Result
from bench.scale import Scale


async def measure(scale: Scale, folder: Path) -> Result:
    """Measure fresh processes."""
    loads: list[float] = []
    set_ups: list[float] = []
    async with running_cloud(new_folder(folder, "start-cloud"), 1) as cloud:
        # The first one may still have to compile the code; it does not count.
        for number in range(scale.starts + 1):
            home = new_folder(folder, f"start-{number}")
            async with Child.program(
                "instances.espcloud", folder, str(home)
            ) as instance:
                load = await instance.ask("load")
                added = await instance.ask("add", account=cloud.account())
            if number:
                loads.append(load["ms"])
                set_ups.append(added["ms"])
    totals = [a + b for a, b in zip(loads, set_ups, strict=True)]
    return Result(
        title="What it adds to Home Assistant's start",
        how=(
            f"{scale.starts} fresh Home Assistant cores, one after the other. *Import*: the "
            "integration, its config flow and its three platforms, by Home Assistant's own "
            "loader; the light, event and binary sensor components, the update coordinator and "
            "the shared HTTP session, which every instance has, are there before. *Set up*: one account with one "
            "device, until its entry is loaded, the sign-in over HTTP at local_cloud (a "
            "process of its own) included."
        ),
        header=("", "median ms", "worst ms"),
        lines=[
            (name, text(median(samples)), text(max(samples)))
            for name, samples in (
                ("import", loads),
                ("set up", set_ups),
                ("together", totals),
            )
        ],
        figures={"start_ms": median(totals)},
        goals=[
            Goal(
                "import and set-up take at most 50 ms together",
                median(totals) <= 50,
                f"{median(totals):.0f} ms",
            )
        ],
        bars=[
            Bar("import", median(loads), "ms", is_ours=True),
            Bar("set up", median(set_ups), "ms", is_ours=True),
        ],
    )
