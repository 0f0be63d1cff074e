"""What every test of the client gets: a client, and an eye on secrets in the log."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
import logging
from typing import Any, override

import aiohttp
import pytest

from custom_components.espcloud.cloud import CloudClient, Endpoint
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device
from tests.credentials import PASSWORD

from .certificates import Certificates
from .helpers import CALLER_TOKEN, MASTER_KEY, USER_KEY, WatchedSession
from .scripted_server import ScriptedServer


class _Recorder(logging.Handler):
    """Keeps every record as a log file would show it."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


@pytest.fixture
def secrets() -> list[str]:
    """Return what no log may show; a test adds the keys it makes."""
    return [MASTER_KEY, USER_KEY, CALLER_TOKEN, PASSWORD]


@pytest.fixture(autouse=True)
def log(secrets: list[str]) -> Generator[list[str]]:
    """Return what is logged, at the most talkative level, and find no secret in it."""
    recorder = _Recorder()
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(recorder)
    yield recorder.texts
    root.removeHandler(recorder)
    root.setLevel(level)
    for secret in secrets:
        assert not [text for text in recorder.texts if secret in text]


@pytest.fixture(autouse=True)
async def quick_loop(loopback: None) -> None:
    """Switch asyncio's debug mode off: it notes a traceback with every callback."""
    asyncio.get_running_loop().set_debug(False)


@pytest.fixture
def master_key(cloud: LocalCloud, device: Device, secrets: list[str]) -> str:
    """Return the device's master key."""
    key = cloud.master_key(device)
    secrets.append(key)
    return key


@pytest.fixture
def owner_key(cloud: LocalCloud, device: Device, secrets: list[str]) -> str:
    """Return the device's owner key."""
    key = cloud.owner_key(device)
    assert key is not None
    secrets.append(key)
    return key


@pytest.fixture
def endpoint(cloud: LocalCloud) -> Endpoint:
    """Return the real cloud's device port."""
    return Endpoint(cloud.device_host, cloud.device_port)


@pytest.fixture
async def web() -> AsyncGenerator[aiohttp.ClientSession]:
    """Return a web session that keeps no connection open."""
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


@pytest.fixture
def client(web: aiohttp.ClientSession, cloud: LocalCloud) -> CloudClient:
    """Return a client of the real cloud."""
    return CloudClient.over_http(web, cloud.http_url)


@pytest.fixture
async def server() -> AsyncGenerator[ScriptedServer]:
    """Return a server whose part the test plays."""
    async with ScriptedServer() as server:
        yield server


@pytest.fixture
def stranger(web: aiohttp.ClientSession, server: ScriptedServer) -> CloudClient:
    """Return a client of the server whose part the test plays."""
    return CloudClient.over_http(web, server.url)


@pytest.fixture
async def start() -> AsyncGenerator[Callable[..., WatchedSession]]:
    """Return what starts a DeviceSession; it is closed after the test."""
    running: list[WatchedSession] = []

    def start(endpoint: Endpoint, *args: Any, **options: Any) -> WatchedSession:
        watched = WatchedSession(endpoint, *args, **options)
        watched.start()
        running.append(watched)
        return watched

    yield start
    for watched in running:
        await watched.session.close()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return certificates made for these tests."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


type Start = Callable[..., WatchedSession]
