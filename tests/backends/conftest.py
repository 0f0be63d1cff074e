"""A quick cloud behind proxies."""

from collections.abc import AsyncGenerator

import pytest

from custom_components.espcloud.backends import cloud_account, virtual
from custom_components.espcloud.cloud import ConnectPacer
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.limits import Limits
from custom_components.espcloud.local_cloud.models import User
from homeassistant.core import HomeAssistant
from tests.chaos.instance import Proxies

from .rigs import RIGS, Rig


@pytest.fixture
async def cloud() -> AsyncGenerator[LocalCloud]:
    """Run a cloud that gives devices little time."""
    limits = Limits(first_push=0.01, gap=0.0)
    cloud = LocalCloud(delivery_timeout=0.3, limits=limits)
    await cloud.start()
    yield cloud
    await cloud.close()


@pytest.fixture(params=RIGS)
async def rig(
    request: pytest.FixtureRequest,
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncGenerator[Rig]:
    """Start a backend of each kind."""
    monkeypatch.setattr(cloud_account, "ConnectPacer", lambda: ConnectPacer(10_000))
    monkeypatch.setattr(virtual, "RECONNECT_WAIT", 0.3)
    async with Proxies.of(cloud) as proxies:
        rig = request.param(hass, cloud, user, proxies)
        await rig.start()
        yield rig
        proxies.device.thaw()
        proxies.http.thaw()
        await rig.close()
