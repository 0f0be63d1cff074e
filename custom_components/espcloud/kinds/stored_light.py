"""What is known of a lamp and nobody else keeps, as JSON can hold it."""

from collections.abc import Mapping
from typing import Any

from .light import LightKind
from .light_scale import ReadBack
from .light_state import LightMode, LightState, Rgb
from .values import whole


def as_stored(state: LightState) -> dict[str, Any]:
    """Return what outlives a restart of a lamp that says itself whether it is on.

    That is its color, which it does not say while it is off, and how it reports.
    """
    return {
        "mode": state.mode.value,
        "color": list(state.color),
        "white": state.white,
        "brightness": state.brightness,
        "white_seen": state.white_seen,
        "is_rtos": state.read_back.is_rtos,
        "proven": state.read_back.proven,
    }


def from_stored(stored: Mapping[str, Any], kind: LightKind) -> LightState:
    """Return the state of a lamp that has not said anything since.

    It is the kind's initial one for nonsense, and where the lamp was of another kind then.
    """
    color, brightness = read_color(stored), read_brightness(stored)
    white = whole(stored.get("white"))
    flags = [stored.get(name) for name in ("white_seen", "is_rtos", "proven")]
    if (
        color is None
        or brightness is None
        or white is None
        or not 0 <= white <= 255
        or stored.get("mode") not in tuple(LightMode)
        or not all(isinstance(flag, bool) for flag in flags)
    ):
        return kind.initial
    white_seen, is_rtos, proven = map(bool, flags)
    state = LightState(
        mode=LightMode(stored["mode"]),
        color=color,
        white=white,
        brightness=brightness,
        white_seen=white_seen,
        read_back=ReadBack(is_rtos=is_rtos, proven=proven),
    )
    return state if state.mode in kind.modes(state) else kind.initial


def read_color(stored: Mapping[str, Any]) -> Rgb | None:
    """Return a stored color, None where there is none."""
    color = stored.get("color")
    if not isinstance(color, list) or len(color) != 3:
        return None
    channels = [whole(channel) for channel in color]
    if any(channel is None or not 0 <= channel <= 255 for channel in channels):
        return None
    red, green, blue = color
    return (red, green, blue)


def read_brightness(stored: Mapping[str, Any]) -> int | None:
    """Return a stored brightness, None where there is none."""
    brightness = whole(stored.get("brightness"))
    return brightness if brightness is not None and 1 <= brightness <= 255 else None
