"""The dialogs of an account: add it with its first device, sign in again, change it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentry,
    ConfigSubentryData,
    ConfigSubentryFlow,
)
from homeassistant.const import CONF_EMAIL, CONF_PASSWORD
from homeassistant.core import callback

from .const import (
    CONF_DEVICE_KEY,
    CONF_TAKE_OVER,
    CONF_USER_ID,
    CONF_USER_KEY,
    DEFAULT_TURN_OFF_ACTION,
    DEFAULT_TURN_ON_ACTION,
    DEFAULT_URL,
    DOMAIN,
    SECTION_SERVER,
    SUBENTRY_TYPE_DEVICE,
)
from .device_flow import DeviceSubentryFlow, device_data
from .enrollment import Enrollment, EnrollmentError, normalized_key
from .forms import REAUTH, account_form, account_reconfigure_form, shown_again
from .server import Server


class EspCloudConfigFlow(ConfigFlow, domain=DOMAIN):
    """Add an account, sign in to it again, or change it."""

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
        """Return the dialogs of an account's devices."""
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
                account_form(
                    user_input,
                    errors,
                    offer_take_over=self._enrollment is not None
                    and self._enrollment.may_take_over,
                ),
                shown_again(user_input),
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
            data_schema=REAUTH,
            errors=errors,
            description_placeholders={"email": entry.data[CONF_EMAIL]},
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Change the e-mail or the server."""
        entry = self._get_reconfigure_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                return await self._async_change_account(entry, user_input)
            except EnrollmentError as err:
                errors[err.field] = err.key
        shown = shown_again(user_input) or {
            CONF_EMAIL: entry.data[CONF_EMAIL],
            SECTION_SERVER: Server.from_data(entry.data).as_data(),
        }
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(
                account_reconfigure_form(), shown
            ),
            errors=errors,
            description_placeholders={"default_url": DEFAULT_URL},
        )

    async def _async_add_account(self, user_input: dict[str, Any]) -> ConfigFlowResult:
        """Do all that the first form asks for; raises EnrollmentError."""
        master_key = normalized_key(user_input[CONF_DEVICE_KEY])
        server = _server(user_input)
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
            data=device_data(
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

    async def _async_change_account(
        self, entry: ConfigEntry, user_input: dict[str, Any]
    ) -> ConfigFlowResult:
        """Do all that the reconfigure form asks for; raises EnrollmentError."""
        server = _server(user_input)
        enrollment = Enrollment(self.hass, server)
        email = user_input[CONF_EMAIL].strip()
        token = entry.data[CONF_USER_KEY]
        if password := user_input.get(CONF_PASSWORD):
            user_key = await enrollment.sign_in(email, password)
            if user_key.user_id != entry.data[CONF_USER_ID]:
                raise EnrollmentError(CONF_EMAIL, "wrong_account")
            token = user_key.token
        elif email != entry.data[CONF_EMAIL]:
            raise EnrollmentError(CONF_PASSWORD, "password_needed")
        else:
            await enrollment.check_account(token)
        await enrollment.check_device_port()
        # The account stays the same wherever its server moves.
        unique_id = f"{server.host}_{entry.data[CONF_USER_ID]}"
        if await self.async_set_unique_id(unique_id) not in (None, entry):
            return self.async_abort(reason="account_already_configured")
        return self.async_update_reload_and_abort(
            entry,
            unique_id=unique_id,
            title=email if entry.title == entry.data[CONF_EMAIL] else entry.title,
            data_updates={
                CONF_EMAIL: email,
                CONF_USER_KEY: token,
                **server.as_data(),
            },
        )


def _server(user_input: Mapping[str, Any]) -> Server:
    """Return the server that was typed in; raises EnrollmentError."""
    try:
        return Server.from_data(user_input[SECTION_SERVER])
    except ValueError as err:
        raise EnrollmentError("base", "invalid_url") from err
