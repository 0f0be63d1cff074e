"""What devices measure in the web site, in a browser: the chart of a million datapoints, and live ones."""

from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from pathlib import Path
import re
import time
from typing import Any

from aiohttp import ClientSession
from playwright.async_api import Browser, Page, Route, expect
import pytest
import pytest_asyncio

from tests.console.filling import fill
from tests.console.person import Person
from tests.console.server import ConsoleServer, running_server

from .console import PHONE, is_accessible, sign_in, window

pytestmark = pytest.mark.asyncio(loop_scope="session")

MILLION = 1_000_000
OPEN = ("--sign-up", "open")
EVIL = '"><img src=x onerror=alert(1)>'
DRAWN = "[data-datastream][data-drawn]:not([aria-busy])"


@dataclass
class Greenhouse:
    """A device with a datastream of very many datapoints."""

    server: ConsoleServer
    email: str
    device: int
    key: str

    @property
    def data(self) -> str:
        """Where the list of its datastreams is."""
        return f"/devices/{self.device}/data"

    async def post(self, stream: str, point: dict[str, Any]) -> None:
        """Store a datapoint over the API, as a device does."""
        async with (
            ClientSession() as session,
            session.post(
                f"{self.server.url}/v1/datastreams/{stream}/datapoint/",
                json={"datapoint": point},
                headers={"Authorization": f"token {self.key}"},
            ) as response,
        ):
            assert response.status == 200, await response.text()


async def newcomer(server: ConsoleServer, email: str) -> tuple[str, int, str]:
    """Make an account with a device, and return its e-mail, the device's id and its key."""
    async with Person(server, email=email) as person:
        await person.sign_up()
        device = await person.make_device("Greenhouse", "humiture")
        return email, device, (await person.secrets(device))["device_key"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the server keeps its state."""
    return tmp_path_factory.mktemp("greenhouse")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def owner(place: Path) -> tuple[str, int, str]:
    """Make the account and the device; return its e-mail, the device's id and its key."""
    with running_server(place, *OPEN) as server:
        return await newcomer(server, "gardener@example.com")


@pytest.fixture(scope="module")
def server(place: Path, owner: tuple[str, int, str]) -> Generator[ConsoleServer]:
    """Run the server with a million datapoints in its database."""
    last = int(time.time()) - 20
    fill(place / "state.db", owner[1], "tem_hum", count=MILLION, last=last)
    # An account has no more than that; of a datastream that is full as many go as come.
    retention = "--retention", f"{MILLION}:4000"
    with running_server(place, *OPEN, *retention) as server:
        yield server


@pytest.fixture(scope="module")
def greenhouse(server: ConsoleServer, owner: tuple[str, int, str]) -> Greenhouse:
    """Return the device."""
    return Greenhouse(server, *owner)


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, greenhouse: Greenhouse) -> AsyncGenerator[Page]:
    """Open a window of the device's owner on its datastreams."""
    async with window(browser, greenhouse.server) as page:
        page.set_default_timeout(60_000)
        await sign_in(page, greenhouse.email)
        await page.goto(greenhouse.data)
        yield page


async def open_chart(page: Page, name: str, view: str = "") -> None:
    """Follow the link to a datastream, and wait until its chart is drawn."""
    link = page.locator("[data-stream] a", has_text=name)
    await page.goto(f"{await link.get_attribute('href')}{view}")
    await page.wait_for_selector(DRAWN)


async def shown_count(page: Page) -> int:
    """Return of how many datapoints the chart tells."""
    text = await page.locator("[data-caption]").inner_text()
    found = re.match(r"([\d,]+) datapoints", text)
    assert found is not None, text
    return int(found[1].replace(",", ""))


async def ink(page: Page) -> int:
    """Return how many pixels of the chart are drawn in the color of its first line."""
    return int(
        await page.evaluate("""() => {
            const canvas = document.querySelector(".chart canvas");
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let count = 0;
            for (let i = 0; i < data.length; i += 4)
                if (data[i] === 0x0f && data[i + 1] === 0x76 && data[i + 2] === 0x6e) count += 1;
            return count;
        }""")
    )


