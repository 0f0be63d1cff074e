"""Its entities of the domain sensor."""

from bench.instances.bare import BareEntity, add_bare
from homeassistant.components.sensor import SensorEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback


class BareSensorEntity(BareEntity, SensorEntity):
    """One of them."""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add them."""
    add_bare(hass, "sensor", BareSensorEntity, async_add_entities)
