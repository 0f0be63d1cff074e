"""What a person does with Home Assistant's web page, whatever the integration."""

from functools import reduce
import json

from playwright.async_api import Locator, Page, expect

from demo.paths import INTEGRATION
from demo.session import PASSWORD, USERNAME

FLOW = "_my_redirect/config_flow_start?domain=espcloud"
"""Where the button of the README that adds the integration leads."""


class Texts:
    """The integration's own texts in one language; the tests do not repeat them."""

    def __init__(self, language: str) -> None:
        """Read the texts of a language."""
        path = INTEGRATION / "translations" / f"{language}.json"
        self._texts = json.loads(path.read_text())

    def get(self, path: str, **placeholders: str) -> str:
        """Return the text at a dotted path, filled in, as Markdown shows it."""
        text: str = reduce(lambda texts, key: texts[key], path.split("."), self._texts)
        return text.format(**placeholders).replace("`", "")


async def log_in(page: Page, url: str) -> None:
    """Open Home Assistant and log in, in whatever language it greets."""
    await page.goto(url)
    await page.locator("input[name=username]").fill(USERNAME)
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.locator("home-assistant-main").wait_for()


async def open_integrations(page: Page) -> None:
    """Go to Settings › Devices & services."""
    await page.get_by_role("link", name="Settings").click()
    await page.get_by_text("Devices & services").click()


async def open_integration(page: Page, name: str) -> None:
    """Go to the page of an integration that is set up."""
    await open_integrations(page)
    await page.locator("ha-integration-card", has_text=name).click()
    await expect(page.get_by_role("heading", name=name)).to_be_visible()


async def open_repair(page: Page, title: str, *, patience: float = 30_000) -> None:
    """Go to Settings and open what is to be repaired there, once it is.

    Args:
        page: a page of Home Assistant.
        title: of the repair issue.
        patience: how long to wait for it, in milliseconds.
    """
    await page.get_by_role("link", name="Settings").click()
    await page.get_by_text(title, exact=True).click(timeout=patience)


async def open_area(page: Page, name: str) -> None:
    """Go to an area on the dashboard that Home Assistant starts with."""
    await page.get_by_role("link", name="Overview").click()
    await page.locator("hui-area-card", has_text=name).click()


def flow_dialog(page: Page) -> Locator:
    """Return the dialog of a config or subentry flow."""
    return page.locator("dialog-data-entry-flow")


def field(dialog: Locator, name: str) -> Locator:
    """Return a text field of a flow's form by its name in the schema."""
    return dialog.locator(f"input[name={name}]")


def surface(dialog: Locator) -> Locator:
    """Return what a person sees of a dialog; its element is the whole page."""
    return dialog.locator("dialog[open]")


async def submit(dialog: Locator) -> None:
    """Press a flow's main button, whatever its language, and wait until it can be pressed again.

    It stays while the form is on its way: whoever goes on at once would send the form twice.
    """
    button = dialog.locator("ha-dialog-footer ha-button[slot=primaryAction]")
    await button.click()
    await expect(dialog.locator("ha-button[loading]")).to_have_count(0)


async def choose_account(dialog: Locator, texts: Texts) -> None:
    """Choose an account from the first menu."""
    await choose(dialog, texts, "config", "account", step="user")


async def choose(
    dialog: Locator, texts: Texts, flow: str, option: str, *, step: str = "device"
) -> None:
    """Choose from a menu of a flow, once it is there with all its texts."""
    step = f"{flow}.step.{step}"
    for key in ("title", "description", f"menu_option_descriptions.{option}"):
        text = texts.get(f"{step}.{key}")
        await expect(dialog.get_by_text(text, exact=True)).to_be_visible()
    await dialog.get_by_text(texts.get(f"{step}.menu_options.{option}")).click()


async def open_section(dialog: Locator, texts: Texts) -> None:
    """Open the section Server of an account's form."""
    server = texts.get("config.step.account.sections.server.name")
    await dialog.get_by_role("button", name=server, exact=True).click()


async def fill_server(dialog: Locator, url: str, port: int) -> None:
    """Say where the server is."""
    await field(dialog, "url").fill(url)
    await dialog.locator("input[type=number]").fill(str(port))
