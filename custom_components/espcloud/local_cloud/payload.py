"""What a list says of a device's state: `payload`, of its latest stored datapoints (protocol.md §2.5)."""

from collections.abc import Callable
from typing import Any

from .models import Datapoint
from .wire import JsonObject

_CHANNELS = ("y", "z", "k", "l")
_COLORS = ("red", "green", "blue", "white")


def payload_of(latest: Callable[[str], Datapoint | None]) -> JsonObject | None:
    """Return what the latest points of the datastreams `light` and `rssi` say, None for nothing.

    `rssi` is the signal strength in dBm, `info` the color of a light as `#rrggbb`, with two digits
    more where its white is on.
    """
    payload: JsonObject = {}
    light, rssi = latest("light"), latest("rssi")
    if light and (color := _color(light.values)):
        payload["info"] = color
    if rssi and _is_number(rssi.values.get("x")):
        payload["rssi"] = round(rssi.values["x"])
    return payload or None


def _color(values: JsonObject) -> str | None:
    """Return the color of a light of the old or the new stream (protocol.md §4, §10.3)."""
    if isinstance(colors := values.get("z"), dict):
        channels, most = [colors.get(name, 0) for name in _COLORS], 255
    else:
        most = full_level(values.get("x"))
        channels = [values.get(name, 0) for name in _CHANNELS]
    if not all(map(_is_number, channels)):
        return None
    levels = [max(0, min(255, round(255 * each / most))) for each in channels]
    if not levels[-1]:
        levels.pop()
    return "#" + bytes(levels).hex()


def full_level(period: Any) -> int:
    """Return the largest number of a channel of the old stream (protocol.md §4).

    `period` is that of its PWM in µs; what can be none counts as 1000, the one that apps set.
    """
    is_period = _is_number(period) and 1000 <= period <= 10_000
    return int((period if is_period else 1000) * 1000 // 45)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)
