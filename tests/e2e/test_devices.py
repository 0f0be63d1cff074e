"""The devices of an account in the browser, in both languages."""

import asyncio
from pathlib import Path

from playwright.async_api import Browser
import pytest

from demo.log_review import review

from .instance import PASSWORD
from .pictures import Camera
from .readers import READERS, Reader
from .tour import running_tour

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.timeout(400)
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.language)
async def test_devices_of_an_account(
    browser: Browser, folder: Path, reader: Reader
) -> None:
    """From the account without a key to a lamp that has become another one."""
    async with running_tour(
        browser,
        folder / f"devices-{reader.language}",
        reader,
        Camera(folder, reader.suffix),
    ) as tour:
        await tour.add_account()
        pages, temperature = await tour.use_devices()
        await tour.see_lamp(pages[tour.names.lamp])
        await tour.see_strip(pages[tour.names.strip])
        if reader.language == "en":
            # None of their words are ours, and both have to wait for their turn.
            await tour.upgrade_plug(pages[tour.names.plug])
            await tour.wait_for_past(temperature)
        await tour.see_history(temperature)
        await tour.see_options()
        await tour.change_lamp()
    keys = [
        key
        for each in tour.instance.cloud.lamps.values()
        for key in (each.master_key, each.owner_key)
    ]
    await asyncio.to_thread(review, tour.instance.log, [PASSWORD, *keys])
