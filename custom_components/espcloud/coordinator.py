"""One device: its connection, and the state that arrives over it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
import logging
from typing import TYPE_CHECKING, Any, override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .cloud import (
    AuthenticationError,
    CloudDevice,
    CloudError,
    DeviceOfflineError,
    DeviceSession,
    Push,
    PushKind,
    virtual_bssid,
)
from .const import (
    CONF_DEVICE_ID,
    CONF_DEVICE_KEY,
    CONF_SERIAL,
    CONF_TURN_OFF_ACTION,
    CONF_TURN_ON_ACTION,
    DOMAIN,
    GRACE_TIME,
    MANUFACTURER,
    MODELS,
    RECONNECT_WAIT,
)
from .errors import translated

if TYPE_CHECKING:
    from datetime import datetime

    from .account import EspCloudAccount, EspCloudConfigEntry

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DeviceState:
    """What is known of a device.

    Attributes:
        is_on: what the last turn-on or turn-off command said, None before any.
    """

    is_on: bool | None = None


class EspCloudCoordinator(DataUpdateCoordinator[DeviceState]):
    """Owns the DeviceSession of one device and publishes its DeviceState.

    Attributes:
        connected: whether the device is identified at the cloud right now.
        available: `connected`, but an outage within the grace time does not count.
        last_error: why the connection was lost, or could not be made, the last time.
    """

    config_entry: EspCloudConfigEntry

    def __init__(self, account: EspCloudAccount, subentry: ConfigSubentry) -> None:
        """Prepare; `async_start` connects."""
        super().__init__(
            account.hass,
            _LOGGER,
            config_entry=account.entry,
            name=subentry.title,
            update_interval=None,
        )
        self.account = account
        self.subentry = subentry
        self.data = DeviceState()
        self.connected = False
        self.available = False
        self.last_error: CloudError | None = None
        self._session: DeviceSession | None = None
        self._cancel_grace: CALLBACK_TYPE | None = None
        self._device = account.device(self.device_id)

    @property
    def device_id(self) -> int:
        """The cloud's id of the device."""
        device_id: int = self.subentry.data[CONF_DEVICE_ID]
        return device_id

    @property
    def unique_id(self) -> str:
        """What tells this device from every other, on whatever server and account.

        Servers count their devices from one, hence the serial number.
        """
        return f"{self.device_id}-{self.subentry.data[CONF_SERIAL]}"

    @callback
    def async_start(self) -> None:
        """Register the device and begin to keep it connected."""
        self._async_register_device()
        self._async_open_session()

    @callback
    def async_follow_subentry(self) -> None:
        """Take over what changed in the subentry; a new key needs a new connection."""
        session = self._session
        if session is None or session.master_key == self._master_key:
            return
        self._session = None
        self.config_entry.async_create_task(
            self.hass, self._async_replace(session), f"reconnect {self.name}"
        )

    @callback
    def async_restore(self, is_on: bool) -> None:
        """Take a state from before the restart, unless a command has arrived since."""
        if self.data.is_on is None:
            self.data = replace(self.data, is_on=is_on)

    async def async_turn(self, is_on: bool) -> None:
        """Send the user's name for turning on or off; raises as `async_send_command`."""
        key = CONF_TURN_ON_ACTION if is_on else CONF_TURN_OFF_ACTION
        await self.async_send_command(self.subentry.data[key])

    async def async_send_command(
        self, action: str, parameters: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Send a command through the cloud and return the acknowledgement.

        The command comes back as a push, and that alone changes the state.

        Raises:
            HomeAssistantError: it was not acknowledged; the text says why.
        """
        try:
            if self._session is None or not await self._session.wait_connected(
                RECONNECT_WAIT
            ):
                raise DeviceOfflineError("not connected")
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
    async def async_shutdown(self) -> None:
        """Close the connection; nothing is left behind."""
        await super().async_shutdown()
        self._async_end_grace()
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
            pacer=self.account.pacer,
        )
        # A background task: a dead device delays neither the others nor the start.
        self.config_entry.async_create_background_task(
            self.hass, self._session.run(), f"{DOMAIN} {self.name}"
        )

    async def _async_replace(self, session: DeviceSession) -> None:
        await session.close()
        if not self._shutdown_requested:
            self._async_open_session()

    # What the session reports

    @callback
    def _handle_push(self, push: Push) -> Mapping[str, Any] | None:
        """Follow a command; return what a device adds to its answer (protocol.md §3.5)."""
        if push.kind is PushKind.DATAPOINT:
            # Not what the light follows: answered as a plug that does as it is told.
            datapoint = push.body.get("datapoint")
            return {"datapoint": datapoint or {"x": int(bool(self.data.is_on))}}
        action = push.action
        if action is None:
            return None
        if action == self.subentry.data[CONF_TURN_ON_ACTION]:
            self._async_publish(is_on=True)
        elif action == self.subentry.data[CONF_TURN_OFF_ACTION]:
            self._async_publish(is_on=False)
        return None

    @callback
    def _async_publish(self, *, is_on: bool) -> None:
        state = replace(self.data, is_on=is_on)
        if state != self.data:
            self.async_set_updated_data(state)

    @callback
    def _handle_connected(self, device: CloudDevice) -> None:
        self._async_end_grace()
        if self.last_error is not None:
            self.last_error = None
            _LOGGER.info("%s: connected to the cloud again", self.name)
        self._device = device
        self._async_register_device()
        self.connected = True
        self.available = True
        self.async_update_listeners()

    @callback
    def _handle_disconnected(self, reason: CloudError) -> None:
        # One line per outage, however many attempts it takes to end it.
        if self.last_error is None or isinstance(reason, AuthenticationError):
            _LOGGER.info("%s: not connected to the cloud: %s", self.name, reason)
        self.last_error = reason
        if self.connected:
            self._cancel_grace = async_call_later(
                self.hass, GRACE_TIME, self._async_grace_ended
            )
        self.connected = False
        self.async_update_listeners()

    @callback
    def _async_grace_ended(self, _now: datetime) -> None:
        self._cancel_grace = None
        self.available = False
        self.async_update_listeners()

    @callback
    def _async_end_grace(self) -> None:
        if self._cancel_grace is not None:
            self._cancel_grace()
            self._cancel_grace = None

    @callback
    def _async_register_device(self) -> None:
        """Write what the cloud says of the device into the device registry."""
        device = self._device
        model = None
        if device is not None and device.ptype is not None:
            model = MODELS.get(device.ptype, f"Type {device.ptype}")
        serial = self.subentry.data[CONF_SERIAL]
        dr.async_get(self.hass).async_get_or_create(
            config_entry_id=self.config_entry.entry_id,
            config_subentry_id=self.subentry.subentry_id,
            identifiers={(DOMAIN, self.unique_id)},
            configuration_url=self.account.server.url,
            manufacturer=MANUFACTURER,
            name=device.title if device is not None else self.subentry.title,
            model=model,
            serial_number=serial or None,
            sw_version=(device.rom_version or None) if device is not None else None,
        )
