"""Commands to the devices of an account, held against what the devices did."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

type Set = tuple[Any, Any]
"""What a device was before it was set, and what it was set to."""


@dataclass(slots=True)
class Order:
    """A command.

    Attributes:
        text: what was commanded, for people.
        fits: whether a device that was set so was set by this.
        burst: of which commands that were given together it is one.
        merges: whether one that follows in the burst may stand for it.
        is_done: what Home Assistant said in the end, None before.
    """

    text: str
    fits: Callable[[Set], bool]
    burst: int
    merges: bool = True
    is_done: bool | None = None

    def __repr__(self) -> str:
        """Return what a failed check shows."""
        outcome = {True: "done", False: "failed", None: "?"}[self.is_done]
        return f"{self.burst}: {self.text}, {outcome}"


def explain(orders: Sequence[Order], seen: Sequence[Set]) -> bool:
    """Tell whether a device that was commanded so, and only so, may have been set so.

    In the order given, each command sets it at most once. One that was reported as done has
    set it, or else the one that stood for it has; one that was reported as failed may have.
    """

    @cache
    def fits(at: int, place: int, waits: bool) -> bool:
        """Go on from an order and a place; `waits` for one that stands for those before."""
        if at == len(orders):
            return place == len(seen) and not waits
        order = orders[at]
        ends_burst = at + 1 == len(orders) or orders[at + 1].burst != order.burst
        if (
            place < len(seen)
            and order.fits(seen[place])
            and fits(at + 1, place + 1, False)
        ):
            return True
        # It has not set the device itself.
        if order.is_done and (ends_burst or not order.merges):
            return False
        if waits and (ends_burst or not order.merges):
            return False
        return fits(at + 1, place, waits or bool(order.is_done))

    return fits(0, 0, False)