async def test_a_million_points_are_looked_into(page: Page) -> None:
    """All of them at first, then what the mouse marks, and the way back."""
    await is_accessible(page)
    link = page.locator("[data-stream] a", has_text="tem_hum")
    await page.goto(f"{await link.get_attribute('href')}#all")
    # A first look comes from a sample, while the rest is read.
    await page.wait_for_selector("[data-datastream][data-drawn][aria-busy]")
    assert await ink(page) > 1000
    await page.wait_for_selector(DRAWN)
    await is_accessible(page)
    assert await shown_count(page) == MILLION
    assert await ink(page) > 1000
    await expect(page.locator(".legend [data-value]")).to_have_count(2)
    plot = await page.locator(".u-over").bounding_box()
    assert plot is not None
    height = plot["y"] + plot["height"] / 2
    await page.mouse.move(plot["x"] + plot["width"] * 0.5, height)
    await page.mouse.down()
    await page.mouse.move(plot["x"] + plot["width"] * 0.6, height, steps=5)
    await page.mouse.up()
    await page.wait_for_selector(".chart")
    await expect(page.locator("[data-back]")).to_be_enabled()
    await page.wait_for_selector(DRAWN)
    tenth = await shown_count(page)
    assert MILLION * 0.08 < tenth < MILLION * 0.12
    assert await ink(page) > 1000
    # By the keyboard alone: closer, and back twice.
    await page.locator("[data-move=in]").focus()
    await page.keyboard.press("Enter")
    await page.wait_for_selector(DRAWN)
    assert tenth * 0.4 < await shown_count(page) < tenth * 0.6
    await page.locator("[data-back]").click()
    await page.wait_for_selector(DRAWN)
    assert await shown_count(page) == tenth
    await page.locator("[data-back]").click()
    await page.wait_for_selector(DRAWN)
    assert await shown_count(page) == MILLION
    await expect(page.locator("[data-back]")).to_be_disabled()


async def test_ranges_and_dimensions_are_chosen(page: Page) -> None:
    """The chosen one is pressed, is in the address, and is there again after a reload."""
    await open_chart(page, "tem_hum")
    assert 2700 < await shown_count(page) < 2900
    before = await ink(page)
    series = page.locator(".legend .series-x")
    await series.click()
    await expect(series).to_have_attribute("aria-pressed", "false")
    assert await ink(page) < before / 4
    await page.click("[data-range=hour]")
    await page.wait_for_selector(DRAWN)
    await expect(page.locator("[data-range=hour]")).to_have_attribute(
        "aria-pressed", "true"
    )
    assert 100 < await shown_count(page) <= 121
    assert page.url.endswith("#hour")
    await page.reload()
    await page.wait_for_selector(DRAWN)
    assert 100 < await shown_count(page) <= 121


async def test_points_appear_as_they_arrive(page: Page, greenhouse: Greenhouse) -> None:
    """In the chart, under it and on top of the table; and in the list of datastreams."""
    await open_chart(page, "tem_hum", "#hour")
    await greenhouse.post("tem_hum", {"x": 99.5, "y": 1})
    top = page.locator("[data-rows] tr").first
    await expect(top).to_contain_text("99.5")
    await expect(page.locator("[data-value=x]")).to_contain_text("99.5")
    await expect(page.locator("[data-range=hour]")).to_have_attribute(
        "aria-pressed", "true"
    )
    await page.goto(greenhouse.data)
    row = page.locator("[data-stream=tem_hum]")
    await expect(row).to_contain_text("1,000,001")
    await greenhouse.post("tem_hum", {"x": 20, "y": EVIL})
    await expect(row).to_contain_text("1,000,002")
    await expect(row).to_contain_text(f"y {EVIL}")
    assert await page.locator("main img[src=x]").count() == 0


