"""Measures the pages of the web site: bytes over the wire, and the time until something is painted.

Each page is opened `RUNS` times by a browser that has nothing of it yet. The bytes are those of all
answers, heads included and compressed as they came; the time is Chromium's first contentful paint,
from the click on. The median is told, with the least and the most.
"""

import asyncio
from pathlib import Path
from statistics import median
import tempfile

from playwright.async_api import Browser, CDPSession

from tests.console.server import OPERATOR, ConsoleServer, running_server

from .browser import running_browser
from .console import make_device, master_key, sign_in, window

RUNS = 9
_PAINTED = """
() => new Promise((done) => {
  const find = () => {
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    if (paint) done(paint.startTime); else setTimeout(find, 10);
  };
  find();
})
"""


async def _measure(browser: Browser, server: ConsoleServer) -> None:
    async with window(browser, server) as page:
        await sign_in(page, OPERATOR)
        device = await make_device(page, "Desk lamp")
        key = await master_key(page, device)
        await page.request.post(
            "/v1/datastreams/light/datapoint/",
            data={"datapoint": {"x": 1}},
            headers={"Authorization": f"token {key}"},
        )
        links = await page.eval_on_selector_all(
            ".menu a, .tabs a", "links => links.map(link => link.pathname)"
        )
        links.append(f"/devices/{device}/data/1")
        session = await page.context.new_cdp_session(page)
        await session.send("Network.enable")
        await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        received = _count_bytes(session)
        print(f"{'page':24} {'KiB':>7} {'first paint, ms':>24}")
        for path in dict.fromkeys(links):
            sizes, times = [], []
            for _ in range(RUNS):
                received.clear()
                await page.goto(path)
                times.append(await page.evaluate(_PAINTED))
                sizes.append(sum(received) / 1024)
            spread = f"{median(times):.0f} ({min(times):.0f} to {max(times):.0f})"
            print(f"{path:24} {median(sizes):7.1f} {spread:>24}")


def _count_bytes(session: CDPSession) -> list[int]:
    """Return a list to which the bytes of each answer are added."""
    received: list[int] = []
    session.on(
        "Network.loadingFinished",
        lambda event: received.append(event["encodedDataLength"]),
    )
    return received


async def _main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder)) as server,
    ):
        async with running_browser() as browser:
            await _measure(browser, server)


if __name__ == "__main__":
    asyncio.run(_main())
