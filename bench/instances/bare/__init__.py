"""An integration whose devices and entities are there, and nothing else."""

from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

DOMAIN = "bare"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many entities of a domain there are, those that are enabled and all."""

    enabled: int
    all: int


class BareEntity(Entity):
    """An entity that has what every entity of a device has."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, number: int, domain: str, *, is_enabled: bool) -> None:
        """Be the one of this domain that device `number` has."""
        self._attr_unique_id = f"{number}-{domain}"
        self._attr_name = domain
        self._attr_entity_registry_enabled_default = is_enabled
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, str(number))},
            name=f"Device {number}",
            manufacturer="Espressif",
            model="Gas sensor",
            serial_number=f"{number:08x}",
        )


def add_bare(
    hass: HomeAssistant,
    domain: str,
    entity: type[BareEntity],
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the entities of a platform."""
    counts: Counts = hass.data[DOMAIN][domain]
    async_add_entities(
        entity(number, domain, is_enabled=number < counts.enabled)
        for number in range(counts.all)
    )


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Set up the platforms of which there are entities."""
    await hass.config_entries.async_forward_entry_setups(entry, list(hass.data[DOMAIN]))
    return True
