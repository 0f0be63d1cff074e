"""What whoever embeds the cloud does with firmware."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from .errors import ApiError
from .firmware_listener import PORT as FIRMWARE_PORT, FirmwareListener, OnProgress
from .firmware_uploads import FirmwareUploads
from .models import Device, User
from .operator_calls import Operator
from .roms import Model
from .store import Store


class FirmwareCalls(ABC):
    """A part of LocalCloud, which has these attributes."""

    store: Store
    operator: Operator
    _uploads: FirmwareUploads
    _firmware_listener: FirmwareListener

    @abstractmethod
    async def flush(self) -> None:
        """Return when all that was changed so far is kept."""

    def firmware(self, ptype: int) -> list[str]:
        """Return the firmware versions for a kind of device, the newest first.

        Devices of a product have that of their product instead.
        """
        return self.store.roms.versions(Model(0, ptype))

    async def add_firmware(
        self, ptype: int, version: str, files: Mapping[str, bytes]
    ) -> None:
        """Add a version for a kind of device, both its files by their names, and offer it.

        It counts for the operator's account. Raises as `add_firmware_of`, and 403 without a reason
        where there is no account yet.
        """
        user = self.operator.user
        if user is None:
            raise ApiError(403, "there is no account yet")
        await self.add_firmware_of(user, Model(0, ptype), version, files)

    async def add_firmware_of(
        self, user: User, model: Model, version: str, files: Mapping[str, bytes]
    ) -> None:
        """Add a version for a model in the name of an account, and offer it.

        Whether the account may do so is for the caller to know. Raises ApiError as the API does
        (protocol.md §2.10), its `reason` one of those of FirmwareUploads.check and add, and 507 where
        it cannot be kept.
        """
        await self._uploads.check(model, version, files)
        self._uploads.add(user, model, version, files)
        await self.flush()

    async def remove_firmware(self, ptype: int, version: str) -> None:
        """Remove a version. Raises ApiError 404, its reason NOT_FOUND, without it, and 507."""
        self.store.remove_firmware(Model(0, ptype), version)
        await self.flush()

    def serving_firmware(
        self,
        device: Device,
        version: str,
        port: int = FIRMWARE_PORT,
        on_progress: OnProgress | None = None,
    ) -> AbstractAsyncContextManager[int]:
        """Let a device fetch a version meanwhile; enter before it is told to (see FirmwareListener)."""
        return self._firmware_listener.serving(device, version, port, on_progress)
