"""The pictures of the web site, each in its language: scripts/test --browser --pictures."""

from contextlib import AsyncExitStack
from math import pi, sin
from pathlib import Path
import time

from aiohttp import ClientSession
from playwright.async_api import Browser, Page, ViewportSize, expect
import pytest

from tests.console.server import OPERATOR, PASSWORD, ConsoleServer, running_server
from tests.firmware.kinds import make

from .console import make_device, master_key
from .pictures import FOLDER, Camera
from .readers import READERS, WINDOW, Reader, window

pytestmark = pytest.mark.asyncio(loop_scope="session")

KINDS = {"light": "light_new", "plug": "plug", "strip": "strip", "humiture": "tem_hum"}
NAMES = {
    "en": ("Kitchen lamp", "Fan", "Desk strip", "Living room"),
    "zh-Hans": ("厨房灯", "风扇", "书桌排插", "客厅"),
}
SHORT = ViewportSize(width=1280, height=470)
STEP = 120
"""Seconds between two readings of the day in the picture."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.language)
async def test_pictures(browser: Browser, folder: Path, reader: Reader) -> None:
    """The list of devices, a lamp that is commanded, and a day of a thermometer."""
    camera = Camera(FOLDER, reader.suffix)
    home = folder / f"site-{reader.language}"
    home.mkdir()
    with running_server(home) as server:
        async with (
            window(browser, reader, base_url=server.url) as page,
            AsyncExitStack() as stack,
        ):
            await page.goto("/sign-in")
            await page.fill("[name=email]", OPERATOR)
            await page.fill("[name=password]", PASSWORD)
            await page.click("main form button")
            await page.wait_for_url("**/devices")
            numbers = {}
            for (kind, firmware), name in zip(
                KINDS.items(), NAMES[reader.language], strict=True
            ):
                numbers[kind] = await make_device(page, name, kind)
                key = await master_key(page, numbers[kind])
                if kind == "humiture":
                    await store_a_day(server, key)
                address = ("127.0.0.1", server.device_port)
                await stack.enter_async_context(make(firmware, address, key))
            await page.goto("/devices")
            await expect(page.locator(".dot-on")).to_have_count(len(KINDS))
            await page.set_viewport_size(SHORT)
            await camera.take("site-devices", page, page.locator("body"), margin=0)
            await page.set_viewport_size(WINDOW)
            await picture_of_a_lamp(page, camera, numbers["light"])
            await page.goto(f"/devices/{numbers['humiture']}/data")
            await page.click("main table a")
            await expect(page.locator("canvas")).to_be_visible()
            await camera.take("site-chart", page, page.locator("main .card").first)


async def picture_of_a_lamp(page: Page, camera: Camera, number: int) -> None:
    """Switch a lamp on in a color, and take a picture of it and of what has passed."""
    await page.goto(f"/devices/{number}/live")
    control = page.locator("[data-part=control]")
    await control.locator("[role=switch], [type=checkbox]").first.check()
    await control.locator("[type=color]").fill("#ff9f1c")
    frames = page.locator("[data-part=frames]")
    await expect(frames.locator("li").nth(5)).to_be_visible()
    await camera.take("site-lamp", page, control)
    await frames.scroll_into_view_if_needed()
    await camera.take("site-frames", page, frames)


async def store_a_day(server: ConsoleServer, key: str) -> None:
    """Store a day of readings, as a thermometer would have."""
    now = int(time.time())
    points = []
    for number in range(86_400 // STEP):
        phase = 2 * pi * number * STEP / 86_400
        points.append(
            {
                "x": round(21.5 + 2.5 * sin(phase) + 0.3 * sin(phase * 17), 1),
                "y": round(48 - 7 * sin(phase) + 1.1 * sin(phase * 13), 1),
                "at": now - 86_400 + number * STEP,
            }
        )
    async with ClientSession() as session:
        response = await session.post(
            f"{server.url}/v1/datastreams/tem_hum/datapoints/",
            json={"datapoints": points},
            headers={"Authorization": f"token {key}", "Time-Zone": "Epoch"},
        )
        assert response.status == 200
