"""The devices that a tour goes past, and what they have measured."""

from collections.abc import Iterator
from dataclasses import dataclass
import math
import time

SOCKETS = 3
READINGS = ((21.5, 48.0), (22.1, 47.2), (23.4, 45.0), (22.8, 46.1))
NEW_FIRMWARE = "v1.0.6t23701(a)"
"""Of the plug."""


def a_day() -> Iterator[dict[str, float]]:
    """Yield what the thermometer measured every half an hour of a day that ends now."""
    now = time.time()
    for number in range(48, 0, -1):
        warmth = math.cos((number / 48 + 1 / 4) * math.tau)
        yield {
            "at": now - 1800 * number,
            "x": round(22.5 + 2.5 * warmth, 1),
            "y": round(46 - 6 * warmth, 1),
        }


@dataclass(frozen=True, slots=True)
class Names:
    """What the devices are called."""

    lamp: str
    plug: str
    strip: str
    thermometer: str

    @property
    def kinds(self) -> dict[str, str]:
        """What the cloud calls the kind of each."""
        return {
            self.lamp: "light",
            self.plug: "plug",
            self.strip: "strip",
            self.thermometer: "humiture",
        }

    @property
    def firmware(self) -> dict[str, dict[str, object]]:
        """What the simulated firmware has to be told of each."""
        return {
            self.lamp: {"kind": "light", "retry": 1},
            self.plug: {"kind": "plug", "retry": 1},
            self.strip: {"kind": "strip", "retry": 1, "sockets": SOCKETS},
            self.thermometer: {"kind": "tem_hum"},
        }

    @property
    def entities(self) -> dict[str, int]:
        """How many entities each has."""
        return {self.lamp: 1, self.plug: 1, self.strip: SOCKETS, self.thermometer: 2}


NAMES = {
    "en": Names("Colour lamp", "Plug", "Power strip", "Thermometer"),
    "zh-Hans": Names("彩灯", "插座", "排插", "温湿度计"),
}
