"""Clients of a running cloud."""

from collections.abc import AsyncGenerator

from aiohttp import ClientSession, TCPConnector
import pytest

from local_cloud import LocalCloud
from local_cloud.models import Device, User
from tests.conftest import EMAIL, PASSWORD

from .helpers import Api, DeviceSocket


@pytest.fixture
async def api(cloud: LocalCloud) -> AsyncGenerator[Api]:
    """Call the cloud over HTTP."""
    async with ClientSession(connector=TCPConnector(limit=0)) as session:
        yield Api(cloud, session)


@pytest.fixture
async def user_key(api: Api, user: User) -> str:
    """Return a user key of the account."""
    body = {"email": EMAIL, "password": PASSWORD, "scope": "user"}
    token: str = (await api.ok("POST", "/v1/keys/", body))["keys"][0]["token"]
    return token


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
    """Return a connection of the device door that has not identified."""
    async with DeviceSocket(cloud) as socket:
        yield socket


@pytest.fixture
async def lamp(socket: DeviceSocket, device: Device) -> DeviceSocket:
    """Return the connection of the identified device."""
    await socket.identify(device)
    return socket
