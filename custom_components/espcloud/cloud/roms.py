"""Firmware that the cloud has for a device (protocol.md §2.10)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from .errors import UnexpectedAnswerError
from .fields import read_each, shown_text, text
from .text import printable

ROM_FILES: Final = frozenset({"user1.bin", "user2.bin"})
"""The files of a version: one for each of the two slots that firmware is run from."""
MAX_VERSION_TEXT: Final = 15
"""Characters that firmware keeps of the version it is told (protocol.md §3.7)."""


@dataclass(frozen=True, slots=True)
class RomVersion:
    """A version of the firmware.

    Attributes:
        version: its name, such as `v1.0.6t23701(a)`.
        files: the names of its files.
        notes: what its maker says of it, of one or more lines; "" for nothing.
    """

    version: str
    files: frozenset[str]
    notes: str = ""

    @classmethod
    def from_record(cls, rom: Mapping[str, Any]) -> Self:
        """Read one of `productRoms`; raises UnexpectedAnswerError without a version."""
        version = text(rom, "version")
        if not version or version != printable(version):
            raise UnexpectedAnswerError("firmware without a version")
        files = rom.get("files")
        return cls(
            version=version,
            files=frozenset(
                name
                for file in (files if isinstance(files, list) else [])
                if isinstance(file, dict) and (name := shown_text(file, "name"))
            ),
            # No record with such a text was ever seen; it is what the API calls the
            # text that goes with a record everywhere else.
            notes="\n".join(map(printable, text(rom, "description").splitlines())),
        )


@dataclass(frozen=True, slots=True)
class Roms:
    """All firmware for a device.

    Attributes:
        recommended: the version that the cloud recommends, "" for none.
        versions: what there is, in the cloud's order.
    """

    recommended: str
    versions: tuple[RomVersion, ...]

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any]) -> Self:
        """Read the answer of `GET /v1/device/rom/`.

        Raises:
            UnexpectedAnswerError: there is no list of versions.
        """
        versions = read_each(answer, "productRoms", RomVersion.from_record)
        return cls(shown_text(answer, "recommended_rom_version"), tuple(versions))

    def find(self, version: str) -> RomVersion | None:
        """Return a version, None where the cloud does not have it."""
        return next((each for each in self.versions if each.version == version), None)

    def has(self, version: str) -> bool:
        """Tell whether a device could be sent to fetch this version.

        Both files have to be there: which one a device asks for depends on the slot that
        is free at that moment, which nobody is told, and it writes whatever it gets into
        its flash, the text of an error as well. For the same reason no version is longer
        than what firmware keeps of it: it would ask for another one.
        """
        found = self.find(version)
        return (
            found is not None
            and len(version) <= MAX_VERSION_TEXT
            and found.files >= ROM_FILES
        )
