"""Somebody who uses the site without scripts, and what they see."""

from collections.abc import Mapping
from html.parser import HTMLParser
from itertools import count
import re
from typing import Any, Self, override

from aiohttp import ClientResponse, ClientSession, CookieJar, TCPConnector

from .server import PASSWORD, ConsoleServer

_NUMBERS = count(1)


class _Reader(HTMLParser):
    """Reads what a page says, and the token of its forms."""

    def __init__(self, text: str) -> None:
        """Read it."""
        super().__init__()
        self.form_token = ""
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag == "meta" and attributes.get("name") == "form-token":
            self.form_token = attributes["content"] or ""

    @override
    def handle_data(self, data: str) -> None:
        self.words.append(data)


class Page:
    """An answer of the site, its redirects followed.

    Attributes:
        status: the HTTP status.
        path: where the browser is now, query included.
        headers: of the last answer.
        html: the page as it came.
        text: what stands on it, with single spaces.
        tags: its elements, each with its attributes.
    """

    def __init__(self, response: ClientResponse, html: str) -> None:
        """Read it."""
        reader = _Reader(html)
        self.status = response.status
        self.path = response.url.path_qs
        self.headers = response.headers
        self.cookies = response.cookies
        self.html = html
        self.text = re.sub(r"\s+", " ", " ".join(reader.words))
        self.tags = reader.tags
        self.form_token = reader.form_token


class Person:
    """A browser without scripts; use it as a context."""

    def __init__(
        self, server: ConsoleServer, *, email: str = "", language: str = "en"
    ) -> None:
        """Be a stranger with an e-mail of their own."""
        self.server = server
        number = next(_NUMBERS)
        self.email = email or f"person{number}@example.com"
        self.password = PASSWORD
        self.form_token = ""
        # Each comes from an address of their own: the server counts new accounts by address.
        self.address = f"127.0.1.{number % 250 + 1}"
        self.session = ClientSession(
            connector=TCPConnector(local_addr=(self.address, 0)),
            cookie_jar=CookieJar(unsafe=True),
            headers={"Accept-Language": language},
        )

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the browser."""
        await self.session.close()

    async def get(self, path: str, **options: Any) -> Page:
        """Open a page."""
        async with self.session.get(self.server.url + path, **options) as response:
            return self._read(response, await response.text())

    async def post(
        self,
        path: str,
        fields: Mapping[str, str] | None = None,
        *,
        form_token: str | None = None,
        **options: Any,
    ) -> Page:
        """Send a form of the page that was opened last; another `form_token` in its place."""
        token = self.form_token if form_token is None else form_token
        data = dict(fields or {}) | ({"form_token": token} if token else {})
        async with self.session.post(
            self.server.url + path, data=data, **options
        ) as response:
            return self._read(response, await response.text())

    async def send(self, path: str, body: Any, **options: Any) -> Page:
        """Send a body as it is, such as a form with files."""
        async with self.session.post(
            self.server.url + path, data=body, **options
        ) as response:
            return self._read(response, await response.text())

    async def ask(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Send JSON as a script of the site does, and return status and answer."""
        async with self.session.post(
            self.server.url + path,
            json={} if body is None else body,
            headers={
                "Accept": "application/json",
                "X-Form-Token": self.form_token,
                **headers,
            },
        ) as response:
            return response.status, await response.json()

    async def sign_up(self) -> Self:
        """Make the account, and be signed in."""
        page = await self.post(
            "/sign-up",
            {"email": self.email, "password": self.password, "again": self.password},
        )
        assert page.status == 200 or page.path == "/connect", page.text
        await self.get("/devices")
        assert self.form_token, "not signed in"
        return self

    async def sign_in(self) -> Self:
        """Be signed in to an account that there is."""
        page = await self.post(
            "/sign-in", {"email": self.email, "password": self.password}
        )
        assert self.form_token, page.text
        return self

    async def make_device(self, name: str, kind: str = "light") -> int:
        """Make a product and a device of it, and return the device's id."""
        page = await self.post("/products", {"name": f"{name} product", "kind": kind})
        assert page.status == 200, page.text
        product = page.path.split("?")[0]
        page = await self.post(f"{product}/devices", {"name": name, "count": "1"})
        assert page.status == 200, page.text
        return int(page.path.split("?")[0].rpartition("/")[2])

    async def secrets(self, device: int) -> dict[str, str]:
        """Return the keys of a device by their names, as its page shows them when asked."""
        status, told = await self.ask(f"/devices/{device}/secrets")
        assert status == 200, told
        return {name: key["text"] for name, key in told.items()}

    def _read(self, response: ClientResponse, html: str) -> Page:
        page = Page(response, html)
        if page.form_token:
            self.form_token = page.form_token
        return page
