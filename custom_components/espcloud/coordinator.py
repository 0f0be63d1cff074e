"""One device: its connection, and the state that arrives over it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
import logging
from typing import TYPE_CHECKING, Any, override

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .account import EspCloudAccount
from .availability import Availability
from .cloud import (
    CloudDevice,
    CloudError,
    DeviceSession,
    Push,
    PushKind,
    PushRefusedError,
    virtual_bssid,
)
from .commands import Command, CommandListener, OwnCommands
from .const import (
    CONF_DEVICE_ID,
    CONF_DEVICE_KEY,
    CONF_TURN_OFF_ACTION,
    CONF_TURN_ON_ACTION,
    CONNECT_NOW_WAIT,
    DOMAIN,
    RECONNECT_WAIT,
)
from .device_info import async_register_device
from .errors import not_sent, translated
from .issues import DeviceIssues
from .known_devices import device_unique_id
from .state_store import StateStore

if TYPE_CHECKING:
    # What makes the coordinators, and so imports this.
    from .devices import EspCloudDevices

type EspCloudConfigEntry = ConfigEntry[EspCloudDevices]

_LOGGER = logging.getLogger(__name__)


type StateListener = Callable[[], None]


@dataclass(frozen=True, slots=True)
class DeviceState:
    """What is known of a device.

    Attributes:
        is_on: what the last turn-on or turn-off command said, None before any.
    """

    is_on: bool | None = None


class EspCloudCoordinator(DataUpdateCoordinator[DeviceState]):
    """Owns the DeviceSession of one device and publishes its DeviceState.

    Listeners of the coordinator itself hear whether the device is there. What arrives
    has listeners of its own, since a command that nobody hears is not acknowledged.

    Attributes:
        availability: whether the device is there.
        context: of the last command: one for all the states that it changes, and that
            of whoever gave it where that was in Home Assistant.
    """

    config_entry: EspCloudConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: EspCloudConfigEntry,
        subentry: ConfigSubentry,
        account: EspCloudAccount,
        states: StateStore,
    ) -> None:
        """Prepare; `async_register`, then `async_connect` begin."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name=subentry.title,
            update_interval=None,
        )
        self.account = account
        self.subentry = subentry
        self._states = states
        self.data = DeviceState(states.get(subentry.subentry_id))
        self.context = Context()
        self.availability = Availability(
            self.hass,
            self.name,
            on_change=self.async_update_listeners,
            on_stable=self._handle_stable,
        )
        self._issues = DeviceIssues(hass, entry, subentry)
        self._session: DeviceSession | None = None
        self._command_listeners: list[CommandListener] = []
        self._state_listeners: list[StateListener] = []
        self._own_commands = OwnCommands()
        self._device = account.device(self.device_id)
        self._stop_listening: CALLBACK_TYPE | None = None

    @property
    def device_id(self) -> int:
        """The cloud's id of the device."""
        device_id: int = self.subentry.data[CONF_DEVICE_ID]
        return device_id

    @property
    def unique_id(self) -> str:
        """What tells this device from every other, on whatever server and account."""
        return device_unique_id(self.subentry.data)

    @property
    def session(self) -> DeviceSession | None:
        """The session, for the diagnostics; None between two keys and after the end."""
        return self._session

    @callback
    def async_register(self) -> None:
        """Register the device, which its entities belong to, and follow the account."""
        async_register_device(self, self._device)
        self._stop_listening = self.account.async_listen(self._handle_account)

    @callback
    def async_connect(self) -> None:
        """Begin to keep the device connected."""
        self._async_open_session()

    @callback
    def async_follow_subentry(self) -> None:
        """Take over what changed in the subentry; a new key needs a new connection."""
        self.async_update_listeners()
        if self._session is not None and self._session.master_key != self._master_key:
            self._async_replace_session(self._session)

    @callback
    def async_retry_refused_key(self) -> None:
        """Try a refused key at once."""
        if self._session is not None and self._session.refused:
            self._session.retry_now()

    async def async_connect_now(self) -> bool:
        """Take the device's place back, since a person says so; return whether it worked."""
        return self._session is not None and await self._session.connect_now(
            CONNECT_NOW_WAIT
        )

    @callback
    def async_listen_commands(self, listener: CommandListener) -> CALLBACK_TYPE:
        """Call the listener with every command that arrives."""
        self._command_listeners.append(listener)
        return lambda: self._command_listeners.remove(listener)

    @callback
    def async_listen_state(self, listener: StateListener) -> CALLBACK_TYPE:
        """Call the listener when a command has changed the state."""
        self._state_listeners.append(listener)
        return lambda: self._state_listeners.remove(listener)

    async def async_turn(self, is_on: bool, context: Context | None) -> None:
        """Send the user's name for turning on or off; raises as `async_send_command`."""
        key = CONF_TURN_ON_ACTION if is_on else CONF_TURN_OFF_ACTION
        await self.async_send_command(self.subentry.data[key], context=context)

    async def async_send_command(
        self,
        action: str,
        parameters: Mapping[str, str] | None = None,
        *,
        context: Context | None,
    ) -> dict[str, Any]:
        """Send a command through the cloud and return the acknowledgement.

        The command comes back as a push, and that alone changes the state.

        Args:
            action: its name.
            parameters: what goes along.
            context: whose doing the changes are that it brings about.

        Raises:
            HomeAssistantError: it was not acknowledged; the text says why.
        """
        try:
            if self._session is None or not await self._session.wait_connected(
                RECONNECT_WAIT
            ):
                raise not_sent(self._session, self.name, action)
            with self._own_commands.sending(action, context):
                return await self.account.async_call_rpc(
                    self.device_id, self._master_key, action, dict(parameters or {})
                )
        except CloudError as err:
            raise translated(
                HomeAssistantError,
                err,
                device=self.name,
                action=action,
                url=self.account.server.url,
            ) from err

    @override
    async def _async_update_data(self) -> DeviceState:
        """Ask for what can be asked for, when a person insists on an update."""
        await self.account.async_refresh()
        return self.data

    @override
    async def async_shutdown(self) -> None:
        """Close the connection; nothing is left behind."""
        await super().async_shutdown()
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None
        self.availability.close()
        self._issues.clear()
        if (session := self._session) is not None:
            self._session = None
            await session.close()

    @property
    def _master_key(self) -> str:
        key: str = self.subentry.data[CONF_DEVICE_KEY]
        return key

    @callback
    def _async_open_session(self) -> None:
        self._session = DeviceSession(
            self.account.server.endpoint(),
            self._master_key,
            virtual_bssid(self.device_id),
            on_push=self._handle_push,
            on_connected=self._handle_connected,
            on_disconnected=self._handle_disconnected,
            on_refused=lambda: self.account.flood.note(self.name),
            pacer=self.account.pacer,
            pushes=self.account.pushes,
        )
        # A background task: a dead device delays neither the others nor the start.
        self.config_entry.async_create_background_task(
            self.hass, self._session.run(), f"{DOMAIN} {self.name}"
        )

    @callback
    def _async_replace_session(self, session: DeviceSession) -> None:
        self._session = None

        async def replace_it() -> None:
            await session.close()
            if not self._shutdown_requested:
                self._async_open_session()

        self.config_entry.async_create_task(
            self.hass, replace_it(), f"reconnect {self.name}"
        )

    @callback
    def _handle_account(self) -> None:
        """Take over what the account says now, and give a refused key another chance."""
        device = self.account.device(self.device_id)
        if device is not None and device != self._device:
            self._device = device
            async_register_device(self, self._device)
        self.async_retry_refused_key()

    # What the session reports

    @callback
    def _handle_push(self, push: Push) -> Mapping[str, Any] | None:
        """Follow a command; return what a device adds to its answer (protocol.md §3.5).

        Raises:
            PushRefusedError: no entity would hear it. The sender has to know.
        """
        action = push.action
        is_on: bool | None = None
        if action == self.subentry.data[CONF_TURN_ON_ACTION]:
            is_on = True
        elif action == self.subentry.data[CONF_TURN_OFF_ACTION]:
            is_on = False
        # The event hears every command. Other pushes are for the device as a whole.
        if not self._command_listeners and not (
            self._state_listeners and (action is None or is_on is not None)
        ):
            raise PushRefusedError(HTTPStatus.SERVICE_UNAVAILABLE)
        if action is None:
            if push.kind is PushKind.DATAPOINT:
                # Not what the light follows: answered as a plug that does as it is told.
                datapoint = push.body.get("datapoint")
                return {"datapoint": datapoint or {"x": int(bool(self.data.is_on))}}
            return None
        self.context = self._own_commands.context_of(action)
        # The event first: in Activity, the first in a context is the cause of the rest.
        if self._command_listeners:
            command = Command.from_push(action, push.parameters)
            for listener in list(self._command_listeners):
                listener(command)
        if is_on is not None:
            self._async_publish(is_on)
        return None

    @callback
    def _async_publish(self, is_on: bool) -> None:
        if is_on is not self.data.is_on:
            # Not async_set_updated_data, which looks after a polling that is not there.
            self.data = DeviceState(is_on)
            self._states.async_set(self.subentry.subentry_id, is_on)
            for listener in list(self._state_listeners):
                listener()

    @callback
    def _handle_connected(self, device: CloudDevice) -> None:
        self._issues.note_connected()
        self._device = device
        async_register_device(self, self._device)
        self.availability.note_connected()

    @callback
    def _handle_disconnected(self, reason: CloudError) -> None:
        is_contested = self._session is not None and self._session.contested
        self._issues.note_disconnected(reason, is_contested=is_contested)
        self.availability.note_disconnected(reason)

    @callback
    def _handle_stable(self) -> None:
        # Not before: whoever fought for the place may be back at once.
        self._issues.clear_taken_over()
