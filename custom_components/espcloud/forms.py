"""The forms of the dialogs: which fields they have, and what they show again.

Home Assistant shows no error inside a section, so one that is about a field of the
section Server is the section's, and names the field.
"""

from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from homeassistant.const import (
    CONF_EMAIL,
    CONF_NAME,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_SSL,
    CONF_TOKEN,
    CONF_URL,
    CONF_VERIFY_SSL,
)
from homeassistant.data_entry_flow import section
from homeassistant.helpers import selector

from .const import (
    CONF_ACTIONS,
    CONF_AREA,
    CONF_CLEAR_TEXT,
    CONF_DEVICE,
    CONF_DEVICE_KEY,
    CONF_DIM_ACTION,
    CONF_DIM_MAXIMUM,
    CONF_DIM_PARAMETER,
    CONF_HAS_WHITE,
    CONF_IS_SILENT,
    CONF_KIND,
    CONF_LAMP_SHOWS,
    CONF_SHOWN_AS,
    CONF_STREAMS,
    CONF_TAKE_OVER,
    CONF_TURN_OFF_ACTION,
    CONF_TURN_ON_ACTION,
    DEFAULT_DIM_MAXIMUM,
    DEFAULT_DIM_PARAMETER,
    DEFAULT_PORT,
    DEFAULT_TURN_OFF_ACTION,
    DEFAULT_TURN_ON_ACTION,
    DEFAULT_URL,
    SECTION_SERVER,
    SHOWN_AS,
)
from .kinds import catalog
from .kinds.lamp import LampShows


def _text(kind: selector.TextSelectorType, autocomplete: str) -> selector.TextSelector:
    return selector.TextSelector(
        selector.TextSelectorConfig(type=kind, autocomplete=autocomplete)
    )


_EMAIL = _text(selector.TextSelectorType.EMAIL, "username")
_PASSWORD = _text(selector.TextSelectorType.PASSWORD, "current-password")
# A secret, but not one for a password manager to fill in.
_DEVICE_KEY = _text(selector.TextSelectorType.PASSWORD, "off")
NAME = _ACTION = _text(selector.TextSelectorType.TEXT, "off")
# An account that is made here, of which the browser knows nothing yet.
OWN_EMAIL = _text(selector.TextSelectorType.EMAIL, "off")
NEW_PASSWORD = _text(selector.TextSelectorType.PASSWORD, "new-password")
# Without limits: beyond them the selector's own text would be English for everybody.
NUMBER = selector.NumberSelector(
    selector.NumberSelectorConfig(mode=selector.NumberSelectorMode.BOX)
)

_SERVER = vol.Schema(
    {
        vol.Required(CONF_URL, default=DEFAULT_URL): _text(
            selector.TextSelectorType.URL, "url"
        ),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): NUMBER,
        vol.Required(CONF_SSL, default=False): bool,
        vol.Required(CONF_VERIFY_SSL, default=True): bool,
    }
)

REAUTH = vol.Schema({vol.Required(CONF_PASSWORD): _PASSWORD})

ACTIONS = {
    vol.Required(CONF_TURN_ON_ACTION, default=DEFAULT_TURN_ON_ACTION): _ACTION,
    vol.Required(CONF_TURN_OFF_ACTION, default=DEFAULT_TURN_OFF_ACTION): _ACTION,
    vol.Optional(CONF_ACTIONS): selector.TextSelector(
        selector.TextSelectorConfig(multiple=True)
    ),
    vol.Required(
        CONF_LAMP_SHOWS, default=LampShows.ONOFF.value
    ): selector.SelectSelector(
        selector.SelectSelectorConfig(
            options=[each.value for each in LampShows], translation_key=CONF_LAMP_SHOWS
        )
    ),
    vol.Optional(CONF_DIM_ACTION): _ACTION,
    vol.Required(CONF_DIM_PARAMETER, default=DEFAULT_DIM_PARAMETER): _ACTION,
    vol.Required(CONF_DIM_MAXIMUM, default=DEFAULT_DIM_MAXIMUM): NUMBER,
}

AREA = {vol.Optional(CONF_AREA): selector.AreaSelector()}


def account_form(
    user_input: Mapping[str, Any] | None,
    errors: Mapping[str, str],
    *,
    ask_password: bool,
    ask_clear_text: bool,
) -> vol.Schema:
    """Return the form for an account."""
    # An error that is about the server is in the section, and so are its fields.
    collapsed = SECTION_SERVER not in errors and (
        user_input is None or _is_public_server(user_input)
    )
    return vol.Schema(
        {
            vol.Required(CONF_EMAIL): _EMAIL,
            **({vol.Required(CONF_PASSWORD): _PASSWORD} if ask_password else {}),
            **_clear_text(ask_clear_text),
            vol.Required(SECTION_SERVER): section(_SERVER, {"collapsed": collapsed}),
        }
    )


