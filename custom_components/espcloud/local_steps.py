"""The steps in which Home Assistant becomes the cloud, or that is changed."""

from collections.abc import Mapping
from typing import Any

from homeassistant.components.network import async_get_source_ip
from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.const import CONF_EMAIL, CONF_PASSWORD, CONF_PORT

from .backends.local import (
    InvalidCredentialsError,
    LocalServer,
    ServerSettings,
    ServerUnusableError,
)
from .const import (
    CONF_API_PORT,
    CONF_SERVE_API,
    LOCAL_TITLE,
    LOCAL_UNIQUE_ID,
    SECTION_API,
)
from .devices import loaded_local
from .enrollment import EnrollmentError
from .entries import local_entry
from .forms import shown_again
from .local_forms import server_form
from .settings import server_settings

GUIDE = "https://github.com/espcloud/espcloud/blob/main/docs/local-mode.md"


class LocalSteps(ConfigFlow):
    """Run the cloud in Home Assistant, or change its ports and who may use its HTTP API."""

    # What was typed into the first form, once it was found to be all right.
    _server_input: dict[str, Any]

    async def async_step_local(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the ports; they are tried before anything is kept."""
        await self.async_set_unique_id(LOCAL_UNIQUE_ID, raise_on_progress=False)
        self._abort_if_unique_id_configured(error="local_already_configured")
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                settings = _typed_settings(user_input)
                _typed_credentials(user_input, required=True)
                await self._async_try_ports(settings)
            except EnrollmentError as err:
                errors[err.field] = err.key
            else:
                self._server_input = user_input
                return await self.async_step_router()
        return self._show_server_form("local", user_input, errors)

    async def async_step_router(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say what the router has to say to devices; the entry is made after that."""
        if user_input is None:
            return self.async_show_form(
                step_id="router",
                description_placeholders={
                    "address": await async_get_source_ip(self.hass),
                    "guide": GUIDE,
                },
            )
        self._abort_if_unique_id_configured(error="local_already_configured")
        settings = _typed_settings(self._server_input)
        try:
            await self._async_keep_credentials(settings, self._server_input)
        except EnrollmentError as err:
            return self._show_server_form(
                "local", self._server_input, {err.field: err.key}
            )
        return self.async_create_entry(
            title=LOCAL_TITLE, data=_entry_data(settings, self._server_input)
        )

    async def async_step_local_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the ports and the credentials anew."""
        entry = self._get_reconfigure_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                settings = _typed_settings(user_input)
                _typed_credentials(
                    user_input, required=not entry.data.get(CONF_API_PORT)
                )
                await self._async_try_ports(settings, present=entry)
                await self._async_keep_credentials(settings, user_input)
            except EnrollmentError as err:
                errors[err.field] = err.key
            else:
                return self.async_update_reload_and_abort(
                    entry, data=_entry_data(settings, user_input)
                )
        shown = user_input or _form_data(entry.data)
        return self._show_server_form("local_reconfigure", shown, errors)

    def _show_server_form(
        self,
        step_id: str,
        user_input: Mapping[str, Any] | None,
        errors: dict[str, str],
    ) -> ConfigFlowResult:
        shown = dict(user_input or {})
        if SECTION_API in shown:
            shown[SECTION_API] = shown_again(shown[SECTION_API])
        is_open = shown.get(SECTION_API, {}).get(CONF_SERVE_API, False)
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                server_form(api_is_open=is_open or SECTION_API in errors), shown
            ),
            errors=errors,
            last_step=step_id != "local",
        )

    async def _async_try_ports(
        self, settings: ServerSettings, *, present: ConfigEntry | None = None
    ) -> None:
        """Take the ports for a moment; raises EnrollmentError.

        Args:
            settings: the ports.
            present: the entry that may have them now.
        """
        held: set[int | None] = set()
        if present is not None and present.state is ConfigEntryState.LOADED:
            held = {present.data[CONF_PORT], present.data.get(CONF_API_PORT)}
        for port, field in (
            (settings.device_port, CONF_PORT),
            (settings.api_port, SECTION_API),
        ):
            if port is not None and port not in held:
                try:
                    await LocalServer.async_try_port(port)
                except ServerUnusableError as err:
                    raise EnrollmentError(field, err.obstacle) from err

    async def _async_keep_credentials(
        self, settings: ServerSettings, user_input: Mapping[str, Any]
    ) -> None:
        """Give the account its credentials, which the database alone keeps.

        Raises:
            EnrollmentError: they are none, or the database cannot be used.
        """
        credentials = _typed_credentials(user_input, required=False)
        if credentials is None:
            return
        local = loaded_local(local_entry(self.hass))
        try:
            if local is not None:
                await local.account.async_set_credentials(*credentials)
                return
            server = LocalServer(self.hass, settings)
            await server.async_bind()
            try:
                await server.account.async_set_credentials(*credentials)
            finally:
                await server.async_close()
        except InvalidCredentialsError as err:
            raise EnrollmentError(SECTION_API, "bad_credentials") from err
        except ServerUnusableError as err:
            field = CONF_PORT if err.port == settings.device_port else "base"
            raise EnrollmentError(field, err.obstacle) from err


def _typed_settings(user_input: Mapping[str, Any]) -> ServerSettings:
    """Return the ports of a form; raises EnrollmentError."""
    api = user_input[SECTION_API]
    device_port = _port(user_input[CONF_PORT], CONF_PORT)
    if not api[CONF_SERVE_API]:
        return ServerSettings(device_port)
    api_port = _port(api[CONF_PORT], SECTION_API)
    if api_port == device_port:
        raise EnrollmentError(SECTION_API, "same_port")
    return ServerSettings(device_port, api_port)


def _port(value: float, field: str) -> int:
    if not 1 <= value <= 65535 or value != int(value):
        raise EnrollmentError(field, "invalid_port")
    return int(value)


def _typed_credentials(
    user_input: Mapping[str, Any], *, required: bool
) -> tuple[str, str] | None:
    """Return the e-mail and the password of a form, None where nothing is to be changed.

    Raises:
        EnrollmentError: one of both is missing.
    """
    api = user_input[SECTION_API]
    email, password = api.get(CONF_EMAIL, "").strip(), api.get(CONF_PASSWORD, "")
    if not api[CONF_SERVE_API] or not (required or password):
        return None
    if not email:
        raise EnrollmentError(SECTION_API, "email_missing")
    if not password:
        raise EnrollmentError(SECTION_API, "password_missing")
    return email, password


def _entry_data(
    settings: ServerSettings, user_input: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the entry keeps; the password is none of it."""
    data: dict[str, Any] = {CONF_PORT: settings.device_port}
    if settings.api_port is not None:
        data[CONF_API_PORT] = settings.api_port
        data[CONF_EMAIL] = user_input[SECTION_API].get(CONF_EMAIL, "").strip()
    return data


def _form_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form shows of an entry."""
    settings = server_settings(data)
    api: dict[str, Any] = {CONF_SERVE_API: settings.api_port is not None}
    if settings.api_port is not None:
        api |= {CONF_PORT: settings.api_port, CONF_EMAIL: data.get(CONF_EMAIL, "")}
    return {CONF_PORT: settings.device_port, SECTION_API: api}
