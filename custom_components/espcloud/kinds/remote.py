"""An infrared remote control: it sends, and has no state (protocol.md §4, §10.1)."""

from dataclasses import dataclass
from typing import ClassVar, override

from .base import Change, Command, ControllableKind, Datapoint, Write

STREAM = "remote"


@dataclass(frozen=True, slots=True)
class Signal:
    """What the remote control sends.

    Attributes:
        address: which kind of appliance listens.
        command: the button.
        repetitions: how often it is sent again.
    """

    address: int
    command: int
    repetitions: int = 0


type RemoteState = Signal | None
"""None, but in a goal: the signal that is to be sent."""


def sent(signal: Signal) -> Change[RemoteState]:
    """Return the wish to send a signal."""
    return lambda _: signal


class RemoteKind(ControllableKind[RemoteState]):
    """A remote control. Each signal counts, an equal one again too."""

    name: ClassVar[str] = "remote"
    merges = False

    @property
    @override
    def initial(self) -> RemoteState:
        """There is nothing to know."""
        return None

    @override
    def apply(
        self, state: RemoteState, stream: str, datapoint: Datapoint
    ) -> RemoteState:
        """Change nothing, whatever the device says."""
        return state

    @override
    def command(self, state: RemoteState, goal: RemoteState) -> Write:
        """Return the datapoint that sends the signal; raises ValueError without one."""
        if goal is None:
            raise ValueError("no signal to send")
        return Write(
            STREAM, {"x": goal.address, "y": goal.command, "z": goal.repetitions}
        )

    @override
    def acknowledged(
        self, goal: RemoteState, command: Command, datapoint: Datapoint | None
    ) -> RemoteState:
        """Return no state: the signal is gone."""
        return None
