"""What a person can attach to a report without giving anything away."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_EMAIL, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntry

from .const import (
    CONF_DEVICE_ID,
    CONF_DEVICE_KEY,
    CONF_KEY_HASH,
    CONF_SERIAL,
    CONF_USER_ID,
    CONF_USER_KEY,
    DEFAULT_URL,
)
from .coordinator import EspCloudConfigEntry, EspCloudCoordinator
from .kinds.lamp import LampKind

TO_REDACT = {
    CONF_DEVICE_ID,
    CONF_DEVICE_KEY,
    CONF_EMAIL,
    CONF_KEY_HASH,
    CONF_SERIAL,
    CONF_USER_ID,
    CONF_USER_KEY,
}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: EspCloudConfigEntry
) -> dict[str, Any]:
    """Return the diagnostics of an account and all its devices."""
    return {
        "account": _account(entry.data),
        "server": _server(entry),
        "polling": entry.runtime_data.account.diagnostics(),
        "devices": [_device(coordinator) for coordinator in entry.runtime_data],
    }


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: EspCloudConfigEntry, device: DeviceEntry
) -> dict[str, Any]:
    """Return the diagnostics of one device, None for one that another account has."""
    coordinator = entry.runtime_data.of(device)
    return {
        "account": _account(entry.data),
        "device": None if coordinator is None else _device(coordinator),
    }


def _account(data: Mapping[str, Any]) -> dict[str, Any]:
    redacted = async_redact_data(dict(data), TO_REDACT)
    # Someone's own server is someone's own address.
    if redacted.get(CONF_URL, DEFAULT_URL) != DEFAULT_URL:
        redacted[CONF_URL] = "**REDACTED**"
    return redacted


def _server(entry: EspCloudConfigEntry) -> dict[str, Any] | None:
    """Return what is known of the cloud in Home Assistant, None for another one."""
    server = entry.runtime_data.server
    return server.diagnostics() if server is not None else None


def _device(coordinator: EspCloudCoordinator) -> dict[str, Any]:
    subentry = coordinator.subentry
    device = coordinator.backend.device
    return {
        "kind": coordinator.kind.name,
        "ptype": device.ptype if device else None,
        "firmware": device.rom_version if device else None,
        "settings": async_redact_data(
            dict(subentry.data) if subentry else {}, TO_REDACT
        ),
        "state": _state(coordinator),
        "connected": coordinator.availability.connected,
        "available": coordinator.availability.available,
        "connection": {
            **coordinator.backend.diagnostics(),
            "history": coordinator.availability.history.as_list(),
        },
    }


def _state(coordinator: EspCloudCoordinator) -> Any:
    kind = coordinator.kind
    if isinstance(kind, LampKind):
        return kind.as_stored(coordinator.data)
    return _shown(coordinator.data)


def _shown(state: Any) -> Any:
    """Return a state of any kind in a form that can be written as JSON."""
    if is_dataclass(state) and not isinstance(state, type):
        return {
            field.name: _shown(getattr(state, field.name)) for field in fields(state)
        }
    return dict(state) if isinstance(state, Mapping) else state
