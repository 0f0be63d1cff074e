"""A sensor's past, put into Home Assistant's long-term statistics once."""

from datetime import UTC, datetime
import logging

from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    STATISTIC_UNIT_TO_UNIT_CONVERTER,
    async_import_statistics,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from .backends.account import Account
from .cloud import CloudError
from .const import DOMAIN
from .coordinator import EspCloudCoordinator
from .earlier_readings import Hours, read_earlier
from .kinds.sensors import Measuring
from .state_store import HARDWARE, StateStore

_LOGGER = logging.getLogger(__name__)

IMPORTED = "imported"
"""In what is stored of a device: the keys of the quantities whose past is known."""


async def async_import_past(
    hass: HomeAssistant,
    account: Account,
    coordinator: EspCloudCoordinator,
    states: StateStore,
) -> None:
    """Import what a device's sensors measured in full hours before they were there.

    Each sensor's once; one that is disabled waits until it is not. Where the cloud cannot
    be asked the next start tries again.
    """
    kind = coordinator.kind
    assert isinstance(kind, Measuring)
    store_key = f"{HARDWARE}{coordinator.unique_id}"
    done = states.get(store_key).get(IMPORTED)
    imported = set(done) if isinstance(done, list) else set()
    wanted = {
        quantity.key: entity
        for quantity in kind.quantities(coordinator.data)
        if quantity.key not in imported
        and (entity := _entity(hass, coordinator, quantity.key)) is not None
    }
    if not wanted:
        return
    before = min(entity.created_at.timestamp() for entity in wanted.values())
    try:
        hours = await read_earlier(
            account, coordinator.identity.device_id, coordinator.kind, before=before
        )
    except CloudError as err:
        _LOGGER.debug("%s: its past could not be read: %s", coordinator.name, err)
        return
    for key, entity in wanted.items():
        if of_key := hours.get(key):
            _import(hass, entity, of_key)
    states.async_set(store_key, {IMPORTED: sorted(imported | wanted.keys())})


def _entity(
    hass: HomeAssistant, coordinator: EspCloudCoordinator, key: str
) -> er.RegistryEntry | None:
    """Return a quantity's sensor, None where there is none or it is disabled."""
    registry = er.async_get(hass)
    entity_id = registry.async_get_entity_id(
        "sensor", DOMAIN, f"{coordinator.unique_id}-{key}"
    )
    entity = registry.async_get(entity_id) if entity_id is not None else None
    return entity if entity is not None and not entity.disabled else None


@callback
def _import(hass: HomeAssistant, entity: er.RegistryEntry, hours: Hours) -> None:
    unit = entity.unit_of_measurement
    converter = STATISTIC_UNIT_TO_UNIT_CONVERTER.get(unit)
    async_import_statistics(
        hass,
        StatisticMetaData(
            mean_type=StatisticMeanType.ARITHMETIC,
            has_sum=False,
            name=None,
            source="recorder",
            statistic_id=entity.entity_id,
            unit_class=converter.UNIT_CLASS if converter is not None else None,
            unit_of_measurement=unit,
        ),
        [
            StatisticData(
                start=datetime.fromtimestamp(begin, UTC),
                mean=hour.mean,
                min=min(hour.values),
                max=max(hour.values),
            )
            for begin, hour in sorted(hours.items())
        ],
    )
