"""What all entities of a device have in common."""

from typing import override

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

    @property
    @override
    def available(self) -> bool:
        """Whether the device is connected, give or take the grace time."""
        return self.coordinator.availability.available
