"""The instance, the browser and the screenshot of what failed."""

from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
import shutil
import tempfile

from playwright.async_api import Browser, Page, ViewportSize, expect
import pytest
import pytest_asyncio

from tests.console.server import ConsoleServer, running_server

from .browser import running_browser
from .instance import Instance, running_house
from .pictures import FOLDER

STEP_TIMEOUT = 20  # seconds for whatever a person waits for, on a slow machine
VIEWPORT = ViewportSize(width=1280, height=900)
FAILED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes pictures; without it no run changes the checkout."""
    parser.addoption("--pictures", action="store_true", help=f"write {FOLDER}")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave these out where Home Assistant's test plugin keeps sockets from working.

    With the option nothing but the pictures is left, without it everything else.
    """
    if config.pluginmanager.hasplugin("homeassistant"):
        return True
    if not collection_path.name.startswith("test_"):
        return None
    draws = collection_path.stem.startswith("test_pictures")
    return True if draws is not config.getoption("pictures") else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember a failure for the fixtures that have something to keep."""
    report = yield
    if report.failed:
        item.stash[FAILED] = item.session.stash[FAILED] = True
    return report


@pytest.fixture(scope="session")
def folder(request: pytest.FixtureRequest) -> Generator[Path]:
    """Make a folder that stays only when something fails."""
    folder = Path(tempfile.mkdtemp(prefix="espcloud-e2e-"))
    yield folder
    if not request.session.stash.get(FAILED, False):
        shutil.rmtree(folder)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def instance(folder: Path) -> AsyncGenerator[Instance]:
    """Run Home Assistant and the cloud."""
    async with running_house(folder) as instance:
        yield instance


@pytest.fixture(scope="session")
def console_server(folder: Path) -> Generator[ConsoleServer]:
    """Run `local-cloud` with its web site; see `console` for windows on it."""
    (folder / "console").mkdir()
    with running_server(folder / "console", "--sign-up", "open") as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncGenerator[Browser]:
    """Run Chromium; scripts/test says which."""
    expect.set_options(timeout=STEP_TIMEOUT * 1000)
    async with running_browser() as browser:
        yield browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def page(browser: Browser) -> AsyncGenerator[Page]:
    """Open a window of somebody who reads English; it stays open from step to step."""
    async with _window(browser, "en-US") as page:
        yield page


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chinese_page(browser: Browser) -> AsyncGenerator[Page]:
    """Open a window of somebody who reads Chinese."""
    async with _window(browser, "zh-CN") as page:
        yield page


@asynccontextmanager
async def _window(browser: Browser, language: str) -> AsyncIterator[Page]:
    context = await browser.new_context(locale=language, viewport=VIEWPORT)
    context.set_default_timeout(STEP_TIMEOUT * 1000)
    yield await context.new_page()
    await context.close()


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def screenshot(
    request: pytest.FixtureRequest, browser: Browser, folder: Path
) -> AsyncGenerator[None]:
    """Keep what the browser showed when a step failed, and say where."""
    yield
    if not request.node.stash.get(FAILED, False):
        return
    pages = [page for context in browser.contexts for page in context.pages]
    for number, page in enumerate(pages):
        path = folder / f"{request.node.name}-{number}.png"
        await page.screenshot(path=path)
        print(f"What the browser showed: {path}, at {page.url}")
    print(f"The logs: {folder}")
