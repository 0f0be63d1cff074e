"""The forms of the dialogs: which fields they have, and what they show again."""

from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from homeassistant.const import (
    CONF_EMAIL,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_SSL,
    CONF_URL,
    CONF_VERIFY_SSL,
)
from homeassistant.data_entry_flow import section
from homeassistant.helpers import selector

from .const import (
    CONF_DEVICE_KEY,
    CONF_TAKE_OVER,
    CONF_TURN_OFF_ACTION,
    CONF_TURN_ON_ACTION,
    DEFAULT_PORT,
    DEFAULT_TURN_OFF_ACTION,
    DEFAULT_TURN_ON_ACTION,
    DEFAULT_URL,
    SECTION_SERVER,
)


def _text(kind: selector.TextSelectorType, autocomplete: str) -> selector.TextSelector:
    return selector.TextSelector(
        selector.TextSelectorConfig(type=kind, autocomplete=autocomplete)
    )


_EMAIL = _text(selector.TextSelectorType.EMAIL, "username")
_PASSWORD = _text(selector.TextSelectorType.PASSWORD, "current-password")
# A secret, but not one for a password manager to fill in.
_DEVICE_KEY = _text(selector.TextSelectorType.PASSWORD, "off")
_ACTION = _text(selector.TextSelectorType.TEXT, "off")
_PORT = vol.All(
    selector.NumberSelector(
        selector.NumberSelectorConfig(
            min=1, max=65535, mode=selector.NumberSelectorMode.BOX
        )
    ),
    vol.Coerce(int),
)

_SERVER = vol.Schema(
    {
        vol.Required(CONF_URL, default=DEFAULT_URL): _text(
            selector.TextSelectorType.URL, "url"
        ),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): _PORT,
        vol.Required(CONF_SSL, default=False): bool,
        vol.Required(CONF_VERIFY_SSL, default=True): bool,
    }
)

REAUTH = vol.Schema({vol.Required(CONF_PASSWORD): _PASSWORD})

_ACTIONS = {
    vol.Required(CONF_TURN_ON_ACTION, default=DEFAULT_TURN_ON_ACTION): _ACTION,
    vol.Required(CONF_TURN_OFF_ACTION, default=DEFAULT_TURN_OFF_ACTION): _ACTION,
}


def account_form(
    user_input: Mapping[str, Any] | None,
    errors: Mapping[str, str],
    *,
    offer_take_over: bool,
) -> vol.Schema:
    """Return the form for an account and its first device."""
    return vol.Schema(
        {
            vol.Required(CONF_EMAIL): _EMAIL,
            vol.Required(CONF_PASSWORD): _PASSWORD,
            vol.Required(CONF_DEVICE_KEY): _DEVICE_KEY,
            **_take_over(offer_take_over),
            vol.Required(SECTION_SERVER): section(
                _SERVER,
                {
                    # An error that is no field's is most likely about the server.
                    "collapsed": "base" not in errors
                    and (user_input is None or _is_public_server(user_input))
                },
            ),
        }
    )


def account_reconfigure_form() -> vol.Schema:
    """Return the form that changes an account."""
    return vol.Schema(
        {
            vol.Required(CONF_EMAIL): _EMAIL,
            vol.Optional(CONF_PASSWORD): _PASSWORD,
            vol.Required(SECTION_SERVER): section(_SERVER, {"collapsed": False}),
        }
    )


def device_form(*, offer_take_over: bool) -> vol.Schema:
    """Return the form for a further device."""
    return vol.Schema(
        {
            vol.Required(CONF_DEVICE_KEY): _DEVICE_KEY,
            **_take_over(offer_take_over),
            **_ACTIONS,
        }
    )


def device_reconfigure_form() -> vol.Schema:
    """Return the form that changes a device; an empty key leaves the key alone."""
    return vol.Schema({vol.Optional(CONF_DEVICE_KEY): _DEVICE_KEY, **_ACTIONS})


def shown_again(user_input: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a form may show again; a password is never echoed."""
    return {
        field: value
        for field, value in (user_input or {}).items()
        if field != CONF_PASSWORD
    }


def _is_public_server(user_input: Mapping[str, Any]) -> bool:
    """Tell whether the server's section was left as it was."""
    return bool(user_input[SECTION_SERVER] == _SERVER({}))


def _take_over(offer: bool) -> dict[Any, Any]:
    """Return the field that is there once a device is known to be another account's."""
    return {vol.Required(CONF_TAKE_OVER, default=False): bool} if offer else {}
