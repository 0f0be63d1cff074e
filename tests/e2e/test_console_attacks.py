"""Another site in the same browser tries to act in the name of who is signed in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from playwright.async_api import Browser, expect
import pytest

from tests.console.server import ConsoleServer

from .console import make_device, new_account, sign_in, window

pytestmark = pytest.mark.asyncio(loop_scope="session")

FORM = """<!doctype html><title>A kitten</title>
<form method="post" action="{action}"><input name="name" value="Forged"></form>
<script>document.forms[0].submit()</script>"""
READER = """<!doctype html><title>A kitten</title><p id="seen">…</p><script>
fetch("{address}", {{credentials: "include"}})
  .then((answer) => answer.text(), () => "nothing")
  .then((text) => {{ document.querySelector("#seen").textContent = text; }});
</script>"""


@asynccontextmanager
async def other_site(page: str) -> AsyncIterator[int]:
    """Serve one page, and yield the port."""

    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(text=page, content_type="text/html")

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield int(runner.addresses[0][1])
    await runner.cleanup()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_form_of_another_site_changes_nothing(
    console_server: ConsoleServer, browser: Browser, host: str
) -> None:
    """Neither one that the browser takes for the same site, as ports do not count, nor a strange one."""
    async with window(browser, console_server) as page:
        await sign_in(page, await new_account(console_server))
        device = await make_device(page, "Desk lamp")
        action = f"{console_server.url}/devices/{device}/rename"
        async with other_site(FORM.format(action=action)) as port:
            await page.goto(f"http://{host}:{port}/")
            await page.wait_for_url(f"{console_server.url}/**")
            await expect(page.locator("main")).not_to_contain_text("Forged")
        await page.goto(f"/devices/{device}")
        await expect(page.locator("h1")).to_have_text("Desk lamp")


async def test_another_site_reads_nothing(
    console_server: ConsoleServer, browser: Browser
) -> None:
    """Neither a page, nor the cookie, which no script sees; nor is the site shown in a frame."""
    async with window(browser, console_server, complains=True) as page:
        await sign_in(page, await new_account(console_server))
        assert "local_cloud_session" not in await page.evaluate("document.cookie")
        reader = READER.format(address=f"{console_server.url}/account")
        frame = f'<iframe src="{console_server.url}/account"></iframe>'
        async with other_site(reader + frame) as port:
            await page.goto(f"http://127.0.0.1:{port}/")
            await expect(page.locator("#seen")).to_have_text("nothing")
            shown = page.frame_locator("iframe").locator("main")
            await expect(shown).to_have_count(0)
