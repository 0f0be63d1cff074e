"""The dialogs of a device: add it to an account, change it."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowResult,
)

from .cloud import CloudDevice
from .const import (
    CONF_DEVICE_ID,
    CONF_DEVICE_KEY,
    CONF_SERIAL,
    CONF_TAKE_OVER,
    CONF_TURN_OFF_ACTION,
    CONF_TURN_ON_ACTION,
    CONF_USER_KEY,
)
from .devices import EspCloudDevices
from .enrollment import Enrollment, EnrollmentError, normalized_key
from .forms import device_form, device_reconfigure_form
from .server import Server


class DeviceSubentryFlow(ConfigSubentryFlow):
    """Add a device to an account, or change it."""

    def __init__(self) -> None:
        """Start with nothing done at the cloud yet."""
        self._enrollment: Enrollment | None = None

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the device's key and the names of its actions."""
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                return await self._async_add_device(user_input)
            except EnrollmentError as err:
                errors[err.field] = err.key
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(
                device_form(
                    offer_take_over=self._enrollment is not None
                    and self._enrollment.may_take_over
                ),
                user_input,
            ),
            errors=errors,
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for a new key of the same device, and the names of its actions."""
        subentry = self._get_reconfigure_subentry()
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                return await self._async_change_device(user_input)
            except EnrollmentError as err:
                errors[err.field] = err.key
        # The key that is in use is a secret: it is not shown.
        shown = user_input or {
            name: subentry.data[name]
            for name in (CONF_TURN_ON_ACTION, CONF_TURN_OFF_ACTION)
        }
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(
                device_reconfigure_form(), shown
            ),
            errors=errors,
            description_placeholders={"device": subentry.title},
        )

    def _async_enrollment(self) -> Enrollment:
        """Return this dialog's work at the cloud."""
        if self._enrollment is None:
            server = Server.from_data(self._get_entry().data)
            self._enrollment = Enrollment(self.hass, server)
        return self._enrollment

    async def _async_add_device(self, user_input: dict[str, Any]) -> SubentryFlowResult:
        """Do all that the form asks for; raises EnrollmentError."""
        turn_on, turn_off = _action_names(user_input)
        master_key = normalized_key(user_input[CONF_DEVICE_KEY])
        device = await self._async_enrollment().enroll(
            self._get_entry().data[CONF_USER_KEY],
            master_key,
            take_over=user_input.get(CONF_TAKE_OVER, False),
        )
        return self.async_create_entry(
            title=device.title,
            unique_id=str(device.id),
            data=device_data(device, master_key, turn_on, turn_off),
        )

    async def _async_change_device(
        self, user_input: dict[str, Any]
    ) -> SubentryFlowResult:
        """Do all that the reconfigure form asks for; raises EnrollmentError."""
        subentry = self._get_reconfigure_subentry()
        turn_on, turn_off = _action_names(user_input)
        updates: dict[str, Any] = {
            CONF_TURN_ON_ACTION: turn_on,
            CONF_TURN_OFF_ACTION: turn_off,
        }
        entry = self._get_entry()
        if text := user_input.get(CONF_DEVICE_KEY, "").strip():
            master_key = normalized_key(text)
            await self._async_enrollment().check_device_key(
                master_key,
                subentry.data[CONF_DEVICE_ID],
                # To try the key in use would throw this very device out.
                is_in_use=master_key == subentry.data[CONF_DEVICE_KEY],
            )
            updates[CONF_DEVICE_KEY] = master_key
            if entry.state is ConfigEntryState.LOADED:
                devices: EspCloudDevices = entry.runtime_data
                devices.coordinators[subentry.subentry_id].async_retry_refused_key()
        # The coordinator follows the subentry; nothing has to be reloaded.
        return self.async_update_and_abort(entry, subentry, data_updates=updates)


def device_data(
    device: CloudDevice, master_key: str, turn_on: str, turn_off: str
) -> dict[str, Any]:
    """Return what a device's subentry keeps."""
    return {
        CONF_DEVICE_ID: device.id,
        CONF_DEVICE_KEY: master_key,
        CONF_SERIAL: device.serial,
        CONF_TURN_ON_ACTION: turn_on,
        CONF_TURN_OFF_ACTION: turn_off,
    }


def _action_names(user_input: Mapping[str, Any]) -> tuple[str, str]:
    """Return the names for turning on and off; raises EnrollmentError."""
    turn_on: str = user_input[CONF_TURN_ON_ACTION].strip()
    turn_off: str = user_input[CONF_TURN_OFF_ACTION].strip()
    if not turn_on:
        raise EnrollmentError(CONF_TURN_ON_ACTION, "empty_action")
    if not turn_off:
        raise EnrollmentError(CONF_TURN_OFF_ACTION, "empty_action")
    if turn_on == turn_off:
        raise EnrollmentError(CONF_TURN_OFF_ACTION, "same_action")
    return turn_on, turn_off
