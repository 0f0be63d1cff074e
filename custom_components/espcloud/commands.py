"""The commands that arrive at a device."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(slots=True)  # not frozen, which takes twice as long to make
class Command:
    """A command that arrived.

    Attributes:
        action: its name.
        parameters: what came with it, texts as the cloud delivers them.
    """

    action: str
    parameters: dict[str, str]

    @classmethod
    def from_push(cls, action: str, parameters: Mapping[str, Any]) -> Self:
        """Read what a push brings along with its action (protocol.md §3.4)."""
        return cls(
            action,
            {
                name: value
                for name, value in parameters.items()
                # The cloud delivers texts and nothing else (protocol.md §2.8);
                # the states must not take what something else sends.
                if name != "action" and isinstance(value, str)
            },
        )


type CommandListener = Callable[[Command], None]
