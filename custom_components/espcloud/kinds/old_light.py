"""A lamp of the old stream: a period and four channels (protocol.md §4, §10.3)."""

from dataclasses import replace
from typing import ClassVar, override

from .base import Command, ControllableKind, Datapoint, Write
from .light_scale import (
    LONGEST_PERIOD,
    PERIOD,
    Channels,
    Levels,
    period_maximum,
    to_channel,
    to_level,
)
from .light_state import LightMode, LightState
from .values import whole

STREAM = "light"
_RGB = frozenset({LightMode.RGB})
_RGBW = frozenset({LightMode.RGBW})
_CHANNELS = ("y", "z", "k", "l")


def old_datapoint(state: LightState) -> dict[str, int]:
    """Return a state as x, y, z, k and l: a command to a lamp, or a lamp's answer."""
    levels = zip(_CHANNELS, state.levels, strict=True)
    return {"x": PERIOD} | {name: to_channel(level) for name, level in levels}


def from_old_datapoint(
    state: LightState, datapoint: Datapoint, modes: frozenset[LightMode] = _RGB
) -> LightState:
    """Return the state of a lamp after a command of the old stream.

    What makes no sense changes nothing, and a channel that is missing stays.

    Args:
        state: the lamp's state before.
        datapoint: what arrived, on the scale of its period.
        modes: those that the lamp has.
    """
    if (channels := _channels(datapoint)) is None:
        return state
    maximum = period_maximum(_period(datapoint))
    return state.showing(_levels(state, channels, maximum), modes)


def _period(datapoint: Datapoint) -> int:
    period = whole(datapoint.get("x"))
    return period if period and PERIOD <= period <= LONGEST_PERIOD else PERIOD


def _channels(datapoint: Datapoint) -> Channels | None:
    """Return the channels, None where one makes no sense or all are missing."""
    found: list[int | None] = []
    for name in _CHANNELS:
        channel = whole(datapoint.get(name))
        impossible = channel is None or not (
            0 <= channel <= period_maximum(LONGEST_PERIOD)
        )
        if name in datapoint and impossible:
            return None
        found.append(channel)
    if all(channel is None for channel in found):
        return None
    red, green, blue, white = found
    return (red, green, blue, white)


def _levels(state: LightState, channels: Channels, maximum: int) -> Levels:
    red, green, blue, white = (
        before if channel is None else to_level(channel, maximum)
        for before, channel in zip(state.levels, channels, strict=True)
    )
    return (red, green, blue, white)


class OldLightKind(ControllableKind[LightState]):
    """A lamp of the old stream.

    Attributes:
        has_white: whether it has white LEDs, by a person's word. None: once a report
            shows them lit.
    """

    name: ClassVar[str] = "old_light"
    live = STREAM
    settles = 2.0

    def __init__(self, has_white: bool | None = None) -> None:
        """Note what a person says of the lamp."""
        self.has_white = has_white

    def modes(self, state: LightState) -> frozenset[LightMode]:
        """Return the modes that the lamp has, as far as is known."""
        has_white = state.white_seen if self.has_white is None else self.has_white
        return _RGBW if has_white else _RGB

    @property
    @override
    def initial(self) -> LightState:
        """Nothing is known; white at full brightness is what turning on leads to."""
        return LightState(mode=LightMode.RGBW if self.has_white else LightMode.RGB)

    @override
    def apply(self, state: LightState, stream: str, datapoint: Datapoint) -> LightState:
        """Take a report, and what it shows of the lamp itself."""
        if stream != STREAM or (channels := _channels(datapoint)) is None:
            return state
        period = _period(datapoint)
        read_back = state.read_back.learned(period, channels)
        state = replace(
            state,
            read_back=read_back,
            white_seen=state.white_seen or bool(channels[3]),
        )
        levels = _levels(state, channels, read_back.maximum(period))
        return state.showing(levels, self.modes(state))

    @override
    def command(self, state: LightState, goal: LightState) -> Write:
        """Return the datapoint with all channels, at the period that all lamps take."""
        return Write(STREAM, old_datapoint(self._possible(goal)))

    @override
    def acknowledged(
        self, goal: LightState, command: Command, datapoint: Datapoint | None
    ) -> LightState:
        """Return the goal: the answer is a moment of the fade (§10.2, 1)."""
        goal = self._possible(goal)
        return replace(goal, read_back=goal.read_back.after_set(goal.levels))

    def _possible(self, goal: LightState) -> LightState:
        """Return a goal without white where no white LEDs are known."""
        modes = self.modes(goal)
        return goal if goal.mode in modes else goal.showing(goal.levels, modes)
