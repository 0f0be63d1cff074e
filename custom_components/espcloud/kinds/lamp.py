"""A lamp that Home Assistant is: it does what anybody asks of it (protocol.md §3.4, §4).

Actions turn it on and off, as in the cloud's tutorial; so do the datapoints of the app,
which also color it.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, ClassVar, override

from .base import Call, Command, ControllableKind, Datapoint, Write
from .light import (
    LightMode,
    LightState,
    from_new_datapoint,
    from_old_datapoint,
    new_datapoint,
    old_datapoint,
)
from .new_light import STREAM as LIGHT_STREAM, Status
from .plug import STREAM as PLUG_STREAM
from .rpc import DimAction
from .stored_light import read_brightness, read_color
from .values import whole

_RGB = frozenset({LightMode.RGB})


class LampShows(StrEnum):
    """What a lamp shows of the light that it is told to give."""

    ONOFF = "onoff"
    BRIGHTNESS = "brightness"
    COLOR = "color"


class LampKind(ControllableKind[LightState]):
    """A lamp, with the names of its actions.

    Attributes:
        turn_on: the action that turns it on.
        turn_off: the action that turns it off.
        shows: what it shows of brightness and color.
        dim: the action that sets its brightness, None for none.
    """

    name: ClassVar[str] = "lamp"
    merges = False

    def __init__(
        self,
        turn_on: str,
        turn_off: str,
        *,
        shows: LampShows = LampShows.ONOFF,
        dim: DimAction | None = None,
    ) -> None:
        """Note what a person chose."""
        self.turn_on = turn_on
        self.turn_off = turn_off
        self.shows = shows
        self.dim = dim

    @property
    @override
    def initial(self) -> LightState:
        """Nobody has said anything yet."""
        return LightState()

    def apply_call(
        self, state: LightState, action: str, parameters: Mapping[str, Any]
    ) -> LightState | None:
        """Return the state after an action, None where that is none of the lamp's."""
        if action == self.turn_on:
            return state if state.is_on else state.switched(True)
        if action == self.turn_off:
            return state if state.is_on is False else state.switched(False)
        if self.dim is not None and action == self.dim.action:
            brightness = self.dim.brightness(parameters, before=state.brightness)
            if brightness is None:
                return state
            if not brightness:
                return state.switched(False)
            return replace(state, is_on=True, brightness=brightness)
        return None

    @override
    def apply(self, state: LightState, stream: str, datapoint: Datapoint) -> LightState:
        """Take a command by a datapoint: of a plug, or of either light."""
        if stream == PLUG_STREAM:
            x = whole(datapoint.get("x"))
            return state.switched(x == 1) if x in (0, 1) else state
        if stream != LIGHT_STREAM:
            return state
        if _is_new(datapoint):
            # The white of the app is a color here.
            return from_new_datapoint(state, _without_white(datapoint), _RGB)
        return from_old_datapoint(state, datapoint, _RGB)

    def answer(
        self, state: LightState, stream: str, asked: Datapoint | None
    ) -> Datapoint:
        """Return what a device says of itself when it is asked or told something.

        Args:
            state: how it is, after what it was told.
            stream: the datastream.
            asked: what it was told, None where it is only asked.
        """
        if stream == LIGHT_STREAM:
            if asked is not None and _is_new(asked):
                return new_datapoint(state)
            # What it answers to a question is what its version stands for: the old
            # stream (`virtual_rom_version`).
            return old_datapoint(state)
        if stream == PLUG_STREAM or not asked:
            return {"x": int(bool(state.is_on))}
        # A stream of the person's own: as a plug that does as it is told.
        return asked

    @override
    def command(self, state: LightState, goal: LightState) -> Command:
        """Return the action where that is enough, else a datapoint with the color."""
        if not goal.is_on:
            return Call(self.turn_off, {})
        if (goal.color, goal.brightness) == (state.color, state.brightness):
            return Call(self.turn_on, {})
        if self.dim is not None and goal.color == state.color:
            return self.dim.call(goal.brightness)
        return Write(LIGHT_STREAM, old_datapoint(goal))

    @staticmethod
    def as_stored(state: LightState) -> dict[str, Any]:
        """Return a state as JSON can hold it."""
        stored: dict[str, Any] = {"is_on": state.is_on}
        if (state.color, state.brightness) != ((255, 255, 255), 255):
            stored |= {"color": list(state.color), "brightness": state.brightness}
        return stored

    @staticmethod
    def from_stored(stored: Mapping[str, Any]) -> LightState:
        """Return a stored state; what is no state is none."""
        is_on = stored.get("is_on")
        if not isinstance(is_on, bool):
            return LightState()
        color, brightness = read_color(stored), read_brightness(stored)
        if color is not None and brightness is not None:
            return LightState(is_on, color=color, brightness=brightness)
        return LightState(is_on)


def _is_new(datapoint: Datapoint) -> bool:
    """Tell whether a datapoint of the stream `light` is of the new kind (protocol.md §4).

    The old one has a period where the new one has a status.
    """
    return isinstance(datapoint.get("z"), Mapping) or (
        whole(datapoint.get("x")) in tuple(Status)
    )


def _without_white(datapoint: Datapoint) -> Datapoint:
    """Return a datapoint of the new light with white as a color, for a lamp without it."""
    colors = datapoint.get("z")
    if not isinstance(colors, Mapping):
        return datapoint
    white = whole(colors.get("white", 0)) or 0
    if whole(datapoint.get("x")) == Status.WHITE:
        colors = dict.fromkeys(("red", "green", "blue"), white)
        return {**datapoint, "x": int(Status.COLOR), "z": colors}
    return {**datapoint, "z": {**colors, "white": 0}}
