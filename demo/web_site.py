"""The cloud's web site, tried as a person would try it."""

import aiohttp

from .cloud import Cloud
from .errors import DemoError, deadline

PATIENCE = 30


async def check_web_site(cloud: Cloud) -> None:
    """Sign in with the demo's account, and find all of its devices on the page."""
    fields = {"email": cloud.email, "password": cloud.password}
    async with (
        deadline(PATIENCE, "the cloud's web site"),
        # It stays on this machine, where addresses have no names.
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http,
        http.post(f"{cloud.web_site}sign-in", data=fields) as response,
    ):
        page = await response.text()
    if response.status != 200 or response.url.path != "/devices":
        raise DemoError(
            f"signing in at the web site led to {response.url.path} ({response.status})"
        )
    if missing := [name for name in cloud.devices if name not in page]:
        raise DemoError(f"the web site does not show {', '.join(missing)}")
