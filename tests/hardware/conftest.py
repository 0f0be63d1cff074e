"""A home of simulated devices, and the account that has them."""

from collections.abc import AsyncGenerator, Generator

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


@pytest.fixture(autouse=True)
def nothing_deprecated(caplog: pytest.LogCaptureFixture) -> Generator[None]:
    """Fail where Home Assistant complains of how it is used; it does so once in a run."""
    yield
    for when in ("setup", "call"):
        for record in caplog.get_records(when):
            assert "Detected that custom integration" not in record.getMessage()


@pytest.fixture
async def house(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> AsyncGenerator[House]:
    """Return an empty house."""
    async with House(hass, cloud, user) as house:
        yield house
