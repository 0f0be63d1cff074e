"""What an owner arranges on the site of `local-cloud`: a timer, and new firmware for a device."""

from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, ViewportSize, expect
import pytest

from tests.console.person import Person
from tests.console.server import ConsoleServer
from tests.console.test_firmware import make_product, uploaded
from tests.console.test_groups import make_group
from tests.console.test_timers import WEEKLY, made as made_timer
from tests.console.test_triggers import DAMP, made as made_trigger
from tests.firmware import image
from tests.firmware.kinds import make

from .console import (
    DESKTOP,
    PHONE,
    is_accessible,
    make_device,
    master_key,
    new_account,
    sign_in,
    window,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

NEW = "v1.0.6t23701(a)"
STEPS = ["asked", "fetching", "reported", "restarting", "back"]
SIZES = {"user1.bin": 700_000, "user2.bin": 800_000}

# Notes what the page shows while it changes: that may be gone sooner than anybody looks.
WATCH = """addEventListener("DOMContentLoaded", () => {
  new MutationObserver(() => {
    const seen = JSON.parse(sessionStorage.seen ?? "[]");
    for (const bar of document.querySelectorAll("[data-progress] progress")) seen.push(bar.value);
    for (const step of document.querySelectorAll("[data-state='now']")) seen.push(step.dataset.step);
    sessionStorage.seen = JSON.stringify(seen);
  }).observe(document.body, { attributes: true, subtree: true });
})"""


async def seen(page: Page) -> list[Any]:
    """Return what was noted in a window."""
    noted: list[Any] = await page.evaluate("JSON.parse(sessionStorage.seen)")
    return noted


def write_files(folder: Path) -> list[Path]:
    """Write both files of a version, as large as real ones."""
    paths = []
    for slot, (name, size) in enumerate(SIZES.items(), 1):
        path = folder / name
        path.write_bytes(image.build(slot, size))
        paths.append(path)
    return paths


async def upload(page: Page, files: list[Path]) -> None:
    """Fill the form in and send it."""
    await page.fill("[name=version]", NEW)
    for path in files:
        await page.set_input_files(f"[name='{path.name}']", path)
    await page.click("[data-upload] button")


async def test_firmware_is_uploaded_and_runs(
    console_server: ConsoleServer, browser: Browser, tmp_path: Path
) -> None:
    """A wrong file is refused in place, the bar moves, and each step of the upgrade appears.

    It does so in another window, too, in which nobody has done anything.
    """
    files = write_files(tmp_path)
    damaged = tmp_path / "damaged" / "user2.bin"
    damaged.parent.mkdir()
    damaged.write_bytes(files[1].read_bytes()[:-1])
    email = await new_account(console_server)
    async with (
        window(browser, console_server) as page,
        window(browser, console_server) as other,
    ):
        for each in (page, other):
            await each.add_init_script(WATCH)
            await sign_in(each, email)
        device = await make_device(page, "Fan", "plug")
        key = await master_key(page, device)
        address = ("127.0.0.1", console_server.device_port)
        port = int(console_server.url.rpartition(":")[2])
        async with make("plug", address, key, http_port=port):
            await expect(page.locator("h1 + .dot")).to_have_text("on-line")
            for each in (page, other):
                await each.goto(f"/devices/{device}/firmware")
            await upload(page, [files[0], damaged])
            failed = page.locator("[data-failed]")
            await expect(failed).to_contain_text("user2.bin is damaged")
            await page.evaluate("sessionStorage.seen = '[]'")
            await upload(page, files)
            await page.wait_for_url("**/firmware?done=firmware_added")
            assert max(await seen(page)) == 100
            await page.click("button:has-text('Upgrade to it')")
            for each in (page, other):
                steps = each.locator("[data-state=done]")
                await expect(steps).to_have_count(len(STEPS))
                await expect(each.locator("[data-percent]")).to_have_text("100 %")
                await expect(each.locator("[data-running]")).to_have_text(NEW)
                await expect(each.locator("[data-error]")).to_be_hidden()
            steps_seen = dict.fromkeys(await seen(other))
            assert [each for each in steps_seen if each in STEPS] == STEPS[:-1]


@pytest.mark.parametrize(
    ("language", "viewport", "sentence"),
    [
        ("en-US", DESKTOP, "every Monday and Wednesday at 11:38: switch off"),
        ("zh-CN", PHONE, "每周一、周三 11:38：关闭"),
    ],
)
async def test_a_timer_is_made_and_seen(
    console_server: ConsoleServer,
    browser: Browser,
    language: str,
    viewport: ViewportSize,
    sentence: str,
) -> None:
    """What does not belong to the choice is hidden; the times are in the zone of the browser."""
    async with window(
        browser, console_server, language=language, viewport=viewport
    ) as page:
        await sign_in(page, await new_account(console_server))
        device = await make_device(page, "Fan", "plug")
        await page.goto(f"/devices/{device}/timers")
        zone = await page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
        await expect(page.locator("[data-zone-name]")).to_have_text(zone)
        await page.check("[value=LOOP_PERIOD]")
        await expect(page.locator("[name=clock]")).to_be_hidden()
        await expect(page.locator("[name=count]")).to_be_visible()
        await page.check("[value=LOOP_IN_WEEK]")
        await expect(page.locator("[name=action]")).to_be_hidden()
        for day in (1, 3):
            await page.check(f"[name=day-{day}]")
        await page.fill("[name=clock]", "11:38")
        await page.check("[name=verb][value=off]")
        await page.click("form.timer button")
        await expect(page.locator(".sentence")).to_have_text(sentence)
        # In the zone of the browser, which need not be named.
        await expect(page.locator("[data-zone-of]")).to_be_hidden()
        await page.click(".rows a")
        await expect(page.locator("[name=clock]")).to_have_value("11:38")
        await page.fill("[name=clock]", "12:00")
        await page.click("form.timer button")
        await expect(page.locator(".sentence")).to_contain_text("12:00")


@pytest.mark.parametrize("dark", [False, True])
async def test_the_pages_are_for_everybody(
    console_server: ConsoleServer, browser: Browser, dark: bool
) -> None:
    """Each is accessible in both looks, and no wider than a phone."""
    email = f"arranges{dark:d}@example.com"
    async with Person(console_server, email=email) as person:
        await person.sign_up()
        device = await person.make_device("Fan", "plug")
        product = await make_product(person)
        await uploaded(person, product, NEW)
        await uploaded(person, f"/devices/{device}", NEW)
        await made_timer(person, device, WEEKLY)
        await made_trigger(person, device, DAMP)
        group = await make_group(person, "Kitchen")
        await person.post(f"{group}/devices", {f"device-{device}": "yes"})
        # It is away, so the page shows an upgrade that has failed.
        await person.post(f"/devices/{device}/upgrade", {"version": NEW})
    async with window(browser, console_server, viewport=PHONE, dark=dark) as page:
        await sign_in(page, email)
        for path in (
            *("/groups", group, f"{group}/ask-delete", f"{product}/firmware"),
            *(f"/devices/{device}/{tab}" for tab in ("timers", "triggers", "firmware")),
        ):
            await page.goto(path)
            await is_accessible(page)
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width == PHONE["width"], path
