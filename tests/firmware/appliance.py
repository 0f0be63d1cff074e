"""What the simulated firmware drives: something with a state that is read and set."""

from typing import Protocol


class Appliance(Protocol):
    """A plug, a light or the like.

    Attributes:
        rom_version: what it activates with (protocol.md §4).
    """

    rom_version: str

    def set(self, segment: bytes) -> None:
        """Take the values in a pushed POST, as far as its parser finds them."""

    def answer(self, nonce: int) -> bytes:
        """Return the answer to a pushed GET or POST, spaced as the firmware writes it."""
