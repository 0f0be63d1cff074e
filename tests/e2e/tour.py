"""A walk past the devices of an account, in one language: each stop waits for what it has to show."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, expect

from demo.devices import Devices, running_firmware
from demo.entity import Entity, wait_for_entities
from demo.errors import deadline
from demo.session import sign_in
from tests.firmware.kinds import PTYPES
from tests.firmware.plug import Plug

from .instance import EMAIL, PASSWORD, Instance, running_house
from .pictures import ALONE, Camera
from .readers import Reader, window
from .tour_devices import NAMES, NEW_FIRMWARE, READINGS, SOCKETS, Names, a_day
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
    surface,
)

ORANGE = (255, 128, 0)
APPEAR_TIMEOUT = 100
# In milliseconds. Whether there are files is asked when there is time for it, once or twice
# in a minute; how far the plug is, every five seconds.
OFFER_TIMEOUT = UPGRADE_TIMEOUT = 90_000
IMPORT_TIMEOUT = 90


@dataclass(frozen=True, slots=True)
class Tour:
    """A visitor with a page, and a camera where pictures are wanted.

    Attributes:
        instance: Home Assistant and the cloud.
        devices: the devices' process.
        page: an open window.
        texts: of the visitor's language.
        names: of the devices.
        yes: what Home Assistant's own button says.
        configure: what it calls the options of an account.
        camera: takes the pictures.
    """

    instance: Instance
    devices: Devices
    page: Page
    texts: Texts
    names: Names
    yes: str
    configure: str
    camera: Camera

    async def add_account(self) -> None:
        """Add the account alone; no key is asked for."""
        page, texts = self.page, self.texts
        await log_in(page, self.instance.url)
        await page.goto(f"{self.instance.url}/{FLOW}")
        await page.get_by_role("button", name=self.yes).click()
        dialog = flow_dialog(page)
        await choose_account(dialog, texts)
        await field(dialog, "email").fill(EMAIL)
        await field(dialog, "password").fill(PASSWORD)
        await open_section(dialog, texts)
        cloud = self.instance.cloud
        await fill_server(dialog, cloud.url, cloud.device_port)
        await submit(dialog)
        await choose(dialog, texts, "config", "account_devices")
        await submit(dialog)
        await expect(dialog).to_be_hidden()

    async def use_devices(self) -> tuple[dict[str, str], str]:
        """Wait for the devices, and use each; return the ids of their pages and the temperature's."""
        async with sign_in(self.instance.url) as session:
            found = await wait_for_entities(
                session, self.names.entities, APPEAR_TIMEOUT
            )
            by_name: dict[str, list[Entity]] = {}
            for each in sorted(found, key=lambda each: each.entity_id):
                await each.wait_until_there(APPEAR_TIMEOUT)
                by_name.setdefault(each.device_name, []).append(each)
            await by_name[self.names.lamp][0].call(
                "turn_on", rgb_color=ORANGE, brightness=204
            )
            await by_name[self.names.strip][1].call("turn_on")
            thermometer = by_name[self.names.thermometer]
            for temperature, humidity in READINGS:
                await self.devices.measure(
                    self.names.thermometer, temperature, humidity
                )
                await session.call(
                    "call_service",
                    domain="homeassistant",
                    service="update_entity",
                    service_data={
                        "entity_id": [each.entity_id for each in thermometer]
                    },
                )
            registry = await session.call("config/device_registry/list")
        pages = {device["name"]: device["id"] for device in registry}
        return pages, thermometer[-1].entity_id

    async def see_lamp(self, device_id: str) -> None:
        """Open the dialog of the lamp from its page."""
        await self._open_device(device_id)
        await self._card_row(self.names.lamp).click()
        dialog = self.page.locator("ha-more-info-dialog")
        await expect(
            dialog.locator(
                "ha-more-info-light-brightness, ha-state-control-light-brightness"
            )
        ).to_be_visible()
        await self.camera.take("colour-lamp", self.page, surface(dialog), style=ALONE)
        await self.page.keyboard.press("Escape")

    async def see_strip(self, device_id: str) -> None:
        """See its sockets on its page."""
        await self._open_device(device_id)
        for number in range(1, SOCKETS + 1):
            name = self.texts.get("entity.switch.socket.name", number=str(number))
            await expect(self._card_row(name)).to_be_visible()
        parts = self.page.locator("ha-config-device-page").locator(".header, .column")
        await self.camera.take("strip", self.page, *await parts.all())

    async def upgrade_plug(self, device_id: str) -> None:
        """Install firmware from its dialog, and see that it comes to an end."""
        await self._open_device(device_id)
        await self.page.locator("hui-update-entity-row").click()
        dialog = self.page.locator("ha-more-info-dialog")
        versions = dialog.locator("more-info-update .value")
        await expect(versions).to_have_text(
            [Plug.rom_version, NEW_FIRMWARE], timeout=OFFER_TIMEOUT
        )
        # Home Assistant's own buttons: the other one skips the version.
        await dialog.locator("more-info-update .actions ha-button").last.click()
        bar = dialog.locator("more-info-update ha-progress-bar")
        await expect(bar).to_be_visible()
        await self.camera.take("update", self.page, surface(dialog), style=ALONE)
        await expect(versions).to_have_text(
            [NEW_FIRMWARE, NEW_FIRMWARE], timeout=UPGRADE_TIMEOUT
        )
        await expect(bar).to_have_count(0)
        plug = await self.devices.state(self.names.plug)
        assert plug["rom_version"] == NEW_FIRMWARE, plug
        assert plug["boots"] == 2, plug
        await self.page.keyboard.press("Escape")
        card = self.page.locator("ha-device-info-card")
        await expect(card).to_contain_text(NEW_FIRMWARE)

    async def wait_for_past(self, entity_id: str) -> None:
        """Wait for what the sensor measured before Home Assistant knew it.

        The cloud is asked for that when there is time, and no event says that it has come.
        """
        since = datetime.now(UTC) - timedelta(days=1)
        async with (
            sign_in(self.instance.url) as session,
            deadline(IMPORT_TIMEOUT, f"the past of {entity_id}"),
        ):
            while not await session.call(  # noqa: ASYNC110 - as said
                "recorder/statistics_during_period",
                start_time=since.isoformat(),
                statistic_ids=[entity_id],
                period="hour",
            ):
                await asyncio.sleep(1)

    async def see_history(self, entity_id: str) -> None:
        """See the graph of a day. The sensor's dialog has one after five minutes only."""
        since = datetime.now(UTC) - timedelta(days=1)
        # Else the line grows from the left.
        await self.page.emulate_media(reduced_motion="reduce")
        await self.page.goto(
            f"{self.instance.url}/history?entity_id={entity_id}"
            f"&start_date={since:%Y-%m-%dT%H:%M:%SZ}"
        )
        graph = self.page.locator("state-history-chart-line")
        await expect(graph.locator("canvas").first).to_be_visible()
        await self.camera.take("sensor", self.page, graph)

    async def see_options(self) -> None:
        """Open the options of the account."""
        await self._open_account()
        # Home Assistant's own word; before it is the button that folds the entry.
        row = self.page.locator("ha-config-entry-row")
        await row.get_by_role("button", name=self.configure, exact=True).click()
        dialog = flow_dialog(self.page)
        step = "options.step.init"
        for key in ("title", "data_description.show_devices"):
            text = self.texts.get(f"{step}.{key}")
            await expect(dialog.get_by_text(text, exact=True)).to_be_visible()
        # By its role: as text it is alone only until its description has been drawn below it.
        label = self.texts.get(f"{step}.data.show_devices")
        await expect(dialog.get_by_role("checkbox", name=label)).to_be_checked()
        await self.camera.take("options", self.page, surface(dialog), style=ALONE)
        await submit(dialog)
        await submit(dialog)
        await expect(dialog).to_be_hidden()

    async def change_lamp(self) -> None:
        """Say that the lamp has white LEDs."""
        await self._open_account()
        flow = "config_subentries.hardware"
        await self.page.get_by_role(
            "button", name=self.texts.get(f"{flow}.initiate_flow.user")
        ).click()
        dialog = flow_dialog(self.page)
        await self._expect_step(dialog, f"{flow}.step.user")
        await dialog.locator("ha-select, ha-generic-picker").first.click()
        await self.page.get_by_text(self.names.lamp, exact=True).last.click()
        await submit(dialog)
        await self._expect_step(dialog, f"{flow}.step.kind")
        await self.camera.take("kind", self.page, surface(dialog), style=ALONE)
        await submit(dialog)
        await self._expect_step(dialog, f"{flow}.step.light")
        await self.camera.take("white", self.page, surface(dialog), style=ALONE)
        await submit(dialog)
        await submit(dialog)
        await expect(dialog).to_be_hidden()
        row = self.page.locator("ha-config-sub-entry-row", has_text=self.names.lamp)
        await expect(row).to_be_visible()

    async def _expect_step(self, dialog: Locator, step: str) -> None:
        name = self.names.lamp
        for key in ("title", "description"):
            text = self.texts.get(f"{step}.{key}", device=name, device_markdown=name)
            await expect(dialog.get_by_text(text, exact=True)).to_be_visible()

    async def _open_device(self, device_id: str) -> None:
        await self.page.goto(f"{self.instance.url}/config/devices/device/{device_id}")

    async def _open_account(self) -> None:
        await self.page.goto(
            f"{self.instance.url}/config/integrations/integration/espcloud"
        )

    def _card_row(self, name: str) -> Locator:
        card = self.page.locator("ha-device-entities-card").first
        return card.get_by_text(name, exact=True).first


@asynccontextmanager
async def running_tour(
    browser: Browser, folder: Path, reader: Reader, camera: Camera
) -> AsyncIterator[Tour]:
    """Run all that a tour needs, in a folder of its own."""
    names = NAMES[reader.language]
    await asyncio.to_thread(folder.mkdir)
    wishes = [f"{name}:{kind}" for name, kind in names.kinds.items()]
    async with (
        running_house(folder, lamps=wishes, language=reader.language) as instance,
        running_firmware(
            names.firmware,
            {name: each.master_key for name, each in instance.cloud.lamps.items()},
            instance.cloud.http_port,
            instance.cloud.device_port,
            folder,
        ) as devices,
        window(browser, reader) as page,
    ):
        texts = Texts(reader.language)
        await instance.cloud.add_firmware(PTYPES["plug"], NEW_FIRMWARE)
        await instance.cloud.add_points(names.thermometer, "tem_hum", list(a_day()))
        yield Tour(
            instance, devices, page, texts, names, reader.yes, reader.configure, camera
        )
