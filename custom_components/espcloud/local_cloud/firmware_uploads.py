"""Taking firmware in, over the API or from within the process (protocol.md §2.10)."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Executor

from .errors import ApiError, Reason, bad_request
from .firmware import check_files, read_version
from .models import User
from .quotas import Quotas
from .roms import Model
from .store import Store


class FirmwareUploads:
    """Adds versions that devices can boot from, and no others: first `check` them, then `add`."""

    def __init__(self, store: Store, quotas: Quotas, workers: Executor) -> None:
        """Keep firmware in `store`, within `quotas`; calculate checksums on `workers`."""
        self._store = store
        self._quotas = quotas
        self._workers = workers

    async def check(
        self, model: Model, version: str, files: Mapping[str, bytes]
    ) -> None:
        """Refuse what is no firmware for these devices.

        Raises ApiError 400, its reason one of BAD_VERSION, OTHER_KIND, and those of `check_files`.
        """
        check_version(model, version)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._workers, check_files, files)

    def add(
        self, user: User, model: Model, version: str, files: Mapping[str, bytes]
    ) -> None:
        """Add what was checked, and offer it to the devices if it is the newest.

        Raises ApiError 409 with the reason EXISTS, and 403 with TOO_MANY_VERSIONS or NO_SPACE.
        """
        if version in self._store.roms.versions(model):
            raise ApiError(
                409, "this version is there already: delete it first", Reason.EXISTS
            )
        self._quotas.check_firmware(user, model, sum(map(len, files.values())))
        self._store.add_firmware(user, model, version, dict(files))


def check_version(model: Model, version: str) -> None:
    """Raise ApiError 400, its reason BAD_VERSION or OTHER_KIND, for what is no version of these."""
    if read_version(version).ptype != model.ptype:
        raise bad_request(
            f"version is of another kind: t{model.ptype} is needed", Reason.OTHER_KIND
        )
