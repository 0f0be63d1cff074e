"""The commands that arrive at a device."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from homeassistant.core import Context

# Home Assistant's own limit of a state, and enough for any that means something.
LONGEST_TEXT = 255


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


@dataclass(slots=True)  # not frozen, which takes twice as long to make
class Command:
    """A command that arrived.

    Attributes:
        action: its name.
        parameters: what came with it, texts as the cloud delivers them. Each text is cut
            to what Home Assistant keeps, with a mark at its end.
    """

    action: str
    parameters: dict[str, str]

    @classmethod
    def from_push(cls, action: str, parameters: Mapping[str, Any]) -> Self:
        """Read what a push brings along with its action (protocol.md §3.4)."""
        return cls(
            _cut(action),
            {
                _cut(name): _cut(value)
                for name, value in parameters.items()
                # The cloud delivers texts and nothing else (protocol.md §2.8);
                # the states must not take what something else sends.
                if name != "action" and isinstance(value, str)
            },
        )


type CommandListener = Callable[[Command], None]


class OwnCommands:
    """The commands on their way from Home Assistant, to know them when they arrive.

    A push does not say who sent it. One that has the action of a command under way is
    that command, and is to be credited to whoever gave it here.
    """

    def __init__(self) -> None:
        """Begin with nothing on its way."""
        self._under_way: list[tuple[str, Context]] = []

    @contextmanager
    def sending(self, action: str, context: Context | None) -> Iterator[None]:
        """Expect the command to arrive, for as long as the block lasts."""
        sent = (action, context or Context())
        self._under_way.append(sent)
        try:
            yield
        finally:
            if sent in self._under_way:
                self._under_way.remove(sent)

    def context_of(self, action: str) -> Context:
        """Return the context of a command that arrives: its sender's, or a new one."""
        for sent in self._under_way:
            if sent[0] == action:
                # The next one like it is somebody else's.
                self._under_way.remove(sent)
                return sent[1]
        return Context()
