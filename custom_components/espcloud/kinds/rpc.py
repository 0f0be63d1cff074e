"""A device of a person's own: actions turn it on and off (protocol.md §2.8, §10.1)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, override

from .base import Call, Change, Command, ControllableKind, Datapoint
from .self_made import StreamTemplate, self_made_quantities, with_self_made_point
from .sensors import NO_READINGS, Measuring, Quantity, Readings
from .values import number


@dataclass(frozen=True, slots=True)
class RpcState:
    """What the last command made of the device, and what it has measured.

    Attributes:
        is_on: None before any command.
        is_answered: whether the device has ever answered a command, so that there is more
            to it than what was sent.
        brightness: 1 to 255, of the last command that said one, None before. It outlives
            being off.
        readings: the newest numbers of its datastreams, by keys such as `tem_hum-x`.
    """

    is_on: bool | None = None
    is_answered: bool = False
    brightness: int | None = None
    readings: Readings = NO_READINGS


def turned_on(brightness: int | None = None) -> Change[RpcState]:
    """Return the change that turns on, at a brightness of 1 to 255; 0 turns off."""

    def change(state: RpcState) -> RpcState:
        if brightness is None:
            return replace(state, is_on=True)
        if brightness <= 0:
            return replace(state, is_on=False)
        return replace(state, is_on=True, brightness=brightness)

    return change


def turned_off() -> Change[RpcState]:
    """Return the change that turns off."""
    return lambda state: replace(state, is_on=False)


def toggled() -> Change[RpcState]:
    """Return the change to the other state; what is not known to be on, goes on."""
    return lambda state: replace(state, is_on=not state.is_on)


@dataclass(frozen=True, slots=True)
class DimAction:
    """An action that sets a brightness, such as DIM with a `level` of 0 to 100.

    Attributes:
        action: its name.
        parameter: which of its parameters is the brightness; 0 is off.
        maximum: what full brightness is, at least 1.
    """

    action: str
    parameter: str = "level"
    maximum: int = 100

    def __post_init__(self) -> None:
        """Refuse what cannot be; raises ValueError."""
        if self.maximum < 1:
            raise ValueError("the brightest level is at least 1")

    def level(self, brightness: int) -> int:
        """Return the level of a brightness of 1 to 255, which is never 0."""
        return max(1, (brightness * self.maximum * 2 + 255) // 510)

    def call(self, brightness: int) -> Call:
        """Return the command that sets a brightness of 1 to 255."""
        return Call(self.action, {self.parameter: str(self.level(brightness))})

    def brightness(
        self, parameters: Mapping[str, Any], *, before: int | None
    ) -> int | None:
        """Return what the parameters of this action mean: 0 to 255, 0 being off.

        None where they make no sense.

        Args:
            parameters: those of the action, texts.
            before: the brightness before, 1 to 255: it stays where its level is meant.
        """
        level = _number_in(parameters.get(self.parameter))
        if level is None or not 0 <= level <= self.maximum:
            return None
        if before is not None and level == self.level(before):
            return before
        return max(1, int(level * 255 / self.maximum + 0.5)) if level else 0


def _number_in(text: str | None) -> float | None:
    """Return the number that a parameter, which is a text (§2.8), holds."""
    if not isinstance(text, str):
        return None
    try:
        return number(float(text))
    except ValueError:
        return None


class RpcKind(Measuring[RpcState], ControllableKind[RpcState]):
    """A device of a person's own.

    Attributes:
        turn_on_action: the action that turns it on.
        turn_off_action: the action that turns it off.
        dim: the action that sets its brightness, None where it has none.
        templates: what its product says of its datastreams.
        is_silent: whether it never answers, so that what was sent counts as done.
        is_switch: whether it is a switch to people, rather than a light.
    """

    name: ClassVar[str] = "rpc"
    # An action may do more than turn on or off.
    merges = False

    def __init__(
        self,
        turn_on_action: str,
        turn_off_action: str,
        *,
        dim: DimAction | None = None,
        templates: tuple[StreamTemplate, ...] = (),
        is_silent: bool = False,
        is_switch: bool = False,
    ) -> None:
        """Note what a person says of the device."""
        self.is_silent = is_silent
        self.is_switch = is_switch
        self.turn_on_action = turn_on_action
        self.turn_off_action = turn_off_action
        self.dim = dim
        self.templates = templates
        self.stored = tuple(dict.fromkeys(each.name for each in templates))

    @property
    @override
    def initial(self) -> RpcState:
        """Nothing is known."""
        return RpcState()

    @override
    def apply(self, state: RpcState, stream: str, datapoint: Datapoint) -> RpcState:
        """Take the numbers of a point of any stream; what is on they do not say."""
        readings = with_self_made_point(state.readings, stream, datapoint)
        return (
            state if readings is state.readings else replace(state, readings=readings)
        )

    @override
    def command(self, state: RpcState, goal: RpcState) -> Call:
        """Return the action that leads to the goal; raises ValueError for an unknown one."""
        if goal.is_on is None:
            raise ValueError("a device goes on or off")
        if not goal.is_on:
            return Call(self.turn_off_action, {})
        if (
            self.dim is not None
            and goal.brightness is not None
            and goal.brightness != state.brightness
        ):
            return self.dim.call(goal.brightness)
        return Call(self.turn_on_action, {})

    @override
    def acknowledged(
        self, goal: RpcState, command: Command, datapoint: Datapoint | None
    ) -> RpcState:
        """Return the goal, and whether the device itself has said that it is reached."""
        return replace(goal, is_answered=not self.is_silent)

    @override
    def quantities(self, state: RpcState) -> tuple[Quantity, ...]:
        """Return what templates name and points have shown."""
        return self_made_quantities(self.templates, state.readings)

    @override
    def readings(self, state: RpcState) -> Readings:
        """Return the newest numbers."""
        return state.readings
