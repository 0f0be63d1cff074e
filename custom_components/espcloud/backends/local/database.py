"""Where the cloud keeps what has to last."""

from pathlib import Path
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import STORAGE_DIR

from ...const import DOMAIN

_BESIDE: Final = ("-wal", "-shm", ".lock")
"""What SQLite and local_cloud put beside a database."""


def database_path(hass: HomeAssistant) -> Path:
    """Return where the database is; a backup of Home Assistant's takes its folder."""
    return Path(hass.config.path(STORAGE_DIR, f"{DOMAIN}.db"))


def remove_database(path: Path) -> None:
    """Remove the database and what is beside it, if it is there. It blocks."""
    for suffix in ("", *_BESIDE):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
