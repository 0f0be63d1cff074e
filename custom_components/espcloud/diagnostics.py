"""What a person can attach to a report without giving anything away."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_EMAIL, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntry

from .const import (
    CONF_DEVICE_ID,
    CONF_DEVICE_KEY,
    CONF_SERIAL,
    CONF_USER_ID,
    CONF_USER_KEY,
    DEFAULT_URL,
)
from .coordinator import EspCloudConfigEntry, EspCloudCoordinator

TO_REDACT = {
    CONF_DEVICE_ID,
    CONF_DEVICE_KEY,
    CONF_EMAIL,
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
        "devices": [
            _device(coordinator)
            for coordinator in entry.runtime_data.coordinators.values()
        ],
    }


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: EspCloudConfigEntry, device: DeviceEntry
) -> dict[str, Any]:
    """Return the diagnostics of one device, None for one that another account has."""
    coordinators = entry.runtime_data.coordinators
    coordinator = coordinators.get(device.config_subentry_id or "")
    return {
        "account": _account(entry.data),
        "device": None if coordinator is None else _device(coordinator),
    }


def _account(data: Mapping[str, Any]) -> dict[str, Any]:
    redacted = async_redact_data(dict(data), TO_REDACT)
    # Someone's own server is someone's own address.
    if redacted[CONF_URL] != DEFAULT_URL:
        redacted[CONF_URL] = "**REDACTED**"
    return redacted


def _device(coordinator: EspCloudCoordinator) -> dict[str, Any]:
    subentry: ConfigSubentry = coordinator.subentry
    session = coordinator.session
    return {
        "settings": async_redact_data(dict(subentry.data), TO_REDACT),
        "state": asdict(coordinator.data),
        "connected": coordinator.availability.connected,
        "available": coordinator.availability.available,
        "connection": {
            "statistics": asdict(session.statistics) if session else None,
            "attempts_failed": session.attempts_failed if session else None,
            "contested": session.contested if session else None,
            "history": coordinator.availability.history.as_list(),
        },
    }
