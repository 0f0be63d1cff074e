"""The firmware that the cloud in Home Assistant has for its devices (protocol.md §2.10)."""

from collections.abc import Mapping

from ...local_cloud import LocalCloud
from ...local_cloud.errors import ApiError, Reason
from ...local_cloud.firmware import FILE_NAMES, read_version

__all__ = ["FILE_NAMES", "FirmwareRefusedError", "LocalFirmware"]


class FirmwareRefusedError(Exception):
    """What was uploaded is no firmware, or there is no room for it.

    Attributes:
        defect: what is wrong, the translation key of an error.
    """

    def __init__(self, defect: str) -> None:
        """Say what is wrong."""
        super().__init__(defect)
        self.defect = defect

    @property
    def is_about_version(self) -> bool:
        """Whether the version is what is wrong, rather than the files."""
        return self.defect in ("firmware_bad_version", "firmware_exists")


class LocalFirmware:
    """Versions of firmware, each for the kind of device that it names."""

    def __init__(self, cloud: LocalCloud) -> None:
        """Keep them in `cloud`."""
        self._cloud = cloud

    def versions(self) -> list[str]:
        """Return all versions, those of each kind with the newest in front."""
        ptypes = sorted({file.ptype for file in self._cloud.store.roms.files.values()})
        return [version for ptype in ptypes for version in self._cloud.firmware(ptype)]

    async def async_add(self, version: str, files: Mapping[str, bytes]) -> None:
        """Add a version with both its files by their names.

        Raises:
            FirmwareRefusedError: it is none that a device could run.
        """
        try:
            await self._cloud.add_firmware(read_version(version).ptype, version, files)
        except ApiError as err:
            raise FirmwareRefusedError(_defect(err)) from err

    async def async_remove(self, version: str) -> None:
        """Remove a version, if it is there."""
        try:
            await self._cloud.remove_firmware(read_version(version).ptype, version)
        except ApiError as err:
            if err.status != 404:
                raise FirmwareRefusedError(_defect(err)) from err


def _defect(err: ApiError) -> str:
    match err.reason:
        case Reason.BAD_VERSION:
            return "firmware_bad_version"
        case Reason.NOT_FIRMWARE:
            return "firmware_no_image"
        case Reason.TOO_LARGE:
            return "firmware_too_large"
        case Reason.BAD_CHECKSUM:
            return "firmware_damaged"
        case Reason.SAME_FILE:
            return "firmware_same_file"
        case Reason.EXISTS:
            return "firmware_exists"
        case Reason.TOO_MANY_VERSIONS | Reason.NO_SPACE:
            return "firmware_no_space"
    return "firmware_not_kept"
