"""An instance with twenty lamps behind two proxies that misbehave."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import pytest

from custom_components.espcloud import event
from custom_components.espcloud.backends import cloud_account
from custom_components.espcloud.cloud import (
    Backoff,
    ConnectPacer,
    http_transport,
    session,
)
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import User
from homeassistant.config_entries import ConfigEntries
from homeassistant.core import HomeAssistant

from .instance import Instance, Phone, Proxies

LAMPS = 20


@pytest.fixture(autouse=True)
async def quick_loop(loopback: None) -> None:
    """Switch asyncio's debug mode off: it notes a traceback with every callback."""
    asyncio.get_running_loop().set_debug(False)


@pytest.fixture(autouse=True)
def quick_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all lamps connect at once, where the pace is not what is tested."""
    monkeypatch.setattr(cloud_account, "ConnectPacer", lambda: ConnectPacer(10_000))


@pytest.fixture
async def phone() -> AsyncGenerator[Phone]:
    """Have a phone."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0)
    ) as http_session:
        yield Phone(http_session)


@pytest.fixture
async def proxies(cloud: LocalCloud) -> AsyncGenerator[Proxies]:
    """Put the proxies before the cloud."""
    async with Proxies.of(cloud) as proxies:
        yield proxies


@pytest.fixture
async def instance(
    hass: HomeAssistant, cloud: LocalCloud, user: User, proxies: Proxies, phone: Phone
) -> Instance:
    """Set up twenty lamps that are off."""
    instance = await Instance.build(hass, cloud, user, proxies, phone, LAMPS)
    await instance.set_up()
    return instance


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again within a fifth of a second, where the waiting is not what is tested."""
    monkeypatch.setattr(session, "Backoff", lambda: Backoff(first=0.05, limit=0.2))


@pytest.fixture
def slow_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands arrive between any two steps of setting up and of unloading."""
    set_up, unload = event.async_setup_entry, ConfigEntries.async_unload_platforms

    async def slow_set_up(*args: Any) -> None:
        await asyncio.sleep(0.05)
        await set_up(*args)

    async def slow_unload(*args: Any) -> bool:
        unloaded = await unload(*args)
        await asyncio.sleep(0.05)
        return unloaded

    monkeypatch.setattr(event, "async_setup_entry", slow_set_up)
    monkeypatch.setattr(ConfigEntries, "async_unload_platforms", slow_unload)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> float:
    """Give an HTTP request a second, and return how long that is."""
    deadline = 1.0
    monkeypatch.setattr(
        http_transport,
        "REQUEST_TIMEOUT",
        aiohttp.ClientTimeout(total=deadline, connect=deadline),
    )
    return deadline
