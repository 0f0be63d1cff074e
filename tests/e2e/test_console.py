"""The web site of `local-cloud` in a browser: the tutorial's way, sharing, and what holds for all pages."""

from playwright.async_api import Browser, Page, ViewportSize, expect
import pytest

from tests.console.server import ConsoleServer
from tests.firmware.kinds import make

from .console import (
    DESKTOP,
    PHONE,
    is_accessible,
    make_device,
    master_key,
    new_account,
    revealed,
    sign_in,
    sign_up,
    window,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVIL = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


@pytest.mark.parametrize(
    ("language", "viewport", "online"),
    [("en-US", DESKTOP, "on-line"), ("zh-CN", PHONE, "在线")],
)
async def test_the_tutorials_way(
    console_server: ConsoleServer,
    browser: Browser,
    language: str,
    viewport: ViewportSize,
    online: str,
) -> None:
    """From the sign-up over the device that comes on-line to the command that arrives there."""
    async with window(
        browser, console_server, language=language, viewport=viewport
    ) as page:
        await sign_up(page)
        device = await make_device(page, "Desk lamp")
        key = await master_key(page, device)
        await expect(page.locator("svg.qr")).to_be_visible()
        dot = page.locator(f"[data-dot='{device}']")
        await expect(dot).not_to_have_class("dot dot-on")
        address = ("127.0.0.1", console_server.device_port)
        async with make("self_made", address, key) as lamp:
            await expect(dot).to_have_text(online)
            await page.goto(f"/devices/{device}/live")
            await page.fill("[name=action]", "LED_ON")
            await page.press("[name=action]", "Enter")
            answer = page.locator(".results > li").first
            await expect(answer).to_contain_text('"status": 200')
            await expect(answer).to_contain_text(
                "ms" if online == "on-line" else "毫秒"
            )
            assert [rpc["action"] for rpc in lamp.rpcs] == ["LED_ON"]
            await page.goto(f"/devices/{device}")
            await page.reload()
            await expect(page.locator("main")).to_contain_text("V1.0")
        await expect(dot).not_to_have_text(online)


async def test_a_device_is_shared_and_taken_back(
    console_server: ConsoleServer, browser: Browser
) -> None:
    """The owner's token admits the other account, until the owner revokes its key."""
    owner, guest = [await new_account(console_server) for _ in range(2)]
    async with (
        window(browser, console_server) as first,
        window(browser, console_server) as second,
    ):
        await sign_in(first, owner)
        device = await make_device(first, "Shared lamp")
        share = first.locator("[data-secrets$='/share']")
        token = await revealed(share)
        await sign_in(second, guest)
        await second.click("summary")
        await second.fill("[name=token]", token)
        await second.click("form[action='/devices/join'] button")
        await expect(second.locator("h1")).to_have_text("Shared lamp")
        await first.reload()
        await expect(share).to_contain_text(guest)
        await share.locator("form button").click()
        await expect(share).not_to_contain_text(guest)
        await second.goto(f"/devices/{device}")
        await expect(second.locator("h1")).to_have_text("That did not work")


async def test_what_people_and_devices_say_is_never_run(
    console_server: ConsoleServer, browser: Browser
) -> None:
    """Every name that can be set, by a person or over the device port, is shown as it is."""
    async with window(browser, console_server) as page:
        await sign_in(page, await new_account(console_server))
        device = await make_device(page, EVIL[:60])
        key = await master_key(page, device)
        address = ("127.0.0.1", console_server.device_port)
        async with make("self_made", address, key, rom_version=EVIL, mac=EVIL):
            for path in ("/devices", f"/devices/{device}", "/products"):
                await page.goto(path)
                await expect(page.locator("main")).to_contain_text("onerror=alert")
                assert await page.locator("main img[src=x]").count() == 0


async def pages_of(page: Page, device: int) -> list[str]:
    """Return every page that the menu, the device's tabs and their ilk lead to."""
    await page.goto(f"/devices/{device}")
    links = await page.eval_on_selector_all(
        ".menu a, .tabs a, .who a", "links => links.map(link => link.pathname)"
    )
    return [*dict.fromkeys(links), f"/devices/{device}/ask/delete", "/nothing"]


@pytest.mark.parametrize(
    ("language", "dark"), [("en-US", False), ("zh-CN", True)], ids=["light", "dark"]
)
async def test_everybody_can_use_every_page(
    console_server: ConsoleServer, browser: Browser, language: str, dark: bool
) -> None:
    """Axe finds nothing, and no page is wider than its window from 360 to 2560 pixels."""
    async with window(browser, console_server, language=language, dark=dark) as page:
        await page.goto("/sign-in")
        await is_accessible(page)
        await page.goto("/sign-up")
        await is_accessible(page)
        await sign_in(page, "operator@example.com")
        device = await make_device(page, "A lamp with a name of some length")
        for path in await pages_of(page, device):
            await page.goto(path)
            await is_accessible(page)
            for width in (360, 800, 2560):
                await page.set_viewport_size(ViewportSize(width=width, height=900))
                overflow = await page.evaluate(
                    "document.documentElement.scrollWidth - window.innerWidth"
                )
                assert overflow <= 0, f"{path} is wider than {width}"
