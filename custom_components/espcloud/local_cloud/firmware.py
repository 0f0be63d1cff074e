"""Which firmware the cloud has files of (protocol.md §2.10)."""

from collections.abc import Callable

from .models import Device

type HasFirmware = Callable[[Device, str], bool]
"""Says whether there are files of a version for a device."""


def no_firmware(_device: Device, _version: str) -> bool:
    """Say that there is none."""
    return False
