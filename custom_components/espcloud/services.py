"""The action that sends any command to a device."""

import asyncio
from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)

from .const import ATTR_ACTION, ATTR_PARAMETERS, DOMAIN, RESERVED_PARAMETERS
from .coordinator import EspCloudCoordinator
from .devices import EspCloudDevices

SERVICE_SEND_COMMAND = "send_command"

SEND_COMMAND_SCHEMA = cv.make_entity_service_schema(
    {
        vol.Required(ATTR_ACTION): cv.string,
        vol.Optional(ATTR_PARAMETERS, default=dict): dict,
    }
)


@callback
def async_register_services(hass: HomeAssistant) -> None:
    """Register the action."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_SEND_COMMAND,
        _async_send_command,
        schema=SEND_COMMAND_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
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
        raise _invalid("empty_action")
    parameters = _as_texts(call.data[ATTR_PARAMETERS])
    targets = _targets(call)
    results = await asyncio.gather(
        *(
            coordinator.async_send_command(action, parameters, context=call.context)
            for coordinator in targets.values()
        ),
        # One device that is away must not leave the others' answers unread.
        return_exceptions=True,
    )
    answers: dict[str, Any] = {}
    for device_id, result in zip(targets, results, strict=True):
        if isinstance(result, BaseException):
            raise result
        answers[device_id] = result
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
            raise _invalid("bad_parameter", parameter=str(name))
        texts[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return texts


def _targets(call: ServiceCall) -> dict[str, EspCloudCoordinator]:
    """Return the devices that are meant, by the id that Home Assistant gives them.

    What is named has to be a device of the cloud; of what an area, a floor or a label
    sweeps up, the devices of the cloud are meant.
    """
    hass = call.hass
    selection = TargetSelection(call.data)
    referenced = async_extract_referenced_entity_ids(hass, selection)
    targets: dict[str, EspCloudCoordinator] = {}
    for entity_id in sorted(referenced.referenced):
        device_id = _device_id(hass, entity_id)
        if device_id is None or (found := _coordinator(hass, device_id)) is None:
            raise _invalid("unknown_device", target=entity_id)
        targets[device_id] = found
    for device_id in sorted(selection.device_ids):
        if (found := _coordinator(hass, device_id)) is None:
            raise _invalid("unknown_device", target=device_id)
        targets[device_id] = found
    swept = referenced.referenced_devices | {
        device_id
        for entity_id in referenced.indirectly_referenced
        if (device_id := _device_id(hass, entity_id)) is not None
    }
    for device_id in sorted(swept - targets.keys()):
        if (found := _coordinator(hass, device_id)) is not None:
            targets[device_id] = found
    if not targets:
        raise _invalid("no_device")
    return targets


def _device_id(hass: HomeAssistant, entity_id: str) -> str | None:
    entity = er.async_get(hass).async_get(entity_id)
    return entity.device_id if entity is not None else None


def _coordinator(hass: HomeAssistant, device_id: str) -> EspCloudCoordinator | None:
    """Return a device's coordinator, None where it is no device of the cloud."""
    device = dr.async_get(hass).async_get(device_id)
    if device is None:
        return None
    entry = hass.config_entries.async_get_entry(device.config_entry_id)
    if entry is None or entry.domain != DOMAIN:
        return None
    if entry.state is not ConfigEntryState.LOADED:
        raise _invalid("account_not_loaded", account=entry.title)
    devices: EspCloudDevices = entry.runtime_data
    return devices.of(device)


def _invalid(key: str, **placeholders: str) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    )
