"""What all entities of a device have in common."""

from typing import Any, override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import EspCloudCoordinator
from .kinds.base import Change


class EspCloudEntity(CoordinatorEntity[EspCloudCoordinator]):
    """An entity of a device."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: EspCloudCoordinator, key: str) -> None:
        """Attach to the device, which its coordinator has registered."""
        super().__init__(coordinator)
        self._attr_unique_id = f"{coordinator.unique_id}-{key}"
        coordinator.entity_ids.add(self._attr_unique_id)
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, coordinator.unique_id)}
        )

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the device for as long as the entity is there."""
        await super().async_added_to_hass()
        coordinator = self.coordinator
        coordinator.entities.add(self)
        self.async_on_remove(lambda: coordinator.entities.discard(self))

    @property
    @override
    def available(self) -> bool:
        """Whether the device is connected, give or take the grace time."""
        return self.coordinator.availability.available


class EspCloudStateEntity(EspCloudEntity):
    """An entity that shows a part of the device's state, and can change it perhaps."""

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the state for as long as the entity is there."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self.coordinator.async_listen_state(self._async_handle_state)
        )

    @callback
    def _async_handle_state(self) -> None:
        """Write the state."""
        self.async_write_ha_state()

    async def _async_change(
        self, change: Change[Any], action: str, *, is_toggle: bool = False
    ) -> None:
        """Bring a change about; raises as `EspCloudCoordinator.async_change`."""
        await self.coordinator.async_change(
            change, action=action, context=self._context, is_toggle=is_toggle
        )
