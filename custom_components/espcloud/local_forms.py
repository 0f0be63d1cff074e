"""The forms of the cloud in Home Assistant.

Home Assistant shows no error inside a section, so one that is about the HTTP API is its
section's, and names the field.
"""

from typing import Any

import voluptuous as vol

from homeassistant.const import CONF_EMAIL, CONF_NAME, CONF_PASSWORD, CONF_PORT
from homeassistant.data_entry_flow import section
from homeassistant.helpers import selector

from .const import (
    CONF_SERVE_API,
    CONF_USER1,
    CONF_USER2,
    CONF_VERSION,
    DEFAULT_API_PORT,
    DEFAULT_PORT,
    SECTION_API,
)
from .forms import AREA, NAME, NEW_PASSWORD, NUMBER, OWN_EMAIL, hardware_form


def server_form(*, api_is_open: bool) -> vol.Schema:
    """Return the form of the server: its ports, and who may use its HTTP API.

    Args:
        api_is_open: whether the section of the HTTP API is shown unfolded.
    """
    api = vol.Schema(
        {
            vol.Required(CONF_SERVE_API, default=False): bool,
            vol.Required(CONF_PORT, default=DEFAULT_API_PORT): NUMBER,
            vol.Optional(CONF_EMAIL): OWN_EMAIL,
            vol.Optional(CONF_PASSWORD): NEW_PASSWORD,
        }
    )
    return vol.Schema(
        {
            vol.Required(CONF_PORT, default=DEFAULT_PORT): NUMBER,
            vol.Required(SECTION_API): section(api, {"collapsed": not api_is_open}),
        }
    )


def device_form() -> vol.Schema:
    """Return the form of a device that is to be shown: what it is, its name, its area."""
    fields: dict[Any, Any] = {
        **hardware_form().schema,
        vol.Required(CONF_NAME): NAME,
        **AREA,
    }
    return vol.Schema(fields)


def new_device_form() -> vol.Schema:
    """Return the form of a device that a person is about to program."""
    return vol.Schema({vol.Required(CONF_NAME): NAME})


def new_firmware_form() -> vol.Schema:
    """Return the form of a firmware version: its name, and both its files."""
    image = selector.FileSelector(selector.FileSelectorConfig(accept=".bin"))
    return vol.Schema(
        {
            vol.Required(CONF_VERSION): NAME,
            vol.Required(CONF_USER1): image,
            vol.Required(CONF_USER2): image,
        }
    )


def pick_firmware_form(versions: list[str]) -> vol.Schema:
    """Return the form that asks which firmware versions."""
    return vol.Schema(
        {
            vol.Required(CONF_VERSION): selector.SelectSelector(
                selector.SelectSelectorConfig(options=versions, multiple=True)
            )
        }
    )
