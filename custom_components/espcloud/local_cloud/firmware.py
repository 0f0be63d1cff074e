"""What a firmware version and its files look like (protocol.md §4, §10.4)."""

from collections.abc import Mapping
import re
from typing import NamedTuple
import zlib

from .errors import Reason, bad_request

FILE_NAMES = ("user1.bin", "user2.bin")
"""The files of a version: which one a device asks for depends on the half of its flash that is free."""
MAX_VERSION = 15
"""Characters of a version that a device keeps."""
MAX_IMAGE = 1 << 20
"""Bytes of a file: what the flash of an ESP8266 maps at most."""
_MIN_IMAGE = 16
_MAGIC = (0xE9, 0xEA)
_VERSION = re.compile(r"[vb]([0-9]+)\.([0-9]+)\.([0-9]+)t([0-9]+)\([olan]\)")


class FirmwareVersion(NamedTuple):
    """A version, `[v|b]A.B.Ct<ptype>(<flag>)`: the greater one has the greater numbers."""

    numbers: tuple[int, ...]
    """A, B, C."""
    ptype: int
    """The kind of device that it is for."""


def read_version(text: str) -> FirmwareVersion:
    """Return what a version says. Raises ApiError 400 for any other text."""
    match = _VERSION.fullmatch(text)
    if match is None or len(text) > MAX_VERSION:
        raise bad_request(
            "version must be of the form v1.0.5t23701(a), its letter a, l, n or o, "
            f"with at most {MAX_VERSION} characters",
            Reason.BAD_VERSION,
        )
    *numbers, ptype = map(int, match.groups())
    return FirmwareVersion(tuple(numbers), ptype)


def check_files(files: Mapping[str, bytes]) -> None:
    """Refuse what are not the two files of a version, by their names.

    It takes milliseconds for files of a MiB. Raises ApiError 400, its reason one of FILE_MISSING,
    TOO_LARGE, NOT_FIRMWARE, BAD_CHECKSUM and SAME_FILE.
    """
    if set(files) != set(FILE_NAMES):
        raise bad_request(
            f"files must be {' and '.join(FILE_NAMES)}, both of them",
            Reason.FILE_MISSING,
        )
    for name, image in files.items():
        _check_image(name, image)
    if len(set(files.values())) < len(files):
        raise bad_request(
            f"{' and '.join(FILE_NAMES)} are the same file: each is linked for its own half of "
            "the flash",
            Reason.SAME_FILE,
        )


def _check_image(name: str, image: bytes) -> None:
    """Refuse what a device would write into its flash in vain, or never boot from."""
    if not _MIN_IMAGE <= len(image) <= MAX_IMAGE:
        raise bad_request(
            f"{name} must have {_MIN_IMAGE} to {MAX_IMAGE} bytes",
            Reason.TOO_LARGE if len(image) > MAX_IMAGE else Reason.NOT_FIRMWARE,
        )
    if image[0] not in _MAGIC:
        raise bad_request(
            f"{name} is no firmware: its first byte is not E9 or EA",
            Reason.NOT_FIRMWARE,
        )
    if int.from_bytes(image[-4:], "little") != checksum(memoryview(image)[:-4]):
        raise bad_request(
            f"{name} is damaged or not complete: its checksum is wrong. Build it with "
            "gen_appbin.py, boot mode 1 or 2",
            Reason.BAD_CHECKSUM,
        )


def checksum(image: bytes | memoryview) -> int:
    """Return what stands in the last four bytes, little-endian, behind the rest of an image.

    Devices leave out the inversion at the end of a CRC32 and take the result for a signed number,
    of which they compare the absolute value (protocol.md §10.4).
    """
    signed = ~zlib.crc32(image) & 0xFFFF_FFFF
    return min(signed, (1 << 32) - signed)
