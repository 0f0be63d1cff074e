"""What the simulated firmware drives: something with a state that is read and set."""

from abc import ABC, abstractmethod
from typing import Any


class Appliance(ABC):
    """A plug, a light or the like.

    Attributes:
        rom_version: what it activates with (protocol.md §4).
    """

    rom_version: str

    @property
    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What a person who stands beside it sees; JSON."""

    @abstractmethod
    def set(self, segment: bytes) -> None:
        """Take the values in a pushed POST, as far as its parser finds them."""

    @abstractmethod
    def answer(self, nonce: int) -> bytes:
        """Return the answer to a pushed GET or POST, spaced as the firmware writes it."""

    def press(self, button: int) -> None:
        """Press a button, the first being 0. Raises ValueError where there is none."""
        raise ValueError(f"it has no button {button}")

    def perform(self, action: str) -> None:
        """Do what a timer says; what it does not know, it leaves."""
