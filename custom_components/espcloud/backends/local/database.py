"""Where the cloud keeps what has to last, and whether somebody copies it now."""

from pathlib import Path
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.util.hass_dict import HassKey

from ...const import DOMAIN

_BESIDE: Final = ("-wal", "-shm", ".lock")
"""What SQLite and local_cloud put beside a database."""
_BACKUP: HassKey[bool] = HassKey(f"{DOMAIN}_backup_is_running")


def database_path(hass: HomeAssistant) -> Path:
    """Return where the database is; a backup of Home Assistant's takes its folder."""
    return Path(hass.config.path(STORAGE_DIR, f"{DOMAIN}.db"))


def backup_is_running(hass: HomeAssistant) -> bool:
    """Tell whether a backup of Home Assistant's copies the database now."""
    return hass.data.get(_BACKUP, False)


def note_backup(hass: HomeAssistant, *, is_running: bool) -> None:
    """Note that a backup begins or is over: a cloud that starts meanwhile has to know."""
    hass.data[_BACKUP] = is_running


def remove_database(path: Path) -> None:
    """Remove the database and what is beside it, if it is there. It blocks."""
    for suffix in ("", *_BESIDE):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