async def test_no_point_is_lost_on_the_way(
    browser: Browser, server: ConsoleServer
) -> None:
    """Neither one that comes while the chart is read, nor one that comes while another time is shown."""
    shed = Greenhouse(server, *await newcomer(server, "third@example.com"))
    now = int(time.time())
    for number in range(3):
        await shed.post("state", {"x": number, "at": now - 100 + number})
    async with window(browser, server) as page:

        async def slow(route: Route) -> None:
            response = await route.fetch()
            await shed.post("state", {"x": 77, "at": now - 50})
            await expect(page.locator("[data-rows] tr").first).to_contain_text("77")
            await route.fulfill(response=response)

        await sign_in(page, shed.email)
        await page.goto(shed.data)
        await page.route("**/summary?*", slow, times=1)
        await open_chart(page, "state")
        await expect(page.locator("[data-value=x]")).to_have_text("77")
        assert await shown_count(page) == 4
        await page.locator("[data-move=earlier]").click()
        await page.wait_for_selector(DRAWN)
        await shed.post("state", {"x": 78, "at": now - 40})
        await expect(page.locator("[data-rows] tr").first).to_contain_text("78")
        await page.locator("[data-back]").click()
        await expect(page.locator("[data-value=x]")).to_have_text("78")
        # One that was measured before others stands among them.
        await shed.post("state", {"x": -5, "at": now - 99})
        await expect(page.locator("[data-rows] tr").nth(3)).to_contain_text("-5")
        await expect(page.locator("[data-caption]")).to_contain_text("6 datapoints")
        await expect(page.locator("[data-value=x]")).to_have_text("78")


async def test_texts_are_texts_in_the_table_and_in_the_file(
    browser: Browser, server: ConsoleServer
) -> None:
    """A datastream without a number says so, and what arrives is shown as it is."""
    shed = Greenhouse(server, *await newcomer(server, "another@example.com"))
    await shed.post("state", {"x": EVIL})
    async with window(browser, server) as page:
        await sign_in(page, shed.email)
        await page.goto(shed.data)
        await open_chart(page, "state")
        caption = page.locator("[data-caption]")
        await expect(caption).to_contain_text("no number among them")
        await shed.post("state", {"x": f"{EVIL}!"})
        top = page.locator("[data-rows] tr").first
        await expect(top).to_contain_text(f"{EVIL}!")
        assert await page.locator("main img[src=x]").count() == 0
        await shed.post("state", {"x": 5})
        await expect(page.locator("[data-value=x]")).to_have_text("5")
        assert await ink(page) > 0
        async with page.expect_download() as download:
            await page.locator("a[href$='/csv']").last.click()
        file = await download.value
        assert file.suggested_filename == f"device-{shed.device}-state.csv"
        assert len((await file.path()).read_text().splitlines()) == 4


async def test_a_point_is_stored_in_a_narrow_window(
    browser: Browser, greenhouse: Greenhouse
) -> None:
    """In Chinese and in the dark; the chart is as wide as the window, also when that changes."""
    async with window(
        browser,
        greenhouse.server,
        language="zh-CN",
        viewport=PHONE,
        dark=True,
    ) as page:
        await sign_in(page, greenhouse.email)
        await page.goto(greenhouse.data)
        await open_chart(page, "tem_hum", "#week")
        await expect(page.locator("[data-caption]")).to_contain_text("个数据点")
        for width in (360, 800, 400):
            await page.set_viewport_size({"width": width, "height": 740})
            place = await page.locator("[data-chart]").bounding_box()
            assert place is not None
            chart = page.locator(".uplot")
            await expect(chart).to_have_css("width", f"{place['width']:g}px")
            assert await page.evaluate(
                "document.documentElement.scrollWidth <= innerWidth"
            )
        await is_accessible(page)
        await page.fill("form [name=x]", "1.5")
        await page.fill("form [name=y]", "2")
        await page.click("form[action$='/data'] button")
        await expect(page.locator(".notice-good")).to_be_visible()
        await expect(page.locator("[data-rows] tr").first).to_contain_text("1.5")
