"""Which devices an action of Home Assistant's means."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)

from .const import DOMAIN
from .coordinator import EspCloudCoordinator
from .devices import loaded_devices
from .errors import invalid_call

type Targets = dict[str, EspCloudCoordinator]
"""Devices by the ids that Home Assistant gives them."""


def find_targets(call: ServiceCall) -> Targets:
    """Return the devices that are meant.

    What is named has to be a device of the cloud; of what an area, a floor or a label
    sweeps up, the devices of the cloud are meant.

    Raises:
        ServiceValidationError: something else is meant, or nothing.
    """
    hass = call.hass
    selection = TargetSelection(call.data)
    referenced = async_extract_referenced_entity_ids(hass, selection)
    targets: Targets = {}
    for entity_id in sorted(referenced.referenced):
        device_id = _device_id(hass, entity_id)
        if device_id is None or (found := _coordinator(hass, device_id)) is None:
            raise invalid_call("unknown_device", target=entity_id)
        targets[device_id] = found
    for device_id in sorted(selection.device_ids):
        if (found := _coordinator(hass, device_id)) is None:
            raise invalid_call("unknown_device", target=device_id)
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
        raise invalid_call("no_device")
    return targets


async def async_for_each[AnswerT](
    targets: Mapping[str, EspCloudCoordinator],
    act: Callable[[str, EspCloudCoordinator], Awaitable[AnswerT]],
) -> dict[str, AnswerT]:
    """Do something with every device at once, and return the answers by their ids.

    Raises:
        HomeAssistantError: it failed with one of them. The others are done with by then:
            one device that is away must not leave their answers unread.
    """
    results = await asyncio.gather(
        *(act(device_id, coordinator) for device_id, coordinator in targets.items()),
        return_exceptions=True,
    )
    answers: dict[str, AnswerT] = {}
    for device_id, result in zip(targets, results, strict=True):
        if isinstance(result, BaseException):
            raise result
        answers[device_id] = result
    return answers


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
    if (devices := loaded_devices(entry)) is None:
        raise invalid_call("account_not_loaded", account=entry.title)
    return devices.of(device)
