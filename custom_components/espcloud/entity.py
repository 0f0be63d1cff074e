"""What all entities of a device have in common."""

from typing import override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import EspCloudCoordinator


class EspCloudEntity(CoordinatorEntity[EspCloudCoordinator]):
    """An entity of a device."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: EspCloudCoordinator, key: str) -> None:
        """Attach to the device, which its coordinator has registered."""
        super().__init__(coordinator)
        self._attr_unique_id = f"{coordinator.unique_id}-{key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, coordinator.unique_id)}
        )
        self._shown_available: bool | None = None

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write the state where it is about whether the device is there."""
        available = self.coordinator.availability.available
        if available is not self._shown_available:
            self._shown_available = available
            self.async_write_ha_state()

    @property
    @override
    def available(self) -> bool:
        """Whether the device is connected, give or take the grace time."""
        return self.coordinator.availability.available
