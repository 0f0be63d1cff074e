"""A backend of each kind, at a quick cloud."""

from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path

import pytest

from custom_components.espcloud.backends import cloud_account, virtual
from custom_components.espcloud.backends.local import server
from custom_components.espcloud.cloud import ConnectPacer
from custom_components.espcloud.local_cloud import LocalCloud
from homeassistant.core import HomeAssistant

from .rigs import DELIVERY_TIMEOUT, LIMITS, RIGS, Rig


@pytest.fixture(params=RIGS)
async def rig(
    request: pytest.FixtureRequest,
    hass: HomeAssistant,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncGenerator[Rig]:
    """Start a backend of each kind."""
    kind: type[Rig] = request.param
    if (reason := kind.cannot.get(request.function.__name__)) is not None:
        pytest.skip(reason)
    monkeypatch.setattr(cloud_account, "ConnectPacer", lambda: ConnectPacer(10_000))
    monkeypatch.setattr(virtual, "RECONNECT_WAIT", 0.3)
    monkeypatch.setattr(server, "LIMITS", LIMITS)
    quick = partial(LocalCloud, delivery_timeout=DELIVERY_TIMEOUT)
    monkeypatch.setattr(server, "LocalCloud", quick)
    hass.config.config_dir = str(tmp_path)
    (tmp_path / ".storage").mkdir()
    rig = kind(hass)
    await rig.start()
    yield rig
    await rig.close()
