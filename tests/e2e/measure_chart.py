"""How long the web site takes to draw a datastream of a million datapoints; run by scripts/measure-chart."""

import asyncio
from pathlib import Path
import tempfile
import time

from playwright.async_api import Page

from tests.console.filling import fill
from tests.console.person import Person
from tests.console.server import running_server

from .browser import running_browser
from .console import sign_in, window

COUNT = 1_000_000
DRAWN = "[data-datastream][data-drawn]:not([aria-busy])"
ARGUMENTS_OF_SERVER = ("--sign-up", "open", "--retention", f"{COUNT}:4000")


async def measure() -> None:
    """Print a line for each range: seconds from the click on the link to the drawn chart."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        with running_server(folder, *ARGUMENTS_OF_SERVER) as server:
            async with Person(server) as person:
                await person.sign_up()
                device = await person.make_device("Greenhouse", "humiture")
        fill(
            folder / "state.db",
            device,
            "tem_hum",
            count=COUNT,
            last=int(time.time()) - 20,
        )
        with running_server(folder, *ARGUMENTS_OF_SERVER) as server:
            async with (
                running_browser() as browser,
                window(browser, server) as page,
            ):
                page.set_default_timeout(120_000)
                await sign_in(page, person.email)
                await _print_ranges(page, f"/devices/{device}/data/1")


async def _print_ranges(page: Page, address: str) -> None:
    print(f"{COUNT:,} datapoints, one every 30 s: seconds until something is drawn,")
    print("and until that is every datapoint's")
    for name in ("hour", "day", "week", "month", "year", "all"):
        await page.goto("about:blank")
        begun = time.perf_counter()
        await page.goto(f"{address}#{name}")
        await page.wait_for_selector("[data-datastream][data-drawn]")
        first = time.perf_counter() - begun
        await page.wait_for_selector(DRAWN)
        print(f"{name:6} {first:6.2f} {time.perf_counter() - begun:6.2f}", flush=True)


if __name__ == "__main__":
    asyncio.run(measure())
