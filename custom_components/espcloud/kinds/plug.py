"""A plug: one relay (protocol.md §4, §10.1)."""

from dataclasses import dataclass
from typing import ClassVar, override

from .base import Change, ControllableKind, Datapoint, Write
from .values import whole

STREAM = "plug-status"


@dataclass(frozen=True, slots=True)
class PlugState:
    """Whether the relay is closed, None while nobody has said so."""

    is_on: bool | None = None


def switched(on: bool) -> Change[PlugState]:
    """Return the change that switches a plug."""
    return lambda _: PlugState(on)


def toggled() -> Change[PlugState]:
    """Return the change to the other state; what is not known to be on, goes on."""
    return lambda state: PlugState(not state.is_on)


class PlugKind(ControllableKind[PlugState]):
    """A plug. Of its button it tells nobody, so it has to be asked (§10.2, 2)."""

    name: ClassVar[str] = "plug"
    live = STREAM
    changes_by_hand = True

    @property
    @override
    def initial(self) -> PlugState:
        """Nothing is known."""
        return PlugState()

    @override
    def apply(self, state: PlugState, stream: str, datapoint: Datapoint) -> PlugState:
        """Take x, 0 or 1."""
        x = whole(datapoint.get("x"))
        return PlugState(x == 1) if stream == STREAM and x in (0, 1) else state

    @override
    def command(self, state: PlugState, goal: PlugState) -> Write:
        """Return the datapoint that switches; raises ValueError for an unknown goal."""
        if goal.is_on is None:
            raise ValueError("a plug goes on or off")
        return Write(STREAM, {"x": int(goal.is_on)})
