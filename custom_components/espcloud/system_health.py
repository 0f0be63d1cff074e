"""What the system information page says of the cloud."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.core import HomeAssistant, callback

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
    accounts = [entry for entry in entries if not is_local(entry)]
    coordinators = [
        coordinator for entry in entries for coordinator in entry.runtime_data
    ]
    online = sum(coordinator.availability.connected for coordinator in coordinators)
    url = accounts[0].runtime_data.account.url if accounts else DEFAULT_URL
    return {
        "can_reach_cloud": system_health.async_check_can_reach_url(
            hass, f"{url}/v1/ping/"
        ),
        "devices_online": f"{online}/{len(coordinators)}",
    }
