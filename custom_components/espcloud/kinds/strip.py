"""A power strip: several sockets in one number (protocol.md §4, §10.1)."""

from dataclasses import dataclass, replace
from typing import ClassVar, override

from .base import Change, ControllableKind, Datapoint, Write
from .values import whole

STREAM = "plugs"
# The app reads the mask into an integer of Java; no strip is known with more than five.
MAX_SOCKETS = 16


@dataclass(frozen=True, slots=True)
class StripState:
    """Which sockets are on.

    Attributes:
        mask: bit 0 is the first socket. None while the strip has not said it.
        count: how many sockets there are, 0 while the strip has not said it.
    """

    mask: int | None = None
    count: int = 0

    def is_on(self, index: int) -> bool | None:
        """Tell whether a socket, the first being 0, is on; None where it is not known."""
        if self.mask is None or not 0 <= index < self.count:
            return None
        return bool(self.mask >> index & 1)


def switched(index: int, on: bool) -> Change[StripState]:
    """Return the change that switches one socket, the first being 0.

    It changes nothing of a strip whose other sockets are not known: they would go off.
    """

    def change(state: StripState) -> StripState:
        if state.is_on(index) is None or state.mask is None:
            return state
        bit = 1 << index
        return replace(state, mask=state.mask | bit if on else state.mask & ~bit)

    return change


def toggled(index: int) -> Change[StripState]:
    """Return the change of one socket to its other state."""
    return lambda state: switched(index, not state.is_on(index))(state)


class StripKind(ControllableKind[StripState]):
    """A power strip. A command names all sockets, so it is right only upon a fresh state."""

    name: ClassVar[str] = "strip"
    live = STREAM
    changes_by_hand = True
    merges = False
    reads_first = True

    @property
    @override
    def initial(self) -> StripState:
        """Nothing is known."""
        return StripState()

    @override
    def apply(self, state: StripState, stream: str, datapoint: Datapoint) -> StripState:
        """Take x, the mask, and y, the number of sockets, where each makes sense."""
        if stream != STREAM:
            return state
        count = whole(datapoint.get("y"))
        if count is None or not 1 <= count <= MAX_SOCKETS:
            count = state.count
        mask = whole(datapoint.get("x"))
        if mask is None or not 0 <= mask < 1 << MAX_SOCKETS:
            mask = state.mask
        if mask is not None and count:
            mask &= (1 << count) - 1
        return StripState(mask, count)

    @override
    def command(self, state: StripState, goal: StripState) -> Write:
        """Return the datapoint that sets all sockets.

        Raises:
            ValueError: the strip has not said which of its sockets are on.
        """
        if goal.mask is None:
            raise ValueError("which sockets are on is not known")
        return Write(STREAM, {"x": goal.mask})
