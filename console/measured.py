"""What devices have measured: who may see it, and what its product says of it."""

from dataclasses import dataclass

from local_cloud.errors import ApiError
from local_cloud.models import DIMENSIONS, Datastream, DatastreamTmpl

from .holdings import Holding, holding
from .visits import Visit


@dataclass(frozen=True, slots=True)
class Measured:
    """A datastream of a device that an account has a key of."""

    held: Holding
    stream: Datastream
    template: DatastreamTmpl | None
    """What the device's product says of it, where that does."""

    @property
    def address(self) -> str:
        """Where its page is."""
        return f"/devices/{self.held.device.id}/data/{self.stream.id}"

    @property
    def unit(self) -> str:
        """What stands behind its values, nothing where that is unknown."""
        return unit_of(self.template)


def held_device(visit: Visit, number: int) -> Holding:
    """Return a device whose data the account may see. Raises ApiError 404, and 403 without a key.

    Who has made a device that somebody else owns sees nothing of what it measures.
    """
    found = holding(visit, number)
    found.token  # noqa: B018 - it is there, or it raises
    return found


def measured(visit: Visit, number: int, stream: int) -> Measured:
    """Return a datastream by the ids of its device and its own. Raises ApiError 403 and 404."""
    found = held_device(visit, number)
    known = visit.cloud.store.streams.streams.get(stream)
    if known is None or known.device_id != number:
        raise ApiError(404, "no such datastream")
    return Measured(found, known, templates_of(visit, found).get(known.name))


def templates_of(visit: Visit, found: Holding) -> dict[str, DatastreamTmpl]:
    """Return what the device's product says of its datastreams, by their names."""
    known = visit.cloud.store.templates_of(found.device.product_id)
    return {template.name: template for template in known.values()}


def unit_of(template: DatastreamTmpl | None) -> str:
    """Return the symbol of a unit, or else its name."""
    return (template.symbol or template.unit) if template else ""


def dimensions_of(
    template: DatastreamTmpl | None, stream: Datastream | None
) -> list[str]:
    """Return the dimensions that a datapoint has, as far as is known; x at the least."""
    count = template.dimension if template else 1
    latest = stream.latest.values if stream and stream.latest else {}
    return [
        name for index, name in enumerate(DIMENSIONS) if index < count or name in latest
    ]
