"""A real local cloud for every test that asks for one."""

from collections.abc import AsyncGenerator, Generator
import logging
from logging.handlers import BufferingHandler

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

import custom_components.espcloud  # noqa: F401 - else the test plugin's own folder of that name wins
from custom_components.espcloud import refusals
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.core import HomeAssistant
from homeassistant.helpers import frame

from .common import account_entry, wait_for_state
from .credentials import EMAIL, PASSWORD


@pytest.fixture(autouse=True)
def loopback(socket_enabled: None) -> None:
    """Let every test open sockets; the test plugin confines them to loopback."""


@pytest.fixture(autouse=True)
def nothing_deprecated() -> Generator[None]:
    """Fail where Home Assistant complains of how it is used; it does so once in a run.

    It listens by itself: the test plugin's caplog would put every test to DEBUG, and
    Home Assistant would then log every state, with the parameters of a command.
    """
    logger = logging.getLogger(frame.__name__)
    handler = BufferingHandler(capacity=1000)
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)
    complaints = [record.getMessage() for record in handler.buffer]
    assert not [text for text in complaints if "custom integration" in text]


@pytest.fixture
def hass(hass: HomeAssistant, enable_custom_integrations: None) -> HomeAssistant:
    """Return a Home Assistant that finds this integration."""
    return hass


@pytest.fixture
def first_refusal_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a refused key for gone at once, where the patience is not what is tested."""
    monkeypatch.setattr(refusals, "LEAST_APART", 0.0)


@pytest.fixture
async def cloud() -> AsyncGenerator[LocalCloud]:
    """Run a local cloud on free ports of loopback."""
    cloud = LocalCloud()
    await cloud.start()
    yield cloud
    await cloud.close()


@pytest.fixture
async def user(cloud: LocalCloud) -> User:
    """Make an account."""
    return await cloud.add_account(EMAIL, PASSWORD)


@pytest.fixture
def device(cloud: LocalCloud, user: User) -> Device:
    """Make a device of that account."""
    return cloud.add_device("Desk lamp", user)


@pytest.fixture
async def entry(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> MockConfigEntry:
    """Set up the account with its lamp."""
    entry = await account_entry(hass, cloud, user.id, device)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, "light.desk_lamp", "unknown")
    return entry
