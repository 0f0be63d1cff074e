"""Whether a device is connected to the cloud."""

from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import EspCloudConfigEntry, EspCloudCoordinator
from .entity import EspCloudEntity

# Nothing is ever asked for: the connection itself tells.
PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EspCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up a connectivity sensor for each device of the account."""

    @callback
    def async_add(coordinator: EspCloudCoordinator) -> None:
        async_add_entities(
            [EspCloudConnectivity(coordinator)],
            config_subentry_id=coordinator.registry_subentry_id,
        )

    entry.async_on_unload(entry.runtime_data.async_for_each_device(async_add))


class EspCloudConnectivity(EspCloudEntity, BinarySensorEntity):
    """A sensor that is there to say that the others are not."""

    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
    _attr_entity_category = EntityCategory.DIAGNOSTIC

    def __init__(self, coordinator: EspCloudCoordinator) -> None:
        """Attach to the device."""
        super().__init__(coordinator, "connectivity")
        # Of a device that the account has it tells no more than whether the others are
        # available; the connection of one that Home Assistant is may matter to more.
        self._attr_entity_registry_enabled_default = coordinator.backend.is_virtual

    @property
    @override
    def available(self) -> bool:
        """Always: no connection is a state of this sensor, not a lack of one."""
        return True

    @property
    @override
    def is_on(self) -> bool:
        """Whether the device is connected, give or take the grace time."""
        return self.coordinator.availability.available
