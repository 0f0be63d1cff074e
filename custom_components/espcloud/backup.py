"""The database of the cloud in Home Assistant, whole in a backup."""

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .backends.local import LocalServer, ServerUnusableError
from .const import DOMAIN
from .devices import loaded_devices
from .entries import local_entry


async def async_pre_backup(hass: HomeAssistant) -> None:
    """Let the database file stay as it is until the backup is over; devices are served on.

    Raises:
        HomeAssistantError: that is not possible; a backup would be worth nothing.
    """
    if (server := _server(hass)) is None:
        return
    try:
        await server.async_prepare_backup()
    except ServerUnusableError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN, translation_key="backup_impossible"
        ) from err


async def async_post_backup(hass: HomeAssistant) -> None:
    """Let the database file change again."""
    if (server := _server(hass)) is not None:
        await server.async_finish_backup()


def _server(hass: HomeAssistant) -> LocalServer | None:
    """Return the cloud, None where none runs: then its file lies still by itself."""
    devices = loaded_devices(local_entry(hass))
    return devices.server if devices is not None else None
