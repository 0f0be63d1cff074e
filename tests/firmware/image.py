"""Images as Espressif's tools build them and its bootloader takes them (protocol.md §10.4)."""

import zlib

_FIRST = 0xEA


def build(slot: int, size: int = 4000) -> bytes:
    """Return an image for a half of the flash: 1 or 2."""
    content = bytes([_FIRST, slot, 2, 0x10]) + bytes(
        (number * number * (slot + 2)) >> 3 & 0xFF for number in range(size - 8)
    )
    return content + _checksum(content)


def is_bootable(image: bytes) -> bool:
    """Say what the firmware says of what it has written."""
    return _checksum(image[:-4]) == image[-4:]


def _checksum(content: bytes) -> bytes:
    """Return what the tool appends: it reads the CRC32 as a signed number."""
    crc = zlib.crc32(content)
    value = (1 << 32) - crc - 1 if crc >= 1 << 31 else crc + 1
    return value.to_bytes(4, "little")
