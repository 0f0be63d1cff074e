"""What every kind of device has in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

type Datapoint = Mapping[str, Any]
"""The values x, y, z, k, l of a datastream at one moment (protocol.md §2.7)."""


@dataclass(frozen=True, slots=True)
class Write:
    """A command by a datapoint of a datastream (protocol.md §2.7)."""

    stream: str
    datapoint: Datapoint


@dataclass(frozen=True, slots=True)
class Call:
    """A command by an action, an RPC (protocol.md §2.8)."""

    action: str
    parameters: Mapping[str, str]


type Command = Write | Call

type Change[StateT] = Callable[[StateT], StateT]
"""What a person wants: from the state that a device has to the one that it shall have."""


class Kind[StateT](ABC):
    """What a device is: turns the wire into a frozen state.

    A kind does no I/O and knows neither a backend nor Home Assistant. It holds what a
    person has chosen for the device, and nothing that changes while it works.

    Attributes:
        name: what settings and diagnostics call it.
        live: the datastream that the device itself answers, None where it answers none.
        stored: the datastreams whose stored points are its state.
        points_at_once: how many of them a device posts together.
        is_silent: whether it never answers an action, so that sending one has to do.
        changes_by_hand: whether a person can change it at the device, which tells nobody.
        window: seconds without a sign of life after which the device is off-line.
    """

    name: ClassVar[str]
    live: str | None = None
    stored: tuple[str, ...] = ()
    points_at_once: int = 1
    is_silent: bool = False
    changes_by_hand: bool = False
    window: float = 60.0

    @property
    @abstractmethod
    def initial(self) -> StateT:
        """The state of a device of which nothing is known."""

    @abstractmethod
    def apply(self, state: StateT, stream: str, datapoint: Datapoint) -> StateT:
        """Return the state after a datapoint; one that makes no sense changes nothing.

        `datapoint` comes from the far end: any member may be missing or of any type.
        """

    def newest(self, datapoints: Sequence[Datapoint]) -> Datapoint | None:
        """Return the newest of points that came together, None where there is none.

        They are in the order of an answer, which has the newest first, each with its `at`
        (protocol.md §2.7).
        """
        return datapoints[0] if datapoints else None


class ControllableKind[StateT](Kind[StateT]):
    """A kind that can be told what to do.

    Attributes:
        merges: whether of several changes that wait it is enough to send their outcome.
        reads_first: whether a command is only right upon what the device says just then.
        settles: seconds that the device takes to reach what it was set to; until then
            what it says is a moment on the way (protocol.md §10.2).
    """

    merges: bool = True
    reads_first: bool = False
    settles: float = 0.0

    @abstractmethod
    def command(self, state: StateT, goal: StateT) -> Command:
        """Return the command that brings a device from a state to its goal."""

    def acknowledged(
        self, goal: StateT, command: Command, datapoint: Datapoint | None
    ) -> StateT:
        """Return the state of a device that has answered a command with status 200.

        Args:
            goal: what it was told to reach.
            command: how it was told.
            datapoint: what it says of itself in the answer, None for nothing.
        """
        if self.settles or datapoint is None or not isinstance(command, Write):
            return goal
        return self.apply(goal, command.stream, datapoint)
