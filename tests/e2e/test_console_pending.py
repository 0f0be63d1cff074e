"""A device of another cloud comes to a `local-cloud` under the eyes of the person who runs it."""

import re

from playwright.async_api import Browser, expect
import pytest

from tests.console.server import OPERATOR, ConsoleServer
from tests.firmware.kinds import make

from .console import sign_in, window

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEY = "5" * 40
SOURCE = "127.0.3.1"


async def test_a_device_that_knocks_is_taken_in(
    console_server: ConsoleServer, browser: Browser
) -> None:
    """It appears on the open pages, is taken in, and its page shows it on-line; nothing is reloaded."""
    async with (
        window(browser, console_server) as page,
        window(browser, console_server) as other,
    ):
        for each, path in ((page, "/pending"), (other, "/connect")):
            await sign_in(each, OPERATOR)
            await each.goto(path)
            await expect(each.locator("[data-fresh]")).to_be_visible()
        address = ("127.0.0.1", console_server.device_port)
        async with make("plug", address, KEY, source=SOURCE):
            card = page.locator("[data-fresh] a", has_text=SOURCE)
            await expect(card).to_contain_text("x = 0")
            await expect(
                other.locator("[data-fresh] a", has_text=SOURCE)
            ).to_contain_text("waits")
            await card.click()
            await page.fill("[name=name]", "Kettle")
            await expect(page.locator("[name=kind]")).to_have_value("plug")
            await page.click("form[action^='/pending/'] button")
            await expect(page).to_have_url(re.compile(r"/devices/\d+\?done=adopted"))
            dot = page.locator("h1 + .dot")
            await expect(dot).to_have_text("on-line")
            await expect(
                other.locator("[data-fresh] a", has_text="Kettle")
            ).to_contain_text("on-line")
        await expect(dot).to_have_text("off-line")
