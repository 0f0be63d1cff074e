"""The pictures of the READMEs, each in its language: scripts/test --browser --pictures."""

from pathlib import Path

from playwright.async_api import Browser, expect
import pytest

from demo.local_devices import PLUG
from demo.session import sign_in

from .instance import EMAIL, PASSWORD, Instance, running_house
from .local_tour import running_local_tour
from .pictures import ALONE, FOLDER, Camera
from .readers import READERS, WINDOW, Reader, window
from .tour import running_tour
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

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def give_area(instance: Instance, lamp: str) -> tuple[str, str]:
    """Put the lamp into the first room; return its id and the room's name."""
    async with sign_in(instance.url) as session:
        area = (await session.call("config/area_registry/list"))[0]
        (device_id,) = [
            device["id"]
            for device in await session.call("config/device_registry/list")
            if device["name"] == lamp
        ]
        await session.call(
            "config/device_registry/update",
            device_id=device_id,
            area_id=area["area_id"],
        )
    return device_id, area["name"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.language)
async def test_pictures(browser: Browser, folder: Path, reader: Reader) -> None:
    """From the account to the repair, as a new user comes by."""
    texts = Texts(reader.language)
    camera = Camera(FOLDER, reader.suffix)
    home = folder / reader.language
    home.mkdir()
    async with (
        running_house(home, lamps=[reader.lamp], language=reader.language) as instance,
        window(browser, reader) as page,
    ):
        cloud = instance.cloud
        await log_in(page, instance.url)
        await page.goto(f"{instance.url}/{FLOW}")
        await page.get_by_role("button", name=reader.yes).click()
        dialog = flow_dialog(page)
        await choose_account(dialog, texts)
        await field(dialog, "email").fill(EMAIL)
        await field(dialog, "password").fill(PASSWORD)
        await camera.take("account", page, surface(dialog), style=ALONE)

        await open_section(dialog, texts)
        await fill_server(dialog, cloud.url, cloud.device_port)
        await submit(dialog)
        title = texts.get("config.step.device.title")
        await expect(dialog.get_by_text(title, exact=True)).to_be_visible()
        await camera.take("device-step", page, surface(dialog), style=ALONE)

        await choose(dialog, texts, "config", "device_key")
        await field(dialog, "device_key").fill(cloud.lamps[reader.lamp].master_key)
        await submit(dialog)
        await expect(dialog.locator("ha-area-picker")).to_be_visible()
        await submit(dialog)
        await expect(dialog).to_be_hidden()
        device_id, area = await give_area(instance, reader.lamp)
        for action in ("LED_OFF", "LED_ON"):
            await cloud.send(reader.lamp, action)
        await page.goto(f"{instance.url}/config/devices/device/{device_id}")
        kind = "entity.event.command.state_attributes.event_type.state.turn_on"
        logbook = page.locator("ha-logbook")
        await expect(logbook.get_by_text(texts.get(kind)).first).to_be_visible()
        parts = page.locator("ha-config-device-page").locator(".header, .column")
        await camera.take("device", page, *await parts.all())

        await page.goto(instance.url)
        await page.locator("hui-area-card", has_text=area).click()
        card = page.locator("hui-tile-card", has_text=reader.lamp)
        await expect(card).to_be_visible()
        # As on a phone: there is not more to see in a wide window.
        await page.set_viewport_size({"width": 440, "height": 900})
        cards = page.locator("hui-heading-card, hui-tile-card")
        await camera.take("dashboard", page, *await cards.all(), margin=8)
        await page.set_viewport_size(WINDOW)

        async with cloud.rival(reader.lamp):
            await page.goto(f"{instance.url}/config/repairs")
            title = texts.get("issues.taken_over.title", device=reader.lamp)
            await page.get_by_text(title, exact=True).click()
            text = texts.get(
                "issues.taken_over.fix_flow.step.confirm.description",
                device_markdown=reader.lamp,
            )
            await expect(
                dialog.get_by_text(text.split("\n\n")[0], exact=True)
            ).to_be_visible()
            await camera.take("repair", page, surface(dialog), style=ALONE)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.language)
async def test_pictures_of_devices(
    browser: Browser, folder: Path, reader: Reader
) -> None:
    """Devices that the account has."""
    home = folder / f"devices-{reader.language}"
    async with running_tour(
        browser, home, reader, Camera(FOLDER, reader.suffix)
    ) as tour:
        await tour.add_account()
        pages, temperature = await tour.use_devices()
        await tour.see_lamp(pages[tour.names.lamp])
        await tour.see_strip(pages[tour.names.strip])
        await tour.upgrade_plug(pages[tour.names.plug])
        await tour.wait_for_past(temperature)
        await tour.see_history(temperature)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.language)
async def test_pictures_of_local_mode(
    browser: Browser, folder: Path, reader: Reader
) -> None:
    """Home Assistant as the cloud, from the menu to a plug."""
    home = folder / f"local-{reader.language}"
    async with running_local_tour(
        browser, home, reader, Camera(FOLDER, reader.suffix)
    ) as tour:
        await tour.add_cloud()
        await tour.see_discovered()
        await tour.confirm(PLUG)
        await tour.see_device(PLUG)
        await tour.switch(PLUG)
        await tour.photograph_page()
