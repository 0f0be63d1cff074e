"""Firmware to upload: files that a device takes for its own (protocol.md §10.4)."""

from tests.firmware import image

NEW_VERSION = "v1.0.6t23701(a)"
"""Of the plugs, which run v1.0.5."""
SIZE = 250_000
"""Bytes of a file, about as many as real ones have."""


def make_files() -> dict[str, bytes]:
    """Return the files for both halves of the flash, by the names of the fields."""
    return {f"user{slot}": image.build(slot, SIZE) for slot in (1, 2)}
