"""Home Assistant as the cloud in the browser, in both languages."""

import asyncio
from pathlib import Path

from playwright.async_api import Browser
import pytest

from demo.local_devices import LAMP, OWN_LAMP, PLUG, THERMOMETER
from demo.log_review import review

from .local_tour import running_local_tour
from .pictures import Camera
from .readers import READERS, Reader

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.timeout(400)
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.language)
async def test_from_the_menu_to_devices_in_use(
    browser: Browser, folder: Path, reader: Reader
) -> None:
    """Every step of an owner: what knocks is confirmed, switched, and pressed by hand."""
    async with running_local_tour(
        browser,
        folder / f"local-{reader.language}",
        reader,
        Camera(folder, reader.suffix),
    ) as tour:
        await tour.add_cloud()
        await tour.see_discovered()
        # The other kinds say nothing in Chinese that the plug does not.
        names = (
            (PLUG, LAMP, THERMOMETER, OWN_LAMP) if reader.language == "en" else (PLUG,)
        )
        for name in names:
            await tour.confirm(name)
        await tour.see_device(PLUG)
        await tour.switch(PLUG)
        assert (await tour.devices.state(PLUG))["appliance"] == {"x": 1}
        await tour.photograph_page()
        await tour.press(PLUG)
        if LAMP in names:
            await tour.see_device(LAMP)
            await tour.switch(LAMP)
            assert (await tour.devices.state(LAMP))["appliance"]["values"]["z"] != 0
            await tour.see_device(OWN_LAMP)
            await tour.switch(OWN_LAMP)
            rpcs = (await tour.devices.state(OWN_LAMP))["rpcs"]
            assert [each["action"] for each in rpcs] == ["LED_ON"]
    await asyncio.to_thread(review, tour.log, tour.keys.values())
