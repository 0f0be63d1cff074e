"""The actions that Home Assistant offers for devices."""

from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_register_admin_service

from .const import ATTR_ACTION, ATTR_PARAMETERS, DOMAIN, RESERVED_PARAMETERS
from .errors import invalid_call
from .share_actions import SHARE_DEVICE_SCHEMA, async_share_device
from .targets import async_for_each, find_targets
from .timer_actions import (
    DELETE_TIMER_SCHEMA,
    GET_TIMERS_SCHEMA,
    SET_TIMER_SCHEMA,
    async_delete_timer,
    async_get_timers,
    async_set_timer,
)

SERVICE_DELETE_TIMER = "delete_timer"
SERVICE_GET_TIMERS = "get_timers"
SERVICE_SEND_COMMAND = "send_command"
SERVICE_SET_TIMER = "set_timer"
SERVICE_SHARE_DEVICE = "share_device"

SEND_COMMAND_SCHEMA = cv.make_entity_service_schema(
    {
        vol.Required(ATTR_ACTION): cv.string,
        vol.Optional(ATTR_PARAMETERS, default=dict): dict,
    }
)


@callback
def async_register_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_SEND_COMMAND,
        _async_send_command,
        schema=SEND_COMMAND_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )
    hass.services.async_register(
        DOMAIN,
        SERVICE_GET_TIMERS,
        async_get_timers,
        schema=GET_TIMERS_SCHEMA,
        supports_response=SupportsResponse.ONLY,
    )
    hass.services.async_register(
        DOMAIN,
        SERVICE_SET_TIMER,
        async_set_timer,
        schema=SET_TIMER_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )
    hass.services.async_register(
        DOMAIN, SERVICE_DELETE_TIMER, async_delete_timer, schema=DELETE_TIMER_SCHEMA
    )
    # It lets somebody else command the device.
    async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_SHARE_DEVICE,
        async_share_device,
        schema=SHARE_DEVICE_SCHEMA,
        supports_response=SupportsResponse.ONLY,
    )


async def _async_send_command(call: ServiceCall) -> ServiceResponse:
    """Send a command to every device that is meant, and return their answers.

    Returns the cloud's answers by the id that Home Assistant gives the device.

    Raises:
        ServiceValidationError: no device is meant, or the parameters cannot be sent.
        HomeAssistantError: a device did not acknowledge.
    """
    action = call.data[ATTR_ACTION].strip()
    if not action:
        raise invalid_call("empty_action")
    parameters = _as_texts(call.data[ATTR_PARAMETERS])
    answers: dict[str, Any] = await async_for_each(
        find_targets(call),
        lambda _, coordinator: coordinator.async_send_command(
            action, parameters, context=call.context
        ),
    )
    return answers if call.return_response else None


def _as_texts(parameters: Mapping[Any, Any]) -> dict[str, str]:
    """Return the parameters as the cloud carries them: texts, every one."""
    texts: dict[str, str] = {}
    for name, value in parameters.items():
        if (
            not isinstance(name, str)
            or name in RESERVED_PARAMETERS
            or not isinstance(value, (str, int, float))
        ):
            raise invalid_call("bad_parameter", parameter=str(name))
        texts[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return texts
