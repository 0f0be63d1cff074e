"""Home Assistants that restart: each restores what the last one stored."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from pytest_homeassistant_custom_component.common import async_test_home_assistant

from homeassistant import loader
from homeassistant.core import HomeAssistant
from homeassistant.helpers import frame, restore_state


@asynccontextmanager
async def home_assistant() -> AsyncGenerator[HomeAssistant]:
    """Run a Home Assistant, and stop it as a restart does."""
    async with async_test_home_assistant() as hass:
        # What the fixtures `hass` and `enable_custom_integrations` do.
        hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
        frame.async_setup(hass)
        # What the test plugin leaves out.
        restore = restore_state.async_get(hass)
        await restore.async_load()
        restore.async_setup_dump()
        yield hass
        await hass.async_stop(force=True)
