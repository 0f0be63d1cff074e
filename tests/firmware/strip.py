"""The power strip (protocol.md §4, §10.1).

How it reads a POST is nowhere described: it is taken to look at the plug's fixed place, from which
it derives.
"""

import re
from typing import Any

from . import parser
from .appliance import Appliance

_ACTION = re.compile(r"(on|off|on_off)_switch([0-9a-fA-F]{2})")


class Strip(Appliance):
    """Sockets with a relay and a button each, of which it tells nobody.

    Attributes:
        mask: the closed relays, the first socket being bit 0.
        sockets: how many there are.
        history: the masks that it had, oldest first, buttons included.
    """

    rom_version = "v1.0.5t47446(a)"

    def __init__(self, sockets: int = 4) -> None:
        """Begin switched off."""
        self.mask = 0
        self.sockets = sockets
        self.history: list[int] = []

    @property
    def state(self) -> dict[str, Any]:
        """The mask and the number of sockets."""
        return {"x": self.mask, "y": self.sockets}

    def press(self, button: int) -> None:
        """Switch one socket."""
        if not 0 <= button < self.sockets:
            super().press(button)
        self._switch(self.mask ^ 1 << button)

    def set(self, segment: bytes) -> None:
        """Take the mask; bits of sockets that are not there get lost."""
        value = parser.strip_value(segment)
        if value is not None:
            self._switch(value)

    def answer(self, nonce: int) -> bytes:
        """Answer with mask and number, whatever the path."""
        return (
            b'{"status": 200, "datapoint": {"x": %d,"y": %d}, "nonce": %d, '
            b'"deliver_to_device": true}\n' % (self.mask, self.sockets, nonce)
        )

    def perform(self, action: str) -> None:
        """Switch the sockets that the action's two digits name on, off or over (protocol.md §2.9)."""
        if match := _ACTION.fullmatch(action):
            verb, bits = match[1], int(match[2], 16)
            switched = {"on": self.mask | bits, "off": self.mask & ~bits}
            self._switch(switched.get(verb, self.mask ^ bits))

    def _switch(self, mask: int) -> None:
        self.mask = mask & (1 << self.sockets) - 1
        self.history.append(self.mask)
