"""The way of an owner for whom Home Assistant is the cloud: from the menu to devices in use."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
import sys

from playwright.async_api import Browser, Locator, Page, expect

from demo.devices import Devices
from demo.home_assistant import running_home_assistant, write_configuration
from demo.local_devices import (
    KINDS,
    LAMP,
    OWN_LAMP,
    PLUG,
    THERMOMETER,
    invent_keys,
    running_local_devices,
)
from demo.local_dialogs import wait_discovered
from demo.ports import LOOPBACK, find_free
from demo.session import sign_in

from .pictures import ALONE, Camera
from .readers import Reader, window
from .visitor import FLOW, Texts, choose, field, flow_dialog, log_in, submit, surface

PAGES = "config/integrations"
DISCOVER_TIMEOUT = RETURN_TIMEOUT = 60
NAMES = {
    "en": {
        PLUG: "Coffee machine",
        LAMP: "Colour lamp",
        THERMOMETER: "Cellar",
        OWN_LAMP: "My lamp",
    },
    "zh-Hans": {
        PLUG: "咖啡机",
        LAMP: "彩灯",
        THERMOMETER: "地下室",
        OWN_LAMP: "自制灯",
    },
}
ADD = {"en": "Add", "zh-Hans": "添加"}
"""What Home Assistant's own button says on the card of what it has discovered."""


