"""What devices measure."""

from typing import override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorStateClass,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import EspCloudConfigEntry, EspCloudCoordinator
from .entity import EspCloudStateEntity
from .kinds.sensors import Measuring, Quantity

# Nothing is sent: the way to the device asks for all of it.
PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EspCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up a sensor for each quantity of each device that measures."""

    @callback
    def async_add(coordinator: EspCloudCoordinator) -> None:
        kind = coordinator.kind
        if not isinstance(kind, Measuring):
            return
        known: set[str] = set()

        @callback
        def add_new() -> None:
            """Add what the device has shown by now that it measures."""
            quantities = [
                each
                for each in kind.quantities(coordinator.data)
                if each.key not in known
            ]
            if quantities:
                known.update(each.key for each in quantities)
                async_add_entities(
                    [EspCloudSensor(coordinator, each) for each in quantities],
                    config_subentry_id=coordinator.registry_subentry_id,
                )

        add_new()
        coordinator.async_on_shutdown(coordinator.async_listen_state(add_new))

    entry.async_on_unload(entry.runtime_data.async_for_each_device(async_add))


class EspCloudSensor(EspCloudStateEntity, SensorEntity):
    """The newest value of a quantity."""

    _attr_state_class = SensorStateClass.MEASUREMENT

    def __init__(self, coordinator: EspCloudCoordinator, quantity: Quantity) -> None:
        """Attach to a quantity of the device."""
        super().__init__(coordinator, quantity.key)
        self._key = quantity.key
        if quantity.device_class is not None:
            self._attr_device_class = SensorDeviceClass(quantity.device_class)
        elif quantity.name is not None:
            # In the words of whoever made it.
            self._attr_name = quantity.name
        else:
            # Only that of a gas sensor has neither a class nor a name of its own.
            self._attr_translation_key = "flammable_gas"
        self._attr_native_unit_of_measurement = quantity.unit
        self._attr_suggested_display_precision = quantity.digits

    @property
    @override
    def native_value(self) -> float | None:
        """The newest value, None before any."""
        kind = self.coordinator.kind
        assert isinstance(kind, Measuring)
        return kind.readings(self.coordinator.data).get(self._key)
