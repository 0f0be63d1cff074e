"""What devices of a person's own measure: any stream, up to five numbers (§10.1)."""

from collections.abc import Iterable
from dataclasses import dataclass

from .base import Datapoint
from .sensors import Quantity, Readings, with_point

DIMENSIONS = "xyzkl"

# A device that makes up streams must not fill Home Assistant with them.
MAX_QUANTITIES = 100


@dataclass(frozen=True, slots=True)
class StreamTemplate:
    """What a product says of one of its datastreams (protocol.md §2.11).

    Attributes:
        name: the datastream's.
        dimension: how many values its points have, 1 to 5, 0 where it is not said.
        tags: words with commas; where they are as many as values, their names.
        unit: the unit in words.
        symbol: the sign of the unit.
    """

    name: str
    dimension: int = 0
    tags: str = ""
    unit: str = ""
    symbol: str = ""

    def quantity(self, index: int) -> Quantity:
        """Return the quantity of one of its values, the first being 0."""
        dimension = DIMENSIONS[index]
        names = [each.strip() for each in self.tags.split(",")]
        name = f"{self.name} {dimension}"
        if len(names) == self.dimension > 1 and names[index]:
            name = names[index]
        elif self.dimension == 1 and index == 0:
            name = self.name
        return Quantity(
            key=_key(self.name, dimension),
            stream=self.name,
            dimension=dimension,
            name=name,
            unit=self._unit(index),
        )

    def _unit(self, index: int) -> str | None:
        if self.unit.lower() in ("bool", "boolean"):
            return None  # its symbol is of two words, on/off
        units = [each.strip() for each in (self.symbol or self.unit).split(",")]
        if len(units) == self.dimension and index < len(units):
            return units[index] or None
        return None


def self_made_quantities(
    templates: Iterable[StreamTemplate], shown: Iterable[str] = ()
) -> tuple[Quantity, ...]:
    """Return the quantities that templates name or points have shown.

    Args:
        templates: those of the device's product.
        shown: keys of which there was a number, `tem_hum-x`.
    """
    by_stream = {each.name: each for each in templates}
    found = {
        quantity.key: quantity
        for template in by_stream.values()
        for quantity in map(template.quantity, range(template.dimension))
    }
    for key in shown:
        stream, _, dimension = key.rpartition("-")
        if key not in found and stream and dimension in tuple(DIMENSIONS):
            template = by_stream.get(stream, StreamTemplate(stream))
            found[key] = template.quantity(DIMENSIONS.index(dimension))
    return tuple(found.values())[:MAX_QUANTITIES]


def with_self_made_point(
    readings: Readings, stream: str, datapoint: Datapoint
) -> Readings:
    """Return the readings after a point of any stream."""
    room = MAX_QUANTITIES - len(readings)
    quantities = []
    for dimension in DIMENSIONS:
        quantity = Quantity(_key(stream, dimension), stream, dimension)
        if quantity.key not in readings:
            if room <= 0 or quantity.reading(datapoint) is None:
                continue
            room -= 1
        quantities.append(quantity)
    return with_point(readings, quantities, stream, datapoint)


def _key(stream: str, dimension: str) -> str:
    return f"{stream}-{dimension}"
