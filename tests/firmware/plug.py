"""The plug (protocol.md §3.5, §3.9, 6)."""

from typing import Any

from . import parser
from .appliance import Appliance


class Plug(Appliance):
    """A socket with a relay, and a button of which it tells nobody.

    Attributes:
        is_on: whether the relay is closed.
        history: what it was set to, oldest first, the button included.
    """

    rom_version = "v1.0.5t23701(a)"

    def __init__(self) -> None:
        """Begin switched off."""
        self.is_on = False
        self.history: list[bool] = []

    @property
    def state(self) -> dict[str, Any]:
        """Whether it is on."""
        return {"x": int(self.is_on)}

    def press(self, button: int = 0) -> None:
        """Switch it by its button: nothing is sent (protocol.md §10.2, 2)."""
        if button:
            super().press(button)
        self._switch(not self.is_on)

    def set(self, segment: bytes) -> None:
        """Take the one character at its place; without it the plug stays as it is."""
        value = parser.plug_value(segment)
        if value in ("0", "1"):
            self._switch(value == "1")

    def answer(self, nonce: int) -> bytes:
        """Answer every pushed GET and POST with the state, whatever the path."""
        return (
            b'{"status": 200, "datapoint": {"x": %d}, "nonce": %d, '
            b'"deliver_to_device": true}\n' % (self.is_on, nonce)
        )

    def perform(self, action: str) -> None:
        """Switch on, off or over."""
        match action:
            case "on_switch":
                self._switch(True)
            case "off_switch":
                self._switch(False)
            case "on_off_switch":
                self._switch(not self.is_on)

    def _switch(self, on: bool) -> None:
        self.is_on = on
        self.history.append(on)
