"""Its entities of the domain update."""

from bench.instances.bare import BareEntity, add_bare
from homeassistant.components.update import UpdateEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback


class BareUpdateEntity(BareEntity, UpdateEntity):
    """One of them."""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add them."""
    add_bare(hass, "update", BareUpdateEntity, async_add_entities)