def account_reconfigure_form(*, ask_clear_text: bool) -> vol.Schema:
    """Return the form that changes an account."""
    return vol.Schema(
        {
            vol.Required(CONF_EMAIL): _EMAIL,
            vol.Optional(CONF_PASSWORD): _PASSWORD,
            **_clear_text(ask_clear_text),
            vol.Required(SECTION_SERVER): section(_SERVER, {"collapsed": False}),
        }
    )


def create_device_fields() -> dict[Any, Any]:
    """Return the fields for a device that is to be made at the cloud."""
    return {vol.Required(CONF_NAME): NAME}


def pick_device_fields(
    titles: Mapping[str, str], *, offer_take_over: bool
) -> dict[Any, Any]:
    """Return the fields for one of the account's devices: `titles` by their ids."""
    return {vol.Required(CONF_DEVICE): _choice(titles), **_take_over(offer_take_over)}


def device_key_fields(*, offer_take_over: bool) -> dict[Any, Any]:
    """Return the fields for a device whose master key is known."""
    return {
        vol.Required(CONF_DEVICE_KEY): _DEVICE_KEY,
        **_take_over(offer_take_over),
    }


def device_reconfigure_form(*, need_key: bool) -> vol.Schema:
    """Return the form that changes a device; else an empty key leaves the key alone."""
    key = (
        {vol.Required(CONF_DEVICE_KEY): _DEVICE_KEY}
        if need_key
        else {vol.Optional(CONF_DEVICE_KEY): _DEVICE_KEY}
    )
    return vol.Schema({**key, **ACTIONS})


def accept_device_form() -> vol.Schema:
    """Return the form for the token of a device that somebody shares."""
    return vol.Schema({vol.Required(CONF_TOKEN): _DEVICE_KEY})


def pick_hardware_form(titles: Mapping[str, str]) -> vol.Schema:
    """Return the form for one of the account's devices: `titles` by their ids."""
    return vol.Schema({vol.Required(CONF_DEVICE): _choice(titles)})


def hardware_form() -> vol.Schema:
    """Return the form that asks what a device is."""
    return vol.Schema(
        {
            vol.Required(CONF_KIND): selector.SelectSelector(
                selector.SelectSelectorConfig(
                    options=list(catalog.NAMES),
                    mode=selector.SelectSelectorMode.DROPDOWN,
                    translation_key=CONF_KIND,
                )
            )
        }
    )


def light_form() -> vol.Schema:
    """Return the form for what a light cannot tell."""
    return vol.Schema({vol.Required(CONF_HAS_WHITE, default=False): bool})


def self_made_form() -> vol.Schema:
    """Return the form for the actions and datastreams of a self-made device."""
    return vol.Schema(
        {
            vol.Required(CONF_SHOWN_AS, default=SHOWN_AS[0]): selector.SelectSelector(
                selector.SelectSelectorConfig(
                    options=list(SHOWN_AS), translation_key=CONF_SHOWN_AS
                )
            ),
            vol.Required(CONF_TURN_ON_ACTION, default=DEFAULT_TURN_ON_ACTION): _ACTION,
            vol.Required(
                CONF_TURN_OFF_ACTION, default=DEFAULT_TURN_OFF_ACTION
            ): _ACTION,
            vol.Required(CONF_IS_SILENT, default=False): bool,
            vol.Optional(CONF_STREAMS): selector.TextSelector(
                selector.TextSelectorConfig(multiple=True)
            ),
        }
    )


def shown_again(user_input: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a form may show again; a password is never echoed."""
    return {
        field: value
        for field, value in (user_input or {}).items()
        if field != CONF_PASSWORD
    }


def _choice(titles: Mapping[str, str]) -> selector.SelectSelector:
    options = [
        selector.SelectOptionDict(value=value, label=label)
        for value, label in titles.items()
    ]
    return selector.SelectSelector(
        selector.SelectSelectorConfig(
            options=options, mode=selector.SelectSelectorMode.DROPDOWN
        )
    )


def _is_public_server(user_input: Mapping[str, Any]) -> bool:
    """Tell whether the server's section was left as it was."""
    return bool(user_input[SECTION_SERVER] == _SERVER({}))


def _clear_text(ask: bool) -> dict[Any, Any]:
    """Return the field that is there once a password would travel in clear text."""
    return {vol.Required(CONF_CLEAR_TEXT, default=False): bool} if ask else {}


def _take_over(offer: bool) -> dict[Any, Any]:
    """Return the field that is there once a device is known to be another account's."""
    return {vol.Required(CONF_TAKE_OVER, default=False): bool} if offer else {}
