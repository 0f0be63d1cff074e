"""The dialogs: an account with its first device, and further devices."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, override

import voluptuous as vol

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentry,
    ConfigSubentryData,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import (
    CONF_EMAIL,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_SSL,
    CONF_URL,
    CONF_VERIFY_SSL,
)
from homeassistant.core import callback
from homeassistant.data_entry_flow import section
from homeassistant.helpers import selector

from .cloud import CloudDevice
from .const import (
    CONF_DEVICE_ID,
    CONF_DEVICE_KEY,
    CONF_SERIAL,
    CONF_TAKE_OVER,
    CONF_TURN_OFF_ACTION,
    CONF_TURN_ON_ACTION,
    CONF_USER_ID,
    CONF_USER_KEY,
    DEFAULT_PORT,
    DEFAULT_TURN_OFF_ACTION,
    DEFAULT_TURN_ON_ACTION,
    DEFAULT_URL,
    DOMAIN,
    SECTION_SERVER,
    SUBENTRY_TYPE_DEVICE,
)
from .enrollment import Enrollment, EnrollmentError, normalized_key
from .server import Server


def _text(kind: selector.TextSelectorType, autocomplete: str) -> selector.TextSelector:
    return selector.TextSelector(
        selector.TextSelectorConfig(type=kind, autocomplete=autocomplete)
    )


EMAIL = _text(selector.TextSelectorType.EMAIL, "username")
PASSWORD = _text(selector.TextSelectorType.PASSWORD, "current-password")
# A secret, but not one for a password manager to fill in.
DEVICE_KEY = _text(selector.TextSelectorType.PASSWORD, "off")
ACTION = _text(selector.TextSelectorType.TEXT, "off")
PORT = vol.All(
    selector.NumberSelector(
        selector.NumberSelectorConfig(
            min=1, max=65535, mode=selector.NumberSelectorMode.BOX
        )
    ),
    vol.Coerce(int),
)

SERVER_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_URL, default=DEFAULT_URL): _text(
            selector.TextSelectorType.URL, "url"
        ),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): PORT,
        vol.Required(CONF_SSL, default=False): bool,
        vol.Required(CONF_VERIFY_SSL, default=True): bool,
    }
)

USER_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_EMAIL): EMAIL,
        vol.Required(CONF_PASSWORD): PASSWORD,
        vol.Required(CONF_DEVICE_KEY): DEVICE_KEY,
        vol.Required(SECTION_SERVER): section(SERVER_SCHEMA, {"collapsed": True}),
    }
)

DEVICE_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_DEVICE_KEY): DEVICE_KEY,
        vol.Required(CONF_TURN_ON_ACTION, default=DEFAULT_TURN_ON_ACTION): ACTION,
        vol.Required(CONF_TURN_OFF_ACTION, default=DEFAULT_TURN_OFF_ACTION): ACTION,
    }
)


class EspCloudConfigFlow(ConfigFlow, domain=DOMAIN):
    """Add an account, or sign in to it again."""

    VERSION = 1
    MINOR_VERSION = 1

    def __init__(self) -> None:
        """Start with nothing done at the cloud yet."""
        self._enrollment: Enrollment | None = None

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return the dialog that adds a device to an account."""
        return {SUBENTRY_TYPE_DEVICE: DeviceSubentryFlow}

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the account and its first device, on one form."""
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                return await self._async_add_account(user_input)
            except EnrollmentError as err:
                errors[err.field] = err.key
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(
                _with_take_over(USER_SCHEMA, errors, user_input),
                _without_password(user_input),
            ),
            errors=errors,
            description_placeholders={"default_url": DEFAULT_URL},
        )

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Sign in again: the account's key was refused."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the password alone."""
        entry = self._get_reauth_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            enrollment = Enrollment(self.hass, Server.from_data(entry.data))
            try:
                user_key = await enrollment.sign_in(
                    entry.data[CONF_EMAIL], user_input[CONF_PASSWORD]
                )
            except EnrollmentError as err:
                # The e-mail is not on this form.
                field = "base" if err.field == CONF_EMAIL else err.field
                errors[field] = err.key
            else:
                if user_key.user_id != entry.data[CONF_USER_ID]:
                    return self.async_abort(reason="wrong_account")
                return self.async_update_reload_and_abort(
                    entry, data_updates={CONF_USER_KEY: user_key.token}
                )
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=vol.Schema({vol.Required(CONF_PASSWORD): PASSWORD}),
            errors=errors,
            description_placeholders={"email": entry.data[CONF_EMAIL]},
        )

    async def _async_add_account(self, user_input: dict[str, Any]) -> ConfigFlowResult:
        """Do all that the form asks for; raises EnrollmentError."""
        master_key = normalized_key(user_input[CONF_DEVICE_KEY])
        try:
            server = Server.from_data(user_input[SECTION_SERVER])
        except ValueError as err:
            raise EnrollmentError("base", "invalid_url") from err
        if self._enrollment is None or self._enrollment.server != server:
            self._enrollment = Enrollment(self.hass, server)
        enrollment = self._enrollment
        email = user_input[CONF_EMAIL].strip()
        user_key = await enrollment.sign_in(email, user_input[CONF_PASSWORD])
        account = await self.async_set_unique_id(f"{server.host}_{user_key.user_id}")
        device = await enrollment.enroll(
            user_key.token,
            master_key,
            take_over=user_input.get(CONF_TAKE_OVER, False),
        )
        subentry = ConfigSubentryData(
            subentry_type=SUBENTRY_TYPE_DEVICE,
            unique_id=str(device.id),
            title=device.title,
            data=_device_data(
                device, master_key, DEFAULT_TURN_ON_ACTION, DEFAULT_TURN_OFF_ACTION
            ),
        )
        if account is not None:
            return self._async_join(account, subentry)
        return self.async_create_entry(
            title=email,
            data={
                CONF_EMAIL: email,
                CONF_USER_ID: user_key.user_id,
                CONF_USER_KEY: user_key.token,
                **server.as_data(),
            },
            subentries=[subentry],
        )

    @callback
    def _async_join(
        self, account: ConfigEntry, subentry: ConfigSubentryData
    ) -> ConfigFlowResult:
        """Add the device to an account that is there already."""
        self.hass.config_entries.async_add_subentry(
            account,
            ConfigSubentry(
                data=MappingProxyType(dict(subentry["data"])),
                subentry_type=subentry["subentry_type"],
                title=subentry["title"],
                unique_id=subentry["unique_id"],
            ),
        )
        return self.async_abort(
            reason="device_added",
            description_placeholders={
                "device": subentry["title"],
                "account": account.title,
            },
        )


