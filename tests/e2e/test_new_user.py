"""The first hour of a new user, step by step; each step goes on from the one before."""

import asyncio

from playwright.async_api import Locator, Page, expect
import pytest

from demo.log_review import review

from .instance import DESK, EMAIL, PASSWORD, READING, Instance
from .visitor import (
    Texts,
    choose,
    choose_account,
    field,
    fill_server,
    flow_dialog,
    log_in,
    open_area,
    open_integration,
    open_integrations,
    open_repair,
    open_section,
    submit,
)

NAME = "Espressif IoT Cloud"
HALL = "Hall lamp"
AREA = "Living Room"  # one that Home Assistant starts with
ENGLISH, CHINESE = Texts("en"), Texts("zh-Hans")

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def expect_first_form(dialog: Locator, texts: Texts) -> None:
    """Wait for every text of the first form that is not folded away."""
    step = "config.step.account"
    for name in ("email", "password"):
        # Home Assistant adds the star to what has to be filled in.
        label = f"{texts.get(f'{step}.data.{name}')}*"
        box = dialog.get_by_role("textbox", name=label, exact=True)
        await expect(box).to_be_visible()
        text = texts.get(f"{step}.data_description.{name}")
        await expect(dialog.get_by_text(text, exact=True)).to_be_visible()
    for key in ("title", "description", "sections.server.name"):
        text = texts.get(f"{step}.{key}")
        await expect(dialog.get_by_text(text, exact=True)).to_be_visible()


def tile(page: Page, name: str) -> Locator:
    """Return the dashboard's card of an entity."""
    return page.locator("hui-tile-card", has_text=name)


async def test_log_in(page: Page, instance: Instance) -> None:
    """The instance is there."""
    await log_in(page, instance.url)


async def test_integration_is_found_by_the_word_espressif(page: Page) -> None:
    """Settings › Devices & services › Add integration leads to the form, in English."""
    await open_integrations(page)
    await page.get_by_role("button", name="Add integration").click()
    await page.get_by_placeholder("Search for a brand name").fill("Espressif")
    await page.locator("dialog-add-integration").get_by_text(NAME).click()
    dialog = flow_dialog(page)
    await choose_account(dialog, ENGLISH)
    await expect_first_form(dialog, ENGLISH)


async def test_wrong_password_is_explained_on_its_field(
    page: Page, instance: Instance
) -> None:
    """Only the password has to be typed again."""
    dialog = flow_dialog(page)
    await field(dialog, "email").fill(EMAIL)
    await field(dialog, "password").fill("not the password")
    await open_section(dialog, ENGLISH)
    await fill_server(dialog, instance.cloud.url, instance.cloud.device_port)
    await submit(dialog)
    message = ENGLISH.get("config.error.invalid_auth")
    above_the_field = (
        f"ha-alert:has-text('{message}') + ha-selector input[name=password]"
    )
    await expect(dialog.locator(above_the_field)).to_have_value("")
    await expect(field(dialog, "email")).to_have_value(EMAIL)


async def test_right_password_leads_to_the_device(
    page: Page, instance: Instance
) -> None:
    """The key that the cloud's page shows is all that is asked for."""
    dialog = flow_dialog(page)
    await field(dialog, "password").fill(PASSWORD)
    await submit(dialog)
    await choose(dialog, ENGLISH, "config", "device_key")
    await field(dialog, "device_key").fill(instance.cloud.lamps[DESK].master_key)
    await submit(dialog)


async def test_account_and_its_lamp_are_added(page: Page) -> None:
    """The last page of the dialog shows the lamp under the name that the cloud knows."""
    dialog = flow_dialog(page)
    await expect(dialog.get_by_role("textbox", name="Device name")).to_have_value(DESK)
    await dialog.locator("ha-area-picker").click()
    await page.get_by_text(AREA, exact=True).click()
    # Until the area has arrived in the dialog the button says "Skip and finish".
    await dialog.get_by_role("button", name="Finish", exact=True).click()
    await expect(dialog).to_be_hidden()


async def test_device_page_shows_what_the_cloud_knows(
    page: Page, instance: Instance
) -> None:
    """The dialog has led there."""
    await page.wait_for_url("**/config/devices/device/*")
    serial = instance.cloud.lamps[DESK].serial
    for text in ("by Espressif", serial, f"In {AREA}", NAME, "Connected"):
        await expect(page.get_by_text(text).first).to_be_visible()


async def test_dashboard_switches_the_lamp(page: Page) -> None:
    """The card follows only what came back from the cloud."""
    await open_area(page, AREA)
    card = tile(page, DESK)
    await expect(card.get_by_text("Unknown")).to_be_visible()
    # Before the first command nobody knows the state, so the first press turns it off.
    for state in ("Off", "On", "Off"):
        await card.locator("ha-tile-icon").click()
        await expect(card.get_by_text(state, exact=True)).to_be_visible()


async def test_cloud_switches_the_card_without_a_reload(
    page: Page, instance: Instance
) -> None:
    """A command that is sent to the cloud over HTTP arrives on the screen."""
    await page.evaluate("window.isSamePage = true")
    card = tile(page, DESK)
    for action, state in (("LED_ON", "On"), ("LED_OFF", "Off"), ("LED_ON", "On")):
        await instance.cloud.send(DESK, action)
        await expect(card.get_by_text(state, exact=True)).to_be_visible()
    assert await page.evaluate("window.isSamePage")


