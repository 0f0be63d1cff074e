"""The web site of `local-cloud` in a browser: the server, and a window of somebody who uses it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Locator,
    Page,
    ViewportSize,
    expect,
)

from tests.console.person import Person
from tests.console.server import CHECKOUT, PASSWORD, ConsoleServer

_AXE = CHECKOUT / "node_modules" / "axe-core" / "axe.min.js"
_NUMBERS = count(1)
DESKTOP = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=360, height=740)


class Complaints(list[str]):
    """What a browser complains of: a blocked script or style, an exception, a missing file."""

    def watch(self, page: Page) -> None:
        """Note what this page has to say."""
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.append(str(error)))
        page.on(
            "dialog", lambda dialog: self.append(f"a dialog came up: {dialog.message}")
        )

    def _note(self, message: ConsoleMessage) -> None:
        is_page = (
            message.page is not None and message.location["url"] == message.page.url
        )
        if message.type in {"error", "warning"} and not (
            # A page that tells of an error has its status.
            is_page and "Failed to load resource" in message.text
        ):
            self.append(message.text)


@asynccontextmanager
async def window(
    browser: Browser,
    server: ConsoleServer,
    *,
    language: str = "en-US",
    viewport: ViewportSize = DESKTOP,
    dark: bool = False,
    complains: bool = False,
) -> AsyncIterator[Page]:
    """Open a window on the site, and fail if the browser has complained of a page in it.

    Where it `complains` of another page, as it should, what it says is left out.
    """
    context = await browser.new_context(
        base_url=server.url,
        locale=language,
        viewport=viewport,
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(20_000)
    complaints = Complaints()
    context.on("page", complaints.watch)
    yield await context.new_page()
    await context.close()
    assert complains or list(complaints) == []


async def sign_up(page: Page, email: str = "") -> str:
    """Make an account in the browser, and return its e-mail."""
    email = email or f"visitor{next(_NUMBERS)}@example.com"
    await page.goto("/sign-up")
    await page.fill("[name=email]", email)
    await page.fill("[name=password]", PASSWORD)
    await page.fill("[name=again]", PASSWORD)
    await page.click("main form button")
    await page.wait_for_url("**/connect")
    return email


async def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Sign in, in the browser."""
    await page.goto("/sign-in")
    await page.fill("[name=email]", email)
    await page.fill("[name=password]", password)
    await page.click("main form button")
    await page.wait_for_url("**/devices")


async def make_device(page: Page, name: str, kind: str = "light") -> int:
    """Make a product and a device of it in the browser, and return the device's id."""
    await page.goto("/products")
    await page.fill("[name=name]", f"{name} product")
    await page.select_option("[name=kind]", kind)
    await page.click("form[action='/products'] button")
    await page.fill("form[action$='/devices'] [name=name]", name)
    await page.click("form[action$='/devices'] button")
    await page.wait_for_url("**/devices/*")
    return int(page.url.split("?")[0].rpartition("/")[2])


async def master_key(page: Page, device: int) -> str:
    """Have a device's page show its master key, and return it."""
    await page.goto(f"/devices/{device}")
    return await revealed(page.locator("[data-secret=master_key]"))


async def revealed(secret: Locator) -> str:
    """Have a page show one of its secrets, and return it."""
    await secret.locator("[data-reveal]").click()
    text = secret.locator("[data-text]")
    await expect(text).not_to_be_empty()
    return await text.inner_text()


async def new_account(server: ConsoleServer) -> str:
    """Make an account from another address, for the server counts them, and return its e-mail."""
    async with Person(server, email=f"somebody{next(_NUMBERS)}@example.com") as person:
        await person.sign_up()
        return person.email


async def is_accessible(page: Page) -> None:
    """Fail where axe finds anything against WCAG 2.2 AA or its own good practices."""
    # The policy of the site allows no script that is not its own; the tool is put in from outside.
    await page.evaluate(_AXE.read_text())
    found = await page.evaluate("axe.run().then(result => result.violations)")
    assert not [
        (each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found
    ], page.url
