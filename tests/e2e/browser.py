"""The Chromium that tests and measurements drive."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import os

from playwright.async_api import Browser, async_playwright

ARGUMENTS = [
    "--no-sandbox",  # containers run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@asynccontextmanager
async def running_browser() -> AsyncGenerator[Browser]:
    """Run Chromium; whoever started this says in ESPCLOUD_CHROMIUM which."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=os.environ["ESPCLOUD_CHROMIUM"], args=ARGUMENTS
        )
        yield browser
        await browser.close()
