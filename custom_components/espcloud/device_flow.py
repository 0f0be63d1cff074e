"""The dialogs of a device: add it to an account, change it."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.config_entries import (
    ConfigSubentryData,
    ConfigSubentryFlow,
    SubentryFlowContext,
    SubentryFlowResult,
)
from homeassistant.const import CONF_TOKEN

from .actions import lamp_settings, own_actions, two_actions
from .backends.server import Server
from .const import (
    CONF_ACTIONS,
    CONF_DEVICE_ID,
    CONF_DEVICE_KEY,
    CONF_SERIAL,
    CONF_USER_KEY,
)
from .device_steps import DeviceSteps
from .devices import loaded_devices
from .enrollment import Enrollment, EnrollmentError, normalized_key
from .forms import ACTIONS, accept_device_form, device_reconfigure_form
from .issues import key_is_refused
from .markdown import escaped
from .older_dialogs import async_end_older_dialogs
from .virtual_devices import backend_of


class DeviceSubentryFlow(
    DeviceSteps[SubentryFlowContext, SubentryFlowResult, tuple[str, str]],
    ConfigSubentryFlow,
):
    """Add a device to an account, or change it."""

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Begin to add a device."""
        self._enrollment = self._async_enrollment()
        return await self.async_step_device()

    async def async_step_accept_device(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the token of a device that somebody shares (protocol.md §2.6)."""
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                await self._enrollment.accept(user_input[CONF_TOKEN].strip())
            except EnrollmentError as err:
                errors[err.field] = err.key
            else:
                devices = loaded_devices(self._get_entry())
                if devices is not None:
                    await devices.account.async_refresh()
                return self.async_abort(reason="device_accepted")
        return self.async_show_form(
            step_id="accept_device", data_schema=accept_device_form(), errors=errors
        )

    @override
    def _more_ways(self) -> list[str]:
        return ["accept_device"]

    @override
    def _more_device_fields(self) -> dict[Any, Any]:
        return ACTIONS

    @override
    def _device_options(self, user_input: dict[str, Any]) -> dict[str, Any]:
        return _action_names(user_input)

    @override
    def _async_finish(
        self, device: ConfigSubentryData, user_input: dict[str, Any]
    ) -> SubentryFlowResult:
        if Server.from_data(self._get_entry().data) != self._enrollment.server:
            # The account has moved meanwhile; the key is not the new server's to know.
            return self.async_abort(reason="account_changed")
        return self.async_create_entry(
            title=device["title"], unique_id=device["unique_id"], data=device["data"]
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for a new key of the same device, and the names of its actions."""
        subentry = self._get_reconfigure_subentry()
        if user_input is None:
            async_end_older_dialogs(self.hass.config_entries.subentries, self)
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                return await self._async_change_device(user_input)
            except EnrollmentError as err:
                errors[err.field] = err.key
        # The key that is in use is a secret: it is not shown.
        shown = user_input or {
            name: value
            for name, value in subentry.data.items()
            if name != CONF_DEVICE_KEY
        }
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(
                device_reconfigure_form(need_key=key_is_refused(self.hass, subentry)),
                shown,
            ),
            errors=errors,
            description_placeholders={
                "device": subentry.title,
                "device_markdown": escaped(subentry.title),
            },
        )

    def _async_enrollment(self) -> Enrollment:
        entry = self._get_entry()
        server = Server.from_data(entry.data)
        return Enrollment(self.hass, server, entry.data[CONF_USER_KEY])

    async def _async_change_device(
        self, user_input: dict[str, Any]
    ) -> SubentryFlowResult:
        """Do all that the reconfigure form asks for; raises EnrollmentError."""
        subentry = self._get_reconfigure_subentry()
        updates = _action_names(user_input)
        entry = self._get_entry()
        text = user_input.get(CONF_DEVICE_KEY, "").strip()
        if not text and key_is_refused(self.hass, subentry):
            raise EnrollmentError(CONF_DEVICE_KEY, "key_missing")
        if text:
            master_key = normalized_key(text)
            await self._async_enrollment().check_device_key(
                master_key,
                device_id=subentry.data[CONF_DEVICE_ID],
                serial=subentry.data[CONF_SERIAL],
                # To try the key in use would throw this very device out.
                is_in_use=master_key == subentry.data[CONF_DEVICE_KEY],
            )
            updates[CONF_DEVICE_KEY] = master_key
            if (devices := loaded_devices(entry)) is not None:
                # Another account may have the device connected.
                found = devices.virtual_device(subentry.subentry_id)
                if found is not None:
                    backend_of(found).async_retry_refused_key()
        # The coordinator follows the subentry; nothing has to be reloaded.
        kept = {
            name: subentry.data[name]
            for name in (CONF_DEVICE_ID, CONF_DEVICE_KEY, CONF_SERIAL)
        }
        return self.async_update_and_abort(entry, subentry, data={**kept, **updates})


def _action_names(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a subentry keeps of the actions; raises EnrollmentError."""
    return {
        **two_actions(user_input),
        CONF_ACTIONS: own_actions(user_input),
        **lamp_settings(user_input),
    }
