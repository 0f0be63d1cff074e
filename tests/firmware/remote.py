"""The infrared remote control (protocol.md §4, §10.1).

What it answers is nowhere described: it is taken to be what it sent last.
"""

from typing import Any

from . import parser
from .appliance import Appliance

_NAMES = ("x", "y", "z")


class Remote(Appliance):
    """A sender of infrared commands.

    Attributes:
        sent: the commands, oldest first: address, command, repetitions.
    """

    rom_version = "v1.0.5t2355(a)"

    def __init__(self) -> None:
        """Begin with nothing sent."""
        self.sent: list[tuple[int, int, int]] = []

    @property
    def state(self) -> dict[str, Any]:
        """What it sent."""
        return {"sent": [list(command) for command in self.sent]}

    def set(self, segment: bytes) -> None:
        """Send a command, once all three of its numbers are there."""
        found = parser.numbers(segment, "remote", _NAMES)
        if len(found) == len(_NAMES):
            self.sent.append((found["x"], found["y"], found["z"]))

    def answer(self, nonce: int) -> bytes:
        """Answer with the last command, zeros before there was any."""
        x, y, z = self.sent[-1] if self.sent else (0, 0, 0)
        return (
            b'{"status": 200, "datapoint": {"x": %d,"y": %d,"z": %d}, "nonce": %d, '
            b'"deliver_to_device": true}\n' % (x, y, z, nonce)
        )
