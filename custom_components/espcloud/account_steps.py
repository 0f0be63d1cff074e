"""The steps of an account: add it with its first device, sign in again, change it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_IGNORE,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowContext,
    ConfigFlowResult,
    ConfigSubentry,
    ConfigSubentryData,
)
from homeassistant.const import CONF_EMAIL, CONF_PASSWORD
from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr

from .backends.server import InvalidServerError, Server
from .cloud import UserKey
from .const import (
    CONF_AREA,
    CONF_CLEAR_TEXT,
    CONF_TURN_OFF_ACTION,
    CONF_TURN_ON_ACTION,
    CONF_USER_ID,
    CONF_USER_KEY,
    DEFAULT_TURN_OFF_ACTION,
    DEFAULT_TURN_ON_ACTION,
    DEFAULT_URL,
    DOMAIN,
    SECTION_SERVER,
)
from .device_steps import DeviceSteps
from .enrollment import Enrollment, EnrollmentError
from .forms import AREA, REAUTH, account_form, account_reconfigure_form, shown_again
from .identity import Identity
from .markdown import escaped
from .older_dialogs import async_end_older_dialogs
from .sign_in import SignIn, account_title, require_devices, stored_sign_in


class AccountSteps(DeviceSteps[ConfigFlowContext, ConfigFlowResult, str], ConfigFlow):
    """Add an account, sign in to it again, or change it."""

    def __init__(self) -> None:
        """Start with nothing done at the cloud yet."""
        super().__init__()
        self._sign_in: SignIn | None = None
        self._ask_clear_text = False

    async def async_step_account(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the account; its first device is the next step."""
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                await self._async_find_account(user_input)
            except EnrollmentError as err:
                errors[err.field] = err.key
            else:
                return await self.async_step_device()
        return self.async_show_form(
            step_id="account",
            data_schema=self.add_suggested_values_to_schema(
                account_form(
                    user_input,
                    errors,
                    ask_password=self._sign_in is None or CONF_PASSWORD in errors,
                    ask_clear_text=self._ask_clear_text,
                ),
                shown_again(user_input),
            ),
            errors=errors,
            description_placeholders={"default_url": DEFAULT_URL},
            last_step=False,
        )

    async def async_step_account_devices(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Add the account alone: Home Assistant shows its devices and becomes none."""
        if self._known_account() is not None:
            return self.async_abort(reason="account_already_configured")
        return self._async_create_account([])

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
                # The e-mail and the server are not on this form.
                field = err.field if err.field == CONF_PASSWORD else "base"
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

    async def _async_reconfigure_account(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Change the e-mail or the server."""
        entry = self._get_reconfigure_entry()
        errors: dict[str, str] = {}
        if user_input is None:
            async_end_older_dialogs(self.hass.config_entries.flow, self)
            self._sign_in = stored_sign_in(entry)
        else:
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
                account_reconfigure_form(ask_clear_text=self._ask_clear_text), shown
            ),
            errors=errors,
            description_placeholders={"default_url": DEFAULT_URL},
        )

    async def _async_find_account(self, user_input: dict[str, Any]) -> None:
        """Do all that the account's form asks for; raises EnrollmentError."""
        server, email = self._typed_account(user_input)
        user_key = await self._async_sign_in(server, email, user_input)
        self._enrollment = Enrollment(self.hass, server, user_key.token)
        await self._enrollment.check_device_port()
        # A dialog that was left open somewhere must not keep this one from its end.
        await self.async_set_unique_id(
            server.account_id(user_key.user_id), raise_on_progress=False
        )
        account = self._known_account()
        if account is not None and Server.from_data(account.data) != server:
            raise EnrollmentError(SECTION_SERVER, "other_server_settings")

    async def _async_change_account(
        self, entry: ConfigEntry, user_input: dict[str, Any]
    ) -> ConfigFlowResult:
        """Do all that the reconfigure form asks for; raises EnrollmentError."""
        present = Server.from_data(entry.data)
        server, email = self._typed_account(user_input, accepted=present)
        user_key = await self._async_sign_in(server, email, user_input)
        if user_key.user_id != entry.data[CONF_USER_ID]:
            self._sign_in = stored_sign_in(entry)
            raise EnrollmentError(CONF_EMAIL, "wrong_account")
        enrollment = Enrollment(self.hass, server, user_key.token)
        owned = await enrollment.owned_devices()
        if server.name != present.name:
            require_devices(entry, owned)
        await enrollment.check_device_port()
        # The account stays the same wherever its server moves.
        unique_id = server.account_id(user_key.user_id)
        known = await self.async_set_unique_id(unique_id, raise_on_progress=False)
        if known not in (None, entry):
            return self.async_abort(reason="account_already_configured")
        has_own_title = entry.title != account_title(entry.data[CONF_EMAIL])
        return self.async_update_reload_and_abort(
            entry,
            unique_id=unique_id,
            title=entry.title if has_own_title else account_title(email),
            data_updates={
                CONF_EMAIL: email,
                CONF_USER_KEY: user_key.token,
                **server.as_data(),
            },
        )

    def _typed_account(
        self, user_input: dict[str, Any], *, accepted: Server | None = None
    ) -> tuple[Server, str]:
        """Return the server and the e-mail of a form; raises EnrollmentError.

        Args:
            user_input: what was typed.
            accepted: a server to which the person has agreed to speak in clear text.
        """
        email = user_input[CONF_EMAIL].strip()
        if not email:
            raise EnrollmentError(CONF_EMAIL, "email_missing")
        try:
            server = Server.from_data(user_input[SECTION_SERVER])
        except InvalidServerError as err:
            raise EnrollmentError(SECTION_SERVER, err.problem) from err
        is_accepted = accepted is not None and accepted.url == server.url
        self._ask_clear_text = server.is_overheard and not is_accepted
        if self._ask_clear_text and not user_input.get(CONF_CLEAR_TEXT, False):
            raise EnrollmentError(CONF_CLEAR_TEXT, "clear_text")
        return server, email

    async def _async_sign_in(
        self, server: Server, email: str, user_input: dict[str, Any]
    ) -> UserKey:
        """Sign in, or take the key that there is; raises EnrollmentError."""
        if password := user_input.get(CONF_PASSWORD):
            user_key = await Enrollment(self.hass, server).sign_in(email, password)
            self._sign_in = SignIn(server.url, email, user_key)
        if self._sign_in is None or not self._sign_in.is_for(server, email):
            raise EnrollmentError(CONF_PASSWORD, "password_needed")
        return self._sign_in.user_key

    def _known_account(self) -> ConfigEntry | None:
        """Return the entry of the account that was signed in to."""
        assert self.unique_id is not None
        account = self.hass.config_entries.async_entry_for_domain_unique_id(
            DOMAIN, self.unique_id
        )
        # What was ignored is nothing that a device could join.
        if account is None or account.source == SOURCE_IGNORE:
            return None
        return account

    @override
    def _more_ways(self) -> list[str]:
        return ["account_devices"]

    @override
    def _more_device_fields(self) -> dict[Any, Any]:
        # Home Assistant asks for the area itself, but where the dialog ends by an abort.
        return AREA if self._known_account() is not None else {}

    @override
    def _device_options(self, user_input: dict[str, Any]) -> dict[str, Any]:
        return {
            CONF_TURN_ON_ACTION: DEFAULT_TURN_ON_ACTION,
            CONF_TURN_OFF_ACTION: DEFAULT_TURN_OFF_ACTION,
        }

    @override
    def _async_finish(
        self, device: ConfigSubentryData, user_input: dict[str, Any]
    ) -> ConfigFlowResult:
        account = self._known_account()
        if account is None:
            return self._async_create_account([device])
        if Server.from_data(account.data) != self._enrollment.server:
            # The account has moved meanwhile; the key is not the new server's to know.
            return self.async_abort(reason="account_changed")
        self._async_join(account, device, user_input.get(CONF_AREA))
        return self.async_abort(
            reason="device_added",
            description_placeholders={
                "device": escaped(device["title"]),
                "account": escaped(account.title),
            },
        )

    @callback
    def _async_create_account(
        self, devices: list[ConfigSubentryData]
    ) -> ConfigFlowResult:
        """End the dialog with a new account."""
        assert self._sign_in is not None
        return self.async_create_entry(
            title=account_title(self._sign_in.email),
            data={
                CONF_EMAIL: self._sign_in.email,
                CONF_USER_ID: self._sign_in.user_key.user_id,
                CONF_USER_KEY: self._sign_in.user_key.token,
                **self._enrollment.server.as_data(),
            },
            subentries=devices,
        )

    @callback
    def _async_join(
        self, account: ConfigEntry, device: ConfigSubentryData, area_id: str | None
    ) -> None:
        """Add the device to an account that is there already."""
        subentry = ConfigSubentry(
            data=MappingProxyType(dict(device["data"])),
            subentry_type=device["subentry_type"],
            title=device["title"],
            unique_id=device["unique_id"],
        )
        self.hass.config_entries.async_add_subentry(account, subentry)
        registry = dr.async_get(self.hass)
        # An account that is not set up has not registered it.
        registered = registry.async_get_or_create(
            config_entry_id=account.entry_id,
            config_subentry_id=subentry.subentry_id,
            identifiers={(DOMAIN, Identity.from_data(subentry.data).unique_id)},
            name=subentry.title,
        )
        if area_id is not None:
            registry.async_update_device(registered.id, area_id=area_id)
