"""The dialogs in the windows of a laptop and of a phone: errors are where one looks."""

from dataclasses import dataclass

from playwright.async_api import Browser, Locator, ViewportSize, expect
import pytest

from .instance import EMAIL, PASSWORD, Instance
from .visitor import (
    FLOW,
    Texts,
    choose,
    choose_account,
    field,
    fill_server,
    flow_dialog,
    log_in,
    open_section,
    submit,
)

YES = {"en": "OK", "zh-Hans": "确定"}
LOCALES = {"en": "en-US", "zh-Hans": "zh-CN"}

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass
class Form:
    """A form in a window, and what it says."""

    dialog: Locator
    texts: Texts

    async def expect_error(self, path: str) -> None:
        """Wait for an error, which has to be in view without scrolling."""
        alert = self.dialog.locator("ha-alert", has_text=self.texts.get(path))
        await expect(alert).to_be_visible()
        await expect(alert).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(
    ("size", "language"),
    [
        pytest.param((390, 844), "en", id="phone"),
        pytest.param((1280, 800), "zh-Hans", id="laptop"),
    ],
)
async def test_errors_are_in_view(
    browser: Browser, instance: Instance, size: tuple[int, int], language: str
) -> None:
    """From the account to the device, each error that a person meets on the way."""
    width, height = size
    context = await browser.new_context(
        locale=LOCALES[language], viewport=ViewportSize(width=width, height=height)
    )
    page = await context.new_page()
    texts = Texts(language)
    await log_in(page, instance.url)
    await page.goto(f"{instance.url}/{FLOW}")
    await page.get_by_role("button", name=YES[language]).click()
    form = Form(flow_dialog(page), texts)
    dialog, error = form.dialog, "config.error"
    url, port = instance.cloud.url, instance.cloud.device_port

    await choose_account(dialog, texts)
    await field(dialog, "email").fill(EMAIL)
    await field(dialog, "password").fill("not the password")
    await open_section(dialog, texts)
    await fill_server(dialog, url.replace("://", "://me@"), port)
    await submit(dialog)
    await form.expect_error(f"{error}.url_with_user")

    for wrong_url, wrong_port, key in (
        (url.replace("http:", "https:"), port, "no_tls"),
        (url, 70000, "invalid_port"),
        ("http://cloud.example.org", port, "clear_text"),
        (url, port, "invalid_auth"),
    ):
        await field(dialog, "password").fill("not the password")
        await fill_server(dialog, wrong_url, wrong_port)
        await submit(dialog)
        await form.expect_error(f"{error}.{key}")
    await field(dialog, "password").fill(PASSWORD)
    await fill_server(dialog, url, 1)
    await submit(dialog)
    await form.expect_error(f"{error}.cannot_connect_device_port")
    await expect(field(dialog, "password")).to_have_count(0)
    await fill_server(dialog, url, port)
    await submit(dialog)

    await choose(dialog, texts, "config", "device_key")
    await field(dialog, "device_key").fill("f" * 40)
    await submit(dialog)
    await form.expect_error(f"{error}.unknown_device_key")
    await context.close()
