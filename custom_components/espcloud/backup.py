"""The database of the cloud in Home Assistant, whole in a backup."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .backends.local import LocalServer, ServerUnusableError, note_backup
from .const import DOMAIN
from .devices import loaded_devices
from .entries import local_entry


async def async_pre_backup(hass: HomeAssistant) -> None:
    """Let the database file stay as it is until the backup is over; devices are served on.

    A cloud that is set up meanwhile, or again, leaves the file alone as well.

    Raises:
        HomeAssistantError: that is not possible; a backup would be worth nothing.
    """
    async with _settled_server(hass) as server:
        if server is not None:
            try:
                await server.async_prepare_backup()
            except ServerUnusableError as err:
                raise HomeAssistantError(
                    translation_domain=DOMAIN, translation_key="backup_impossible"
                ) from err
        note_backup(hass, is_running=True)


async def async_post_backup(hass: HomeAssistant) -> None:
    """Let the database file change again."""
    async with _settled_server(hass) as server:
        note_backup(hass, is_running=False)
        if server is not None:
            await server.async_finish_backup()


@asynccontextmanager
async def _settled_server(hass: HomeAssistant) -> AsyncGenerator[LocalServer | None]:
    """Return the cloud, None where none runs; its entry is not set up or unloaded meanwhile."""
    entry = local_entry(hass)
    async with nullcontext() if entry is None else entry.setup_lock:
        devices = loaded_devices(entry)
        yield devices.server if devices is not None else None