class DeviceSubentryFlow(ConfigSubentryFlow):
    """Add a device to an account."""

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
                _with_take_over(DEVICE_SCHEMA, errors, user_input), user_input
            ),
            errors=errors,
        )

    async def _async_add_device(self, user_input: dict[str, Any]) -> SubentryFlowResult:
        """Do all that the form asks for; raises EnrollmentError."""
        turn_on, turn_off = _action_names(user_input)
        master_key = normalized_key(user_input[CONF_DEVICE_KEY])
        account = self._get_entry()
        if self._enrollment is None:
            self._enrollment = Enrollment(self.hass, Server.from_data(account.data))
        device = await self._enrollment.enroll(
            account.data[CONF_USER_KEY],
            master_key,
            take_over=user_input.get(CONF_TAKE_OVER, False),
        )
        return self.async_create_entry(
            title=device.title,
            unique_id=str(device.id),
            data=_device_data(device, master_key, turn_on, turn_off),
        )


def _action_names(user_input: Mapping[str, Any]) -> tuple[str, str]:
    """Return the names for turning on and off; raises EnrollmentError."""
    turn_on = user_input[CONF_TURN_ON_ACTION].strip()
    turn_off = user_input[CONF_TURN_OFF_ACTION].strip()
    if not turn_on:
        raise EnrollmentError(CONF_TURN_ON_ACTION, "empty_action")
    if not turn_off:
        raise EnrollmentError(CONF_TURN_OFF_ACTION, "empty_action")
    if turn_on == turn_off:
        raise EnrollmentError(CONF_TURN_OFF_ACTION, "same_action")
    return turn_on, turn_off


def _device_data(
    device: CloudDevice, master_key: str, turn_on: str, turn_off: str
) -> dict[str, Any]:
    return {
        CONF_DEVICE_ID: device.id,
        CONF_DEVICE_KEY: master_key,
        CONF_SERIAL: device.serial,
        CONF_TURN_ON_ACTION: turn_on,
        CONF_TURN_OFF_ACTION: turn_off,
    }


def _with_take_over(
    schema: vol.Schema, errors: Mapping[str, str], user_input: Mapping[str, Any] | None
) -> vol.Schema:
    """Offer to take a device over once it is known to be another account's."""
    offered = user_input is not None and CONF_TAKE_OVER in user_input
    if offered or "device_of_another_account" in errors.values():
        return schema.extend({vol.Required(CONF_TAKE_OVER, default=False): bool})
    return schema


def _without_password(user_input: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what the form may show again; a password is never echoed."""
    return {
        field: value
        for field, value in (user_input or {}).items()
        if field != CONF_PASSWORD
    }
