"""Its entities of the domain binary_sensor."""

from bench.instances.bare import BareEntity, add_bare
from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback


class BareBinarySensorEntity(BareEntity, BinarySensorEntity):
    """One of them."""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add them."""
    add_bare(hass, "binary_sensor", BareBinarySensorEntity, async_add_entities)
