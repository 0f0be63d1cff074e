"""What a person chooses for a device of the account, put into its subentry."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback

from .const import CONF_KIND, SUBENTRY_TYPE_HARDWARE
from .coordinator import EspCloudCoordinator


def hardware_unique_id(coordinator: EspCloudCoordinator) -> str:
    """Return the unique id of the subentry for a device."""
    return f"{SUBENTRY_TYPE_HARDWARE}-{coordinator.unique_id}"


@callback
def async_choose(
    hass: HomeAssistant,
    entry: ConfigEntry,
    coordinator: EspCloudCoordinator,
    choices: Mapping[str, Any],
) -> None:
    """Add to what is chosen for a device; its subentry is made if there is none."""
    subentry = coordinator.subentry
    if subentry is not None:
        hass.config_entries.async_update_subentry(
            entry, subentry, data={**subentry.data, **choices}
        )
        return
    data = {
        **coordinator.identity.as_data(),
        CONF_KIND: coordinator.kind.name,
        **choices,
    }
    hass.config_entries.async_add_subentry(
        entry,
        ConfigSubentry(
            data=MappingProxyType(data),
            subentry_type=SUBENTRY_TYPE_HARDWARE,
            title=coordinator.name,
            unique_id=hardware_unique_id(coordinator),
        ),
    )
