"""Who reads a README, and in which language."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from playwright.async_api import Browser, Page, ViewportSize

from .pictures import SCALE

WINDOW = ViewportSize(width=1280, height=900)


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever reads a README.

    Attributes:
        language: as Home Assistant calls it.
        locale: as the browser and the README's name do.
        suffix: of the pictures' names.
        lamp: what the lamp is called in that language.
        yes: what Home Assistant's own button says.
        configure: what it calls the options of an account.
    """

    language: str
    locale: str
    suffix: str
    lamp: str
    yes: str
    configure: str


READERS = (
    Reader("en", "en-US", "", "Desk lamp", "OK", "Configure"),
    Reader("zh-Hans", "zh-CN", ".zh-CN", "台灯", "确定", "配置"),
)


@asynccontextmanager
async def window(
    browser: Browser, reader: Reader, *, base_url: str | None = None
) -> AsyncGenerator[Page]:
    """Open a window with sharp letters; paths alone are those of `base_url`."""
    context = await browser.new_context(
        base_url=base_url,
        locale=reader.locale,
        viewport=WINDOW,
        device_scale_factor=SCALE,
    )
    yield await context.new_page()
    await context.close()
