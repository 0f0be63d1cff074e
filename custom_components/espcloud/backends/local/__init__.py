"""Home Assistant as the owner and the cloud: all that knows `local_cloud`."""

from .account import InvalidCredentialsError, LocalAccount
from .backend import LocalBackend
from .database import database_path, note_backup, remove_database
from .firmware import FILE_NAMES, FirmwareRefusedError
from .pending import PendingHardware
from .server import LocalServer, ServerSettings, ServerUnusableError

__all__ = [
    "FILE_NAMES",
    "FirmwareRefusedError",
    "InvalidCredentialsError",
    "LocalAccount",
    "LocalBackend",
    "LocalServer",
    "PendingHardware",
    "ServerSettings",
    "ServerUnusableError",
    "database_path",
    "note_backup",
    "remove_database",
]
