"""Clients of a running cloud."""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor

from aiohttp import ClientSession, TCPConnector
import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from custom_components.espcloud.local_cloud.passwords import Passwords
from tests.credentials import EMAIL, PASSWORD

from .helpers import Api, DeviceSocket
from .simulated import Home


@pytest.fixture
async def api(cloud: LocalCloud) -> AsyncGenerator[Api]:
    """Call the cloud over HTTP."""
    async with ClientSession(connector=TCPConnector(limit=0)) as session:
        yield Api(cloud, session)


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Hash the password once: hundreds of tests have an account that never signs in."""
    with ThreadPoolExecutor(1) as workers:
        return asyncio.run(Passwords(workers).hash(PASSWORD))


@pytest.fixture
def user(cloud: LocalCloud, password_hash: str) -> User:
    """Make an account."""
    return cloud.store.add_user(EMAIL, EMAIL, password_hash)


@pytest.fixture
def user_key(cloud: LocalCloud, user: User) -> str:
    """Return a user key of the account."""
    return cloud.store.keyring.add_user_key(user).token


@pytest.fixture
def master_key(cloud: LocalCloud, device: Device) -> str:
    """Return the device's master key."""
    return cloud.master_key(device)


@pytest.fixture
def owner_key(cloud: LocalCloud, device: Device) -> str:
    """Return the device's owner key."""
    key = cloud.owner_key(device)
    assert key is not None
    return key


@pytest.fixture
async def socket(cloud: LocalCloud) -> AsyncGenerator[DeviceSocket]:
    """Return a connection of the device server that has not identified."""
    async with DeviceSocket(cloud) as socket:
        yield socket


@pytest.fixture
async def lamp(socket: DeviceSocket, device: Device) -> DeviceSocket:
    """Return the connection of the identified device."""
    await socket.identify(device)
    return socket


@pytest.fixture
async def home(api: Api, cloud: LocalCloud, user: User) -> Home:
    """Return a place to add simulated devices to."""
    return Home(api, cloud, user)


@pytest.fixture(autouse=True)
async def quick_loop(loopback: None) -> None:
    """Switch asyncio's debug mode off: it notes a traceback with every callback."""
    asyncio.get_running_loop().set_debug(False)
