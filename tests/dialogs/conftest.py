"""Clouds and what stands in front of them, as the dialogs' tests need them."""

from collections.abc import AsyncGenerator, Awaitable, Callable
import socket

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer
import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import User
from homeassistant.helpers import aiohttp_client
from tests.common import http
from tests.credentials import PASSWORD

from .steps import OTHER_EMAIL

type Check = Callable[[web.Request], Awaitable[None]]
type Front = Callable[[Check], Awaitable[str]]


class LoopbackResolver(AbstractResolver):
    """Finds every name at this host, since tests ask no name server."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the address of loopback."""
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Leave nothing behind."""

    # As Home Assistant calls it at its end.
    real_close = close


@pytest.fixture
def any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this host be reached by any name."""
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *args, **options: look_up("127.0.0.1", *args, **options),
    )
    monkeypatch.setattr(
        aiohttp_client, "_async_make_resolver", lambda hass: LoopbackResolver()
    )


@pytest.fixture
async def other_user(cloud: LocalCloud) -> User:
    """Make a second account."""
    return await cloud.add_account(OTHER_EMAIL, PASSWORD)


@pytest.fixture
async def second_cloud() -> AsyncGenerator[LocalCloud]:
    """Run another cloud on the same host."""
    cloud = LocalCloud()
    await cloud.start()
    yield cloud
    await cloud.close()


@pytest.fixture
async def portal() -> AsyncGenerator[str]:
    """Run a captive portal: it answers everything with a web page."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(
            text="<html>Please sign in</html>", content_type="text/html"
        )

    server = _server(page)
    await server.start_server()
    yield str(server.make_url("/"))
    await server.close()


@pytest.fixture
async def front(cloud: LocalCloud) -> AsyncGenerator[Front]:
    """Run fronts to the cloud; each awaits a check first, which may refuse a request."""
    servers: list[TestServer] = []

    async def start(check: Check) -> str:
        async def forward(request: web.Request) -> web.Response:
            await check(request)
            answer = await http(
                cloud,
                request.method,
                request.path,
                request.headers.get("Authorization", "").removeprefix("token "),
                query=dict(request.query),
                body=await request.json() if request.can_read_body else None,
            )
            return web.json_response(answer)

        server = _server(forward)
        await server.start_server()
        servers.append(server)
        return str(server.make_url("/"))

    yield start
    for server in servers:
        await server.close()


def _server(
    handler: Callable[[web.Request], Awaitable[web.Response]],
) -> TestServer:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    return TestServer(app, host="127.0.0.1")