async def test_device_page_tells_of_the_command(page: Page) -> None:
    """Back there, the event entity names the last one."""
    await open_integration(page, NAME)
    await page.locator("ha-config-entry-device-row", has_text=DESK).click()
    kind = ENGLISH.get("entity.event.command.state_attributes.event_type.state.turn_on")
    events = page.locator("ha-device-entities-card", has_text="Events")
    await expect(events.get_by_text(kind)).to_be_visible()
    await expect(page.locator("ha-logbook").get_by_text(kind).first).to_be_visible()


async def test_second_lamp_is_added_with_its_key_alone(
    page: Page, instance: Instance
) -> None:
    """The account's page has a button for it."""
    await open_integration(page, NAME)
    add = ENGLISH.get("config_subentries.device.initiate_flow.user")
    await page.get_by_role("button", name=add).click()
    dialog = flow_dialog(page)
    await choose(dialog, ENGLISH, "config_subentries.device", "device_key")
    key = instance.cloud.lamps[READING].master_key
    await field(dialog, "device_key").fill(f"{key[:20]} {key[20:]}")
    await submit(dialog)
    await expect(dialog.get_by_text(READING)).to_be_visible()
    await dialog.get_by_role("button", name="Finish").click()
    await expect(dialog).to_be_hidden()
    await expect(
        page.locator("ha-config-sub-entry-row", has_text=READING)
    ).to_be_visible()


async def test_third_lamp_needs_a_name_alone(page: Page) -> None:
    """Home Assistant has it made, and nobody types a key."""
    add = ENGLISH.get("config_subentries.device.initiate_flow.user")
    await page.get_by_role("button", name=add).click()
    dialog = flow_dialog(page)
    await choose(dialog, ENGLISH, "config_subentries.device", "create_device")
    await field(dialog, "name").fill(HALL)
    await submit(dialog)
    await dialog.get_by_role("button", name="Finish").click()
    await expect(dialog).to_be_hidden()
    await expect(page.locator("ha-config-sub-entry-row", has_text=HALL)).to_be_visible()


async def test_other_action_names_work_at_once(page: Page, instance: Instance) -> None:
    """The gear beside a device leads to them."""
    row = page.locator("ha-config-sub-entry-row", has_text=READING)
    change = ENGLISH.get("config_subentries.device.initiate_flow.reconfigure")
    await row.get_by_role("button", name=change).click()
    dialog = flow_dialog(page)
    await expect(field(dialog, "turn_on_action")).to_have_value("LED_ON")
    await field(dialog, "turn_on_action").fill("SHINE")
    await submit(dialog)
    await dialog.get_by_role("button", name="Close").last.click()
    await expect(dialog).to_be_hidden()
    await row.locator("ha-config-entry-device-row").click()
    controls = page.locator("ha-device-entities-card", has_text="Controls")
    await instance.cloud.send(READING, "LED_OFF")
    await expect(controls.get_by_role("switch")).not_to_be_checked()
    await instance.cloud.send(READING, "SHINE")
    await expect(controls.get_by_role("switch")).to_be_checked()


async def test_taken_over_session_is_explained(page: Page, instance: Instance) -> None:
    """Another client with the same key is a repair issue that says what to do."""
    async with instance.cloud.rival(DESK):
        title = ENGLISH.get("issues.taken_over.title", device=DESK)
        await open_repair(page, title)
        dialog = flow_dialog(page)
        text = ENGLISH.get(
            "issues.taken_over.fix_flow.step.confirm.description",
            device_markdown=DESK,
        )
        for paragraph in text.split("\n\n"):
            await expect(dialog.get_by_text(paragraph, exact=True)).to_be_visible()
    # The other client is gone: no need to wait for minutes.
    await submit(dialog)
    await expect(dialog.get_by_text("repaired")).to_be_visible()
    # The dialog does not mind Escape, and closes with the page.
    await page.reload()
    await expect(dialog).to_be_hidden()


async def test_lamp_works_again_after_connecting_now(page: Page) -> None:
    """The repair has taken the lamp's place back."""
    await open_area(page, AREA)
    card = tile(page, DESK)
    await card.locator("ha-tile-icon").click()
    await expect(card.get_by_text("Off", exact=True)).to_be_visible()


async def test_replaced_key_is_repaired_in_the_dialog_that_the_issue_opens(
    page: Page, instance: Instance
) -> None:
    """The repair leads to the device's form, and is over when the new key works."""
    await instance.cloud.replace_master_key(READING)
    title = ENGLISH.get("issues.device_key_refused.title", device=READING)
    # Home Assistant asks a person after the second refusal, a minute after the first.
    await open_repair(page, title, patience=100_000)
    dialog = flow_dialog(page)
    await submit(dialog)
    await expect(field(dialog, "device_key")).to_have_js_property("required", True)
    await field(dialog, "device_key").fill(instance.cloud.lamps[READING].master_key)
    await submit(dialog)
    await dialog.get_by_role("button", name="Close").last.click()
    await expect(page.get_by_text(title, exact=True)).to_be_hidden()
    await instance.cloud.send(READING, "LED_OFF")


async def test_first_form_in_chinese(chinese_page: Page, instance: Instance) -> None:
    """A browser that asks for Chinese gets the form in Chinese, through a My link."""
    page = chinese_page
    await log_in(page, instance.url)
    await page.goto(f"{instance.url}/_my_redirect/config_flow_start?domain=espcloud")
    await page.get_by_role("button", name="确定").click()
    dialog = flow_dialog(page)
    await choose_account(dialog, CHINESE)
    await expect_first_form(dialog, CHINESE)


async def test_log_has_no_complaint_and_no_secret(instance: Instance) -> None:
    """All of that, at log level debug."""
    keys = [
        key
        for lamp in instance.cloud.lamps.values()
        for key in (lamp.master_key, lamp.owner_key)
    ]
    await asyncio.to_thread(review, instance.log, [PASSWORD, *keys])
