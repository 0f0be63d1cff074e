"""A lamp of the new stream: a status and a color (protocol.md §4, §10.3)."""

from collections.abc import Mapping
from dataclasses import replace
from enum import IntEnum
from typing import Any, ClassVar, override

from .base import ControllableKind, Datapoint, Write
from .light_scale import PERIOD, Levels
from .light_state import LightMode, LightState
from .values import whole

STREAM = "light"
_MODES = frozenset({LightMode.RGB, LightMode.WHITE})
_COLORS = ("red", "green", "blue", "white")


class Status(IntEnum):
    """What x says."""

    OFF = 0
    ON = 1
    COLOR = 2
    WHITE = 3


def new_command(state: LightState) -> dict[str, Any]:
    """Return the command that brings a lamp to a state, as the app sends it (§4)."""
    red, green, blue, white = state.levels
    if not any(state.levels):
        return {"x": int(Status.OFF), "y": PERIOD}
    if not (red or green or blue):
        return {"x": int(Status.WHITE), "y": PERIOD, "z": {"white": white}}
    color = {"red": red, "green": green, "blue": blue}
    if white:
        color["white"] = white
    return {"x": int(Status.COLOR), "y": PERIOD, "z": color}


def new_datapoint(state: LightState) -> dict[str, Any]:
    """Return a state as a lamp answers it, with all colors: the app needs each."""
    levels = dict(zip(_COLORS, state.levels, strict=True))
    return {"x": new_command(state)["x"], "y": PERIOD, "z": levels}


def from_new_datapoint(
    state: LightState, datapoint: Datapoint, modes: frozenset[LightMode] = _MODES
) -> LightState:
    """Return the state of a lamp after a report or a command of the new stream.

    What makes no sense changes nothing, and a color that is missing stays. A status of
    on brings back the last color where none comes with it.

    Args:
        state: the lamp's state before.
        datapoint: what arrived.
        modes: those that the lamp has.
    """
    status = whole(datapoint.get("x"))
    if status == Status.OFF:
        return replace(state, is_on=False)
    colors = datapoint.get("z", {})
    if status not in tuple(Status) or not isinstance(colors, Mapping):
        return state
    if (levels := _levels(state, colors)) is None:
        return state
    red, green, blue, white = levels
    if status == Status.ON:
        if not colors or not any(levels):
            return replace(state, is_on=True)
        has_color = bool(red or green or blue)
        keeps_white = state.mode is LightMode.WHITE and white
        status = Status.WHITE if keeps_white or not has_color else Status.COLOR
    if status == Status.COLOR:
        with_white = LightMode.RGBW in modes and "white" in colors
        return state.showing((red, green, blue, white if with_white else 0), modes)
    if modes & {LightMode.WHITE, LightMode.RGBW}:
        return state.showing((0, 0, 0, white), modes)
    return state.showing((white, white, white, 0), modes)


def _levels(state: LightState, colors: Mapping[str, Any]) -> Levels | None:
    """Return the levels with those that are named, None where one makes no sense."""
    found: list[int] = []
    for name, before in zip(_COLORS, state.levels, strict=True):
        level = whole(colors.get(name, before))
        if level is None or not 0 <= level <= 255:
            return None
        found.append(level)
    red, green, blue, white = found
    return (red, green, blue, white)


class NewLightKind(ControllableKind[LightState]):
    """A lamp of the new stream, from firmware b1.3.0t45772(o) on."""

    name: ClassVar[str] = "new_light"
    live = STREAM
    settles = 2.0

    def modes(self, state: LightState) -> frozenset[LightMode]:
        """Return the modes that the lamp has: all of them."""
        return _MODES

    @property
    @override
    def initial(self) -> LightState:
        """Nothing is known; white at full brightness is what turning on leads to."""
        return LightState()

    @override
    def apply(self, state: LightState, stream: str, datapoint: Datapoint) -> LightState:
        """Take a report."""
        return from_new_datapoint(state, datapoint) if stream == STREAM else state

    @override
    def command(self, state: LightState, goal: LightState) -> Write:
        """Return the datapoint that says all: status, and the color of it."""
        return Write(STREAM, new_command(goal))
