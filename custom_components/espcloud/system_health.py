"""What the system information page says of the cloud."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.core import HomeAssistant, callback

from .backends.local import LocalServer
from .const import DEFAULT_URL, DOMAIN
from .coordinator import EspCloudConfigEntry
from .entries import is_local


@callback
def async_register(
    hass: HomeAssistant, register: system_health.SystemHealthRegistration
) -> None:
    """Register what to show."""
    register.async_register_info(_async_info)


async def _async_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return whether the cloud can be reached, and how many devices are connected."""
    entries: list[EspCloudConfigEntry] = hass.config_entries.async_loaded_entries(
        DOMAIN
    )
    servers = [
        entry.runtime_data.server for entry in entries if entry.runtime_data.server
    ]
    accounts = [entry for entry in entries if not is_local(entry)]
    coordinators = [
        coordinator for entry in entries for coordinator in entry.runtime_data
    ]
    online = sum(coordinator.availability.connected for coordinator in coordinators)
    info: dict[str, Any] = {"devices_online": f"{online}/{len(coordinators)}"}
    for server in servers:
        info |= _server_info(server)
    if accounts or not servers:
        url = accounts[0].runtime_data.account.url if accounts else DEFAULT_URL
        info |= _cloud_info(hass, url)
    return info


def _server_info(server: LocalServer) -> dict[str, Any]:
    return {
        "local_port": server.settings.device_port,
        "local_pending": len(server.pending()),
    }


def _cloud_info(hass: HomeAssistant, url: str) -> dict[str, Any]:
    return {
        "can_reach_cloud": system_health.async_check_can_reach_url(
            hass, f"{url}/v1/ping/"
        )
    }
