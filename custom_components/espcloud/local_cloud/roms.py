"""The firmware versions that were uploaded, and their files (protocol.md §2.10)."""

from typing import NamedTuple

from .errors import ApiError, Reason
from .firmware import FILE_NAMES, read_version
from .models import Device, Product, RomFile, User
from .rom_files import RomFiles
from .store_context import StoreContext


class Model(NamedTuple):
    """What firmware is for: a product, or a kind of device where it is of no product."""

    product_id: int
    ptype: int

    @classmethod
    def of(cls, item: Device | Product) -> Model:
        """Return the model of a device, or that of the devices of a product."""
        product_id = item.id if isinstance(item, Product) else item.product_id
        return cls(product_id, item.ptype)


class Roms:
    """Every version has both its files, since a device asks for one or the other."""

    def __init__(self, context: StoreContext) -> None:
        """Start empty."""
        self._context = context
        self.files: dict[int, RomFile] = {}
        self.contents = RomFiles(context)
        self._last_read: tuple[int, bytes] | None = None
        self._of_model: dict[Model, dict[str, dict[str, RomFile]]] = {}
        """By model and version: the files by their names."""
        self._sizes: dict[int, int] = {}
        """By account: the bytes of all that it uploaded."""

    def versions(self, model: Model) -> list[str]:
        """Return the versions of which both files are there, the newest first.

        Of two with the same numbers the one that was uploaded later is newer.
        """
        uploaded = self._of_model.get(model, {})
        complete = [text for text, files in uploaded.items() if _is_complete(files)]
        return sorted(complete, key=read_version)[::-1]

    def latest(self, model: Model) -> str:
        """Return the newest version, an empty text where there is none."""
        return next(iter(self.versions(model)), "")

    def has(self, device: Device, version: str) -> bool:
        """Say whether the device can upgrade to this version."""
        return _is_complete(self._of_model.get(Model.of(device), {}).get(version, {}))

    def find(self, model: Model, version: str, name: str) -> RomFile:
        """Return a file. Raises ApiError 404 without it, in the gateway's words (protocol.md §2.2)."""
        file = self._of_model.get(model, {}).get(version, {}).get(name)
        if file is None:
            raise bin_not_found()
        return file

    async def read(self, file: RomFile) -> bytes:
        """Return what is in a file. Raises ApiError 404 where it was removed meanwhile.

        Who downloads in slices asks for the same file again and again: the last one is kept.
        """
        if self._last_read is None or self._last_read[0] != file.id:
            try:
                content = await self.contents.read(file.id)
            except LookupError:
                raise bin_not_found() from None
            if file.id in self.files:
                self._last_read = file.id, content
            return content
        return self._last_read[1]

    def size_of(self, user: User) -> int:
        """Return how many bytes of firmware the account has uploaded."""
        return self._sizes.get(user.id, 0)

    def add(
        self, user: User, model: Model, version: str, files: dict[str, bytes]
    ) -> None:
        """Add a version with its files by their names, all of them checked by the caller."""
        now = self._context.now()
        for name, content in files.items():
            file = RomFile(
                id=self._context.next_id("rom_files"),
                created=now,
                updated=now,
                product_id=model.product_id,
                ptype=model.ptype,
                user_id=user.id,
                version=version,
                name=name,
                size=len(content),
            )
            self.contents.put(file.id, content)
            self.put(file)
            self._context.changed(file)

    def is_new(self, file: RomFile) -> bool:
        """Say whether the record is one that `add` may have made, and no other has its place."""
        try:
            read_version(file.version)
        except ApiError:
            return False
        versions = self._of_model.get(Model(file.product_id, file.ptype), {})
        return file.name in FILE_NAMES and file.name not in versions.get(
            file.version, {}
        )

    def put(self, file: RomFile) -> None:
        """Enter the record of a file."""
        self.files[file.id] = file
        versions = self._of_model.setdefault(Model(file.product_id, file.ptype), {})
        versions.setdefault(file.version, {})[file.name] = file
        self._sizes[file.user_id] = self._sizes.get(file.user_id, 0) + file.size

    def remove(self, model: Model, version: str) -> None:
        """Remove a version. Raises ApiError 404 where there is none."""
        files = self._of_model.get(model, {}).get(version)
        if not files:
            raise bin_not_found()
        for file in list(files.values()):
            self.take_out(file)
            self._context.removed(file)

    def take_out(self, file: RomFile) -> None:
        """Take the record of a file out."""
        del self.files[file.id]
        versions = self._of_model[Model(file.product_id, file.ptype)]
        del versions[file.version][file.name]
        if not versions[file.version]:
            del versions[file.version]
        self._sizes[file.user_id] -= file.size
        if self._last_read is not None and self._last_read[0] == file.id:
            self._last_read = None


def bin_not_found() -> ApiError:
    """Answer that there is no such file, in the gateway's words (protocol.md §2.2)."""
    return ApiError(404, "bin not found", Reason.NOT_FOUND)


def _is_complete(files: dict[str, RomFile]) -> bool:
    return all(name in files for name in FILE_NAMES)
