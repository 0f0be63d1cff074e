"""A device connection as the rest of the cloud sees it."""

from typing import Protocol

from .models import Device
from .outbox import Outbox


class Link(Protocol):
    """One connection of the device door."""

    device: Device | None
    """The device that identified on it."""
    outbox: Outbox

    def send(self, frame: bytes) -> None:
        """Send one frame, given without its newline."""

    def close(self) -> None:
        """End the connection once all that was sent is through; no more is read or answered."""

    def abort(self) -> None:
        """Reset the connection at once."""
