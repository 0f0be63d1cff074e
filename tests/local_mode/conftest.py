"""A home in which Home Assistant is the cloud."""

from collections.abc import AsyncGenerator
from pathlib import Path
import socket

import pytest

from custom_components.espcloud import discoveries
from custom_components.espcloud.backends.local import backend, server
from homeassistant.core import HomeAssistant

from .home import HOST, Home


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listen where tests may, and wait for no person: what is tested is what comes of it."""
    monkeypatch.setattr(server, "HOSTS", (HOST,))
    monkeypatch.setattr(discoveries, "MOST_PATIENCE", 3.0)
    monkeypatch.setattr(backend, "READ_BUTTON_EVERY", 0.1)
    monkeypatch.setattr(backend, "READ_EVERY", 0.1)


@pytest.fixture(autouse=True)
def storage(hass: HomeAssistant, tmp_path: Path) -> None:
    """Give the database a folder of its own."""
    hass.config.config_dir = str(tmp_path)
    (tmp_path / ".storage").mkdir()


@pytest.fixture
def port() -> int:
    """Return a port that is free."""
    with socket.create_server((HOST, 0)) as server_socket:
        return int(server_socket.getsockname()[1])


@pytest.fixture
async def home(hass: HomeAssistant, port: int) -> AsyncGenerator[Home]:
    """Return a home without devices, its cloud not set up yet."""
    async with Home(hass, port) as home:
        yield home
