"""What the cloud asks of a device that Home Assistant is (protocol.md §3.4)."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from homeassistant.core import CALLBACK_TYPE, Context, callback

from .cloud import Push, PushRefusedError
from .commands import Command, CommandListener, OwnCommands
from .kinds.lamp import LampKind


class PushHandler:
    """Does what pushes say, and tells who listens.

    Attributes:
        context: of the last command: one for all the states that it changes, and that
            of whoever gave it where that was in Home Assistant.
        own_commands: those on their way from Home Assistant.
    """

    def __init__(
        self, publish: Callable[[Any], None], *, follows_state: Callable[[], bool]
    ) -> None:
        """Begin with nobody who listens.

        Args:
            publish: takes a new state.
            follows_state: tells whether anybody shows the state.
        """
        self.context = Context()
        self.own_commands = OwnCommands()
        self._publish = publish
        self._follows_state = follows_state
        self._listeners: list[CommandListener] = []

    @callback
    def listen(self, listener: CommandListener) -> CALLBACK_TYPE:
        """Call the listener with every command that arrives."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def handle(
        self, kind: LampKind, state: Any, push: Push
    ) -> Mapping[str, Any] | None:
        """Follow a push; return what a device adds to its answer (protocol.md §3.5).

        Args:
            kind: what the device is.
            state: how it is.
            push: what it is asked or told.

        Raises:
            PushRefusedError: no entity would hear it. The sender has to know.
        """
        action = push.action
        if action is None:
            return self._handle_datapoint(kind, state, push)
        goal = kind.apply_call(state, action, push.parameters)
        # The event hears every command, the light its own.
        if not self._listeners and (goal is None or not self._follows_state()):
            raise PushRefusedError(HTTPStatus.SERVICE_UNAVAILABLE)
        self.context = self.own_commands.context_of(action)
        # The event first: in Activity, the first in a context is the cause of the rest.
        if self._listeners:
            command = Command.from_push(action, push.parameters)
            for listener in list(self._listeners):
                listener(command)
        if goal is not None:
            self._publish(goal)
        return None

    def _handle_datapoint(
        self, kind: LampKind, state: Any, push: Push
    ) -> Mapping[str, Any] | None:
        """Answer as a device that says how it is, and does as it is told."""
        if not self._listeners and not self._follows_state():
            raise PushRefusedError(HTTPStatus.SERVICE_UNAVAILABLE)
        if (stream := push.stream) is None:
            # Timers, or something else for the device as a whole.
            return None
        told = push.body.get("datapoint")
        if not isinstance(told, dict):
            return {"datapoint": kind.answer(state, stream, None)}
        goal = kind.apply(state, stream, told)
        self.context = self.own_commands.context_of(stream)
        self._publish(goal)
        return {"datapoint": kind.answer(goal, stream, told)}
