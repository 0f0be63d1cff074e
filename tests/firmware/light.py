"""The light of the old stream (protocol.md §3.5, §3.9, 7, §4, §10.2)."""

from typing import Any

from . import parser
from .appliance import Appliance
from .clock import MACHINE_CLOCK, Clock
from .fade import FADE, Fade

_CHANNELS = ("y", "z", "k", "l")
_USUAL_PERIOD = 1000
RTOS_SCALE = 1023
"""What RTOS reports a full channel as; NONOS reports the number that it was set to."""


class Light(Appliance):
    """Five numbers: the period, red, green, blue, white.

    Attributes:
        values: the numbers that it was set to, by their names on the wire.
    """

    rom_version = "v1.0.5t45772(a)"

    def __init__(
        self,
        *,
        scale: int | None = RTOS_SCALE,
        fade: float = FADE,
        clock: Clock = MACHINE_CLOCK,
    ) -> None:
        """Begin dark.

        Args:
            scale: what it reports a full channel as; None is as it was set.
            fade: how many seconds it takes to where it was set.
            clock: what it measures them with.
        """
        self._scale = scale
        self._period = _USUAL_PERIOD
        self._channels = Fade(dict.fromkeys(_CHANNELS, 0), clock, fade)

    @property
    def values(self) -> dict[str, int]:
        """The numbers that it was set to."""
        return {"x": self._period, **self._channels.goal}

    @property
    def shown(self) -> dict[str, int]:
        """The numbers that it reports at this moment."""
        full = self._period * 1000 // 45
        return {
            "x": self._period,
            **{
                name: value if self._scale is None else value * self._scale // full
                for name, value in self._channels.now().items()
            },
        }

    @property
    def state(self) -> dict[str, Any]:
        """What it was set to, and what it reports."""
        return {"values": self.values, "shown": self.shown}

    def set(self, segment: bytes) -> None:
        """Take each value that a comma follows, and begin to fade."""
        values = {
            name: int(text) for name, text in parser.light_values(segment).items()
        }
        if not values:
            return
        period = values.pop("x", self._period)
        self._period = period if 1000 <= period <= 10000 else _USUAL_PERIOD
        self._channels.begin({**self._channels.goal, **values})

    def answer(self, nonce: int) -> bytes:
        """Answer with where the fade is, its spaces mixed as the firmware mixes them."""
        point = ",".join(f'"{name}": {value}' for name, value in self.shown.items())
        return (
            b'{"status": 200,"nonce": %d, "datapoint": {%b},"deliver_to_device":true}\n'
            % (nonce, point.encode())
        )
