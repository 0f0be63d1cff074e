"""A home of simulated devices, and the account that has them."""

from collections.abc import AsyncGenerator

import pytest

from custom_components.espcloud.backends import polling
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import User
from homeassistant.core import HomeAssistant

from .house import House


@pytest.fixture(autouse=True)
def quick_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask every few milliseconds: what is tested is what comes of it."""
    monkeypatch.setattr(polling, "SPACING", 0.01)
    monkeypatch.setattr(polling, "ROUND", 0.1)


@pytest.fixture
async def house(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> AsyncGenerator[House]:
    """Return an empty house."""
    async with House(hass, cloud, user) as house:
        yield house
