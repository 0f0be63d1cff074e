"""The light of the new stream, firmware b1.3.0t45772(o) and later (protocol.md §4, §10.1, §10.3).

How it reads a POST and what it reports after x = 1 is nowhere described: it is taken to look for each
member by its name, and to report the status that it was set to.
"""

from typing import Any

from . import parser
from .appliance import Appliance
from .clock import MACHINE_CLOCK, Clock
from .fade import FADE, Fade

_COLORS, _WHITE = ("red", "green", "blue"), "white"
OFF, ON, COLOR, WHITE = range(4)


class NewLight(Appliance):
    """A status, a period, and four channels of 0 to 255.

    Attributes:
        status: 0 off, 1 on, 2 color, 3 white.
        lit: the channels of the last status that was not off.
    """

    rom_version = "b1.3.0t45772(o)"

    def __init__(self, *, fade: float = FADE, clock: Clock = MACHINE_CLOCK) -> None:
        """Begin off; on is full white. See Light for the arguments."""
        self.status = OFF
        self.lit = {**dict.fromkeys(_COLORS, 0), _WHITE: 255}
        self._period = 1000
        self._channels = Fade(dict.fromkeys(self.lit, 0), clock, fade)

    @property
    def values(self) -> dict[str, Any]:
        """The datapoint that it was set to."""
        return {"x": self.status, "y": self._period, "z": self._channels.goal}

    @property
    def shown(self) -> dict[str, Any]:
        """The datapoint that it reports at this moment."""
        return {**self.values, "z": self._channels.now()}

    @property
    def state(self) -> dict[str, Any]:
        """What it was set to, and what it reports."""
        return {"values": self.values, "shown": self.shown}

    def set(self, segment: bytes) -> None:
        """Take the status, and with a color or white the channels that belong to it."""
        found = parser.numbers(segment, "light", ("x", "y", *_COLORS, _WHITE))
        if (status := found.get("x")) not in {OFF, ON, COLOR, WHITE}:
            return
        self.status = status
        self._period = found.get("y", self._period)
        names = {COLOR: _COLORS, WHITE: (_WHITE,)}.get(status, ())
        if names:
            self.lit = {
                name: found.get(name, 0) & 0xFF if name in names else 0
                for name in self.lit
            }
        self._channels.begin(self.lit if status else dict.fromkeys(self.lit, 0))

    def answer(self, nonce: int) -> bytes:
        """Answer with where the fade is, an object in z."""
        point = self.shown
        channels = ",".join(f'"{name}": {value}' for name, value in point["z"].items())
        return (
            b'{"status": 200,"nonce": %d, "datapoint": {"x": %d,"y": %d,"z": {%b}},'
            b'"deliver_to_device":true}\n'
            % (nonce, point["x"], point["y"], channels.encode())
        )
