"""The web site's live page in a real browser: a person switches, colors, and sees what passes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from typing import Any

from playwright.async_api import Browser, Page, expect
import pytest

from tests.console.server import ConsoleServer
from tests.firmware.kinds import make

from .console import (
    is_accessible,
    make_device,
    master_key,
    new_account,
    sign_in,
    window,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


@asynccontextmanager
async def watching(
    browser: Browser, server: ConsoleServer, kind: str, firmware: str
) -> AsyncIterator[tuple[Page, Any]]:
    """Open the live page of a device that is off-line, and then let the device connect."""
    account = await new_account(server)
    async with window(browser, server) as page:
        await sign_in(page, account)
        number = await make_device(page, "Thing", kind)
        key = await master_key(page, number)
        await page.get_by_role("link", name="Live").click()
        power = page.get_by_role("switch", name="Power")
        await expect(power).to_be_disabled()
        await expect(page.get_by_text("The device is off-line.")).to_be_visible()
        async with make(firmware, ("127.0.0.1", server.device_port), key) as device:
            await expect(power).to_be_enabled()
            yield page, device


async def test_a_plug_is_switched_and_its_frames_are_seen(
    console_server: ConsoleServer, browser: Browser
) -> None:
    """By the keyboard; a call with a parameter is answered; frames pause and are saved."""
    async with watching(browser, console_server, "plug", "plug") as (page, plug):
        power = page.get_by_role("switch", name="Power")
        await power.press("Space")
        await expect(page.locator(".frame-text").first).to_contain_text('{"x": 1}')
        assert plug.appliance.is_on
        frames = page.locator(".frames > li:visible")
        await page.get_by_role("button", name="Pause").click()
        count = await frames.count()

        action = page.get_by_label("Action")
        await action.fill("LED_ON")
        await page.get_by_role("button", name="Add a parameter").press("Enter")
        await page.keyboard.type("speed")
        await page.keyboard.press("Tab")
        await page.keyboard.type("5")
        await page.keyboard.press("Enter")
        answer = page.locator(".results > li").first
        await expect(answer.locator("pre")).to_contain_text('"status": 200')
        await expect(answer).to_contain_text("LED_ON speed=5")
        await expect(page.locator("[data-announce]")).to_contain_text(
            "answered with 200"
        )
        await page.get_by_role("button", name="Remove").press("Enter")
        await expect(page.get_by_role("button", name="Add a parameter")).to_be_focused()
        assert await page.evaluate("JSON.stringify(localStorage)") == json.dumps(
            {"local_cloud_actions": '["LED_ON"]'}, separators=(",", ":")
        )

        proceed = page.get_by_role("button", name="Go on")
        await expect(proceed).to_contain_text("2 new")
        assert await frames.count() == count
        await proceed.click()
        await expect(frames).to_have_count(count + 2)
        await page.get_by_label("Show").select_option(label="to device")
        await expect(page.locator(".frames .tag-from-device:visible")).to_have_count(0)
        async with page.expect_download() as download:
            await page.get_by_role("button", name="Download").click()
        lines = (await (await download.value).path()).read_text().splitlines()
        saved = [json.loads(line) for line in lines]
        assert saved[-1]["frame"]["get"] == {"action": "LED_ON", "speed": "5"}
        assert saved[-1]["frame"]["meta"]["Authorization"] == "***"
        assert not any(line["from_device"] for line in saved)

        await page.locator(".frames summary:visible").last.click()
        await is_accessible(page)
        await plug.power_off()
        await expect(power).to_be_disabled()


async def test_a_light_is_colored(
    console_server: ConsoleServer, browser: Browser
) -> None:
    """Color, brightness and white reach it; what another program does is followed."""
    async with watching(browser, console_server, "light", "light_new") as (page, light):
        await page.get_by_label("Color", exact=True).fill("#ff8000")
        brightness = page.get_by_label("Brightness")
        await brightness.fill("50")
        power = page.get_by_role("switch", name="Power")
        await expect(power).to_be_checked()
        await expect(page.locator(".frame-text").first).to_contain_text('"red": 128')
        assert light.appliance.values["z"]["green"] == 64
        await page.get_by_label("White light").check()
        await expect(page.locator(".frame-text").nth(1)).to_contain_text('"white": 128')
        assert light.appliance.values["z"]["white"] == 128

        keys = page.get_by_role("button", name="Put the keys in")
        await keys.click()
        hide = page.get_by_role("button", name="Hide the keys")
        await expect(hide).to_be_visible()
        line = await page.locator("[data-text]", has_text="-d").text_content()
        assert line is not None
        key = line.partition("token ")[2].partition("'")[0]
        assert len(key) == 40
        url = f"{console_server.url}/v1/datastreams/light/datapoint/?deliver_to_device=true"
        answer = await page.request.post(
            url,
            headers={"Authorization": f"token {key}"},
            data={"datapoint": {"x": 0, "y": 1000}},
        )
        assert answer.ok
        await expect(power).not_to_be_checked()
        await hide.click()
        assert key not in await page.content()