@dataclass(frozen=True, slots=True)
class LocalTour:
    """An owner with a page, simulated devices, and a camera where pictures are wanted.

    Attributes:
        url: of Home Assistant.
        log: its log.
        port: where the devices knock.
        keys: in the devices' flash.
        devices: their process.
        page: an open window.
        texts: of the owner's language.
        reader: who it is.
        camera: takes the pictures.
    """

    url: str
    log: Path
    port: int
    keys: Mapping[str, str]
    devices: Devices
    page: Page
    texts: Texts
    reader: Reader
    camera: Camera

    @property
    def names(self) -> dict[str, str]:
        """What the owner calls the devices."""
        return NAMES[self.reader.language]

    async def add_cloud(self) -> None:
        """Choose from the menu, give the port, and read what the router has to say."""
        page, texts = self.page, self.texts
        await log_in(page, self.url)
        await page.goto(f"{self.url}/{FLOW}")
        await page.get_by_role("button", name=self.reader.yes).click()
        dialog = flow_dialog(page)
        await expect(
            dialog.get_by_text(texts.get("config.step.user.description"), exact=True)
        ).to_be_visible()
        await self.camera.take("menu", page, surface(dialog), style=ALONE)
        await choose(dialog, texts, "config", "local", step="user")
        for key in ("title", "description", "data_description.port"):
            text = texts.get(f"config.step.local.{key}")
            await expect(dialog.get_by_text(text, exact=True)).to_be_visible()
        await dialog.locator("input[type=number]").first.fill("70000")
        await submit(dialog)
        error = dialog.locator(
            "ha-alert", has_text=texts.get("config.error.invalid_port")
        )
        await expect(error).to_be_in_viewport(ratio=1)
        await dialog.locator("input[type=number]").first.fill(str(self.port))
        await submit(dialog)
        title = texts.get("config.step.router.title")
        await expect(dialog.get_by_text(title, exact=True)).to_be_visible()
        await expect(dialog.get_by_text(LOOPBACK)).to_be_visible()
        await expect(dialog.locator("a[href$='local-mode.md']")).to_be_visible()
        await self.camera.take("router", page, surface(dialog), style=ALONE)
        await submit(dialog)
        # Home Assistant's own page that tells of success.
        await submit(dialog)
        await expect(dialog).to_be_hidden()

    async def see_discovered(self) -> None:
        """See a card for each device that knocks."""
        async with sign_in(self.url) as session:
            await wait_discovered(session, self.keys, self.keys, DISCOVER_TIMEOUT)
        await self.page.goto(f"{self.url}/{PAGES}")
        await expect(self._cards()).to_have_count(len(self.keys))
        cards = [self._card(name) for name in (PLUG, LAMP, THERMOMETER)]
        await self.camera.take("discovered", self.page, *cards)

    async def confirm(self, name: str) -> None:
        """Add a device from its card."""
        page, texts = self.page, self.texts
        await page.goto(f"{self.url}/{PAGES}")
        await (
            self._card(name)
            .get_by_role("button", name=ADD[self.reader.language], exact=True)
            .click()
        )
        dialog = flow_dialog(page)
        title = texts.get("config.step.adopt.title")
        await expect(dialog.get_by_text(title, exact=True)).to_be_visible()
        kind = texts.get(f"selector.kind.options.{KINDS[name]}")
        await expect(dialog.get_by_text(kind).last).to_be_visible()
        await field(dialog, "name").fill(self.names[name])
        if name == PLUG:
            await self.camera.take("confirm", page, surface(dialog), style=ALONE)
        await submit(dialog)
        step = {LAMP: "light", OWN_LAMP: "self_made"}.get(name)
        if step is not None:
            title = texts.get(f"config.step.{step}.title", device=self.names[name])
            await expect(dialog.get_by_text(title, exact=True)).to_be_visible()
            await submit(dialog)
        text = texts.get("config.abort.device_taken_in", device=self.names[name])
        await expect(dialog.get_by_text(text, exact=True)).to_be_visible()
        await dialog.locator("ha-button").last.click()
        await expect(dialog).to_be_hidden()

    async def see_device(self, name: str) -> None:
        """Open the page of a device."""
        async with sign_in(self.url) as session:
            registry = await session.call("config/device_registry/list")
        (device_id,) = [
            each["id"] for each in registry if each["name"] == self.names[name]
        ]
        await self.page.goto(f"{self.url}/config/devices/device/{device_id}")
        heading = self.page.get_by_text(self.names[name], exact=True).first
        await expect(heading).to_be_visible()

    async def switch(self, name: str) -> None:
        """Turn it on with the switch on its page, or the button where its state is unknown."""
        toggle = self.page.locator("ha-entity-toggle").first
        button = toggle.get_by_role("switch")
        if name == OWN_LAMP:
            await toggle.locator("ha-icon-button").last.click()
        else:
            await expect(button).to_be_enabled(timeout=RETURN_TIMEOUT * 1000)
            await toggle.click()
        await expect(button).to_be_checked()

    async def press(self, name: str) -> None:
        """Press the button of a device, and see on its page that it is off."""
        await self.devices.press(name)
        button = self.page.locator("ha-entity-toggle").get_by_role("switch").first
        await expect(button).not_to_be_checked()

    async def photograph_page(self) -> None:
        """Take a picture of the page of a device."""
        parts = self.page.locator("ha-config-device-page").locator(".header, .column")
        await self.camera.take("local-device", self.page, *await parts.all())

    def _cards(self) -> Locator:
        return self.page.locator("ha-config-flow-card")

    def _card(self, name: str) -> Locator:
        number = list(self.keys).index(name) + 1
        return self._cards().filter(has_text=f"18:fe:34:00:00:{number:02x}")


@asynccontextmanager
async def running_local_tour(
    browser: Browser, folder: Path, reader: Reader, camera: Camera
) -> AsyncIterator[LocalTour]:
    """Run all that a tour needs, in a folder of its own."""
    await asyncio.to_thread(folder.mkdir)
    home, log, port = folder / "home", folder / "home-assistant.log", find_free()
    url, device_port, keys = f"http://{LOOPBACK}:{port}", find_free(), invent_keys()
    write_configuration(home, port, log_level="debug")
    async with (
        running_local_devices(keys, device_port, folder) as devices,
        running_home_assistant(Path(sys.executable), home, log, port),
        window(browser, reader) as page,
    ):
        async with sign_in(url, reader.language) as session:
            await session.wait_until_running()
            # Without a country there is something to repair that is not ours.
            await session.call(
                "config/core/update",
                country="CN",
                currency="CNY",
                language=reader.language,
            )
        yield LocalTour(
            url,
            log,
            device_port,
            keys,
            devices,
            page,
            Texts(reader.language),
            reader,
            camera,
        )
