"""One device: what it is, how it is reached, and the state that comes of both."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
import logging
from typing import TYPE_CHECKING, Any, override

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .availability import Availability
from .backends.base import Backend
from .cloud import CloudDevice, CloudError, Push, UnexpectedAnswerError
from .command_queue import CommandQueue
from .commands import CommandListener
from .device_info import async_register_device
from .errors import translating
from .freshness import Freshness
from .identity import Identity
from .kinds.base import Call, Change, ControllableKind, Datapoint, Kind, Write
from .kinds.lamp import LampKind
from .push_handler import PushHandler

if TYPE_CHECKING:
    # What makes the coordinators, and so imports this.
    from .devices import EspCloudDevices

type EspCloudConfigEntry = ConfigEntry[EspCloudDevices]

_LOGGER = logging.getLogger(__name__)

type StateListener = Callable[[], None]


class EspCloudCoordinator(DataUpdateCoordinator[Any]):
    """Holds what a device is and the way to it, and publishes the state of its kind.

    Listeners of the coordinator itself hear whether the device is there. What arrives
    has listeners of its own, since a command that nobody hears is not acknowledged.

    Attributes:
        kind: what the device is; `data` is a state of this kind.
        backend: the way to the device.
        identity: which device it is.
        subentry: what a person has chosen for it, None for nothing.
        suggested_area: where it probably is.
        availability: whether the device is there.
        entities: its entities, as long as they are there.
        freshness: which of its answers are worth taking over.
        entity_ids: the unique ids of the entities that it has, there or disabled.
    """

    config_entry: EspCloudConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: EspCloudConfigEntry,
        *,
        name: str,
        identity: Identity,
        kind: Kind[Any],
        backend: Backend,
        subentry: ConfigSubentry | None = None,
        suggested_area: str | None = None,
        state: Any = None,
        remember: Callable[[Any], None] | None = None,
        watch_call: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """Prepare; `async_register`, then `async_connect` begin.

        Args:
            hass: Home Assistant.
            entry: the account's entry.
            name: how the log and error texts call the device.
            identity: which device it is.
            kind: what it is.
            backend: the way to it.
            subentry: what a person has chosen for it.
            suggested_area: the name of the area where it probably is.
            state: what was known of it before, None for nothing.
            remember: keeps a state over a restart, None where the device knows it.
            watch_call: what each action is sent within.
        """
        super().__init__(
            hass, _LOGGER, config_entry=entry, name=name, update_interval=None
        )
        self.identity = identity
        self.subentry = subentry
        self.suggested_area = suggested_area
        self.entities: set[Entity] = set()
        self.entity_ids: set[str] = set()
        self.kind = kind
        self.backend = backend
        self.data = kind.initial if state is None else state
        self.availability = Availability(
            self.hass,
            self.name,
            has_patience=backend.has_patience,
            on_change=self.async_update_listeners,
            on_stable=backend.note_stable,
        )
        self._remember = remember
        self._watch_call = watch_call
        self._on_shutdown: list[CALLBACK_TYPE] = []
        self._state_listeners: list[StateListener] = []
        self._pushes = PushHandler(
            self._async_publish, follows_state=lambda: bool(self._state_listeners)
        )
        self._queue = CommandQueue(
            self._async_perform,
            lambda coro: entry.async_create_background_task(
                hass, coro, f"command {name}"
            ),
        )
        self.freshness = Freshness(hass, backend.async_refresh)

    @property
    def unique_id(self) -> str:
        """What tells this device from every other."""
        return self.identity.unique_id

    @property
    def context(self) -> Context:
        """Whose doing the last command is that arrived."""
        return self._pushes.context

    @property
    def registry_subentry_id(self) -> str | None:
        """The subentry that the device comes from, None where it comes from the account.

        What a person has chosen for one of those is not what it comes from.
        """
        if self.backend.comes_from_subentry and self.subentry is not None:
            return self.subentry.subentry_id
        return None

    @callback
    def async_register(self) -> None:
        """Register the device, which its entities belong to."""
        async_register_device(self)

    @callback
    def async_connect(self) -> None:
        """Begin to follow the device."""
        self.backend.async_start(self)

    @callback
    def async_follow_subentry(self, subentry: ConfigSubentry, kind: Kind[Any]) -> None:
        """Take over what a person has chosen anew; a state of the kind stays one."""
        self.subentry = subentry
        self.kind = kind
        self.async_update_listeners()

    @callback
    def async_on_shutdown(self, action: CALLBACK_TYPE) -> None:
        """Call this when the device is not followed any more."""
        self._on_shutdown.append(action)

    async def async_remove_entities(self) -> None:
        """Remove the entities; the registry keeps what it knows of them."""
        for entity in list(self.entities):
            await entity.async_remove(force_remove=True)

    @callback
    def async_listen_commands(self, listener: CommandListener) -> CALLBACK_TYPE:
        """Call the listener with every command that arrives."""
        return self._pushes.listen(listener)

    @callback
    def async_listen_state(self, listener: StateListener) -> CALLBACK_TYPE:
        """Call the listener when the state has changed."""
        self._state_listeners.append(listener)
        return lambda: self._state_listeners.remove(listener)

    async def async_change(
        self,
        change: Change[Any],
        *,
        action: str,
        context: Context | None,
        is_toggle: bool = False,
    ) -> None:
        """Bring the device into another state.

        Args:
            change: from the state that it has, when its turn comes, to the one wanted.
            action: what people call that, for an error's text.
            context: whose doing the changes are that it brings about.
            is_toggle: whether the outcome depends on the state before.

        Raises:
            HomeAssistantError: it was not acknowledged; the text says why.
        """
        kind = self.kind
        assert isinstance(kind, ControllableKind)
        with self._translating(action):
            if self.backend.is_virtual:
                # Whatever is under way; each comes back in the order of its arrival.
                await self._async_perform(change, context)
            else:
                await self._queue.change(change, merges=kind.merges and not is_toggle)

    async def async_send_command(
        self,
        action: str,
        parameters: Mapping[str, str] | None = None,
        *,
        context: Context | None,
    ) -> dict[str, Any]:
        """Send an action and return the device's answer.

        Args:
            action: its name.
            parameters: what goes along.
            context: whose doing the changes are that it brings about.

        Raises:
            HomeAssistantError: it was not acknowledged; the text says why.
        """
        call = Call(action, dict(parameters or {}))
        with self._translating(action):
            if self.backend.is_virtual:
                return await self._async_call(call, context)
            return await self._queue.call(lambda: self._async_call(call, context))

    def _translating(self, action: str) -> AbstractContextManager[None]:
        """Turn an error of the cloud's into one with a text for people."""
        return translating(device=self.name, action=action, url=self.backend.url)

    async def _async_perform(
        self, change: Change[Any], context: Context | None = None
    ) -> None:
        """Send what brings a change about. Raises CloudError."""
        kind = self.kind
        assert isinstance(kind, ControllableKind)
        if kind.reads_first:
            assert kind.live is not None
            datapoint = await self.backend.async_read(kind.live)
            self._async_publish(kind.apply(self.data, kind.live, datapoint))
        goal = change(self.data)
        try:
            command = kind.command(self.data, goal)
        except ValueError as err:
            raise UnexpectedAnswerError("the device does not say how it is") from err
        answered: Datapoint | None = None
        if isinstance(command, Write):
            with (
                self.freshness.overtaking(),
                self._pushes.own_commands.sending(command.stream, context),
            ):
                answered = await self.backend.async_write(
                    command.stream, command.datapoint
                )
        else:
            with self._translating(command.action):
                await self._async_call(command, context)
        if self.backend.is_virtual:
            # It comes back as a push, and that alone changes the state.
            return
        self._async_publish(kind.acknowledged(goal, command, answered))
        if kind.settles:
            self.freshness.look_once_settled(kind.settles)

    async def _async_call(self, call: Call, context: Context | None) -> dict[str, Any]:
        with (
            self.freshness.overtaking(),
            self._pushes.own_commands.sending(call.action, context),
            self._watch_call(),
        ):
            return await self.backend.async_call(call.action, call.parameters)

    @override
    async def _async_update_data(self) -> Any:
        """Ask for what can be asked for, when a person insists on an update."""
        await self.backend.async_refresh()
        return self.data

    @override
    async def async_shutdown(self) -> None:
        """Close the connection; nothing is left behind."""
        await super().async_shutdown()
        self.freshness.cancel()
        while self._on_shutdown:
            self._on_shutdown.pop()()
        self._queue.close()
        self.availability.close()
        await self.backend.async_close()

    @callback
    def _async_publish(self, state: Any) -> None:
        if state is self.data or state == self.data:
            return
        # Not async_set_updated_data, which looks after a polling that is not there.
        self.data = state
        if self._remember is not None:
            self._remember(state)
        for listener in list(self._state_listeners):
            listener()

    # What the backend reports

    def begin_reading(self) -> int:
        """Return what an answer to a question of now has to bring along."""
        return self.freshness.begin_reading()

    @callback
    def handle_datapoint(
        self, stream: str, datapoint: Datapoint, reading: int | None = None
    ) -> None:
        """Take over what the device says, unless it is on its way to something else."""
        if reading is None or self.freshness.is_fresh(reading):
            self._async_publish(self.kind.apply(self.data, stream, datapoint))

    @callback
    def handle_push(self, push: Push) -> Mapping[str, Any] | None:
        """Do what the cloud asks of a device that Home Assistant is."""
        kind = self.kind
        assert isinstance(kind, LampKind)
        return self._pushes.handle(kind, self.data, push)

    @callback
    def handle_device(self, device: CloudDevice) -> None:
        """Take over names, versions and the like."""
        self.name = device.title
        async_register_device(self)
        self.async_update_listeners()

    @callback
    def handle_connected(self, device: CloudDevice) -> None:
        """Note that the device is there."""
        async_register_device(self)
        self.availability.note_connected()

    @callback
    def handle_disconnected(self, reason: CloudError) -> None:
        """Note that the device is not there."""
        self.availability.note_disconnected(reason)
