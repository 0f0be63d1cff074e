"""Sensors: devices whose stored points are readings (protocol.md §4, §10.1)."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, override

from .base import Datapoint, Kind
from .values import number, whole

type Readings = Mapping[str, float]
"""The newest value of each quantity by its key. It is never changed."""

NO_READINGS: Readings = MappingProxyType({})

# Beyond it a number is no reading of anything, and a display has no room for it.
LARGEST = 1e12


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number that a device measures.

    Attributes:
        key: names it within its device.
        stream: the datastream of its points.
        dimension: x, y, z, k or l.
        name: what a person calls it, None for a text that Home Assistant has.
        device_class: Home Assistant's class of it, None where there is none.
        unit: what it is measured in, None for a plain number.
        digits: how many decimals mean something, None where it is not known.
        divisor: what the number on the wire is divided by.
        lowest: the smallest number on the wire that can be true.
        highest: the largest number on the wire that can be true.
    """

    key: str
    stream: str
    dimension: str
    name: str | None = None
    device_class: str | None = None
    unit: str | None = None
    digits: int | None = None
    divisor: float = 1.0
    lowest: float = -LARGEST
    highest: float = LARGEST

    def reading(self, datapoint: Datapoint) -> float | None:
        """Return what a point of the stream says, None where it makes no sense."""
        value = number(datapoint.get(self.dimension))
        if value is None or not self.lowest <= value <= self.highest:
            return None
        return value / self.divisor


def with_point(
    readings: Readings,
    quantities: Iterable[Quantity],
    stream: str,
    datapoint: Datapoint,
) -> Readings:
    """Return the readings after a point of a stream; the same ones if it adds nothing."""
    found = {
        each.key: reading
        for each in quantities
        if each.stream == stream and (reading := each.reading(datapoint)) is not None
    }
    if all(readings.get(key) == reading for key, reading in found.items()):
        return readings
    return MappingProxyType({**readings, **found})


class Measuring[StateT](ABC):
    """What a kind that measures has beside `Kind`."""

    @abstractmethod
    def quantities(self, state: StateT) -> tuple[Quantity, ...]:
        """Return what the device measures, as far as is known. It only ever grows."""

    @abstractmethod
    def readings(self, state: StateT) -> Readings:
        """Return the newest values; a quantity without one is not in it."""

    def seconds_before_at(self, datapoint: Datapoint) -> float:
        """Return how long before its `at` a point was measured."""
        return 0.0


class SensorKind(Measuring[Readings], Kind[Readings]):
    """A sensor of Espressif's: it wakes, posts and sleeps, and answers nothing (§10.2, 5).

    Attributes:
        measured: its quantities.
    """

    measured: ClassVar[tuple[Quantity, ...]]

    @property
    @override
    def initial(self) -> Readings:
        """Nothing was measured yet."""
        return NO_READINGS

    @override
    def apply(self, state: Readings, stream: str, datapoint: Datapoint) -> Readings:
        """Take each number that makes sense."""
        return with_point(state, self.measured, stream, datapoint)

    @override
    def quantities(self, state: Readings) -> tuple[Quantity, ...]:
        """Return what such a sensor measures."""
        return self.measured

    @override
    def readings(self, state: Readings) -> Readings:
        """Return the state: it is the readings."""
        return state


class TemHumKind(SensorKind):
    """A sensor of temperature and humidity."""

    name: ClassVar[str] = "tem_hum"
    stored = ("tem_hum",)
    window = 300.0
    measured = (
        Quantity(
            key="temperature",
            stream="tem_hum",
            dimension="x",
            device_class="temperature",
            unit="°C",
            digits=1,
            lowest=-100,
            highest=200,
        ),
        Quantity(
            key="humidity",
            stream="tem_hum",
            dimension="y",
            device_class="humidity",
            unit="%",
            digits=1,
            lowest=0,
            highest=100,
        ),
    )


class GasKind(SensorKind):
    """A sensor of flammable gas. Its number is the reading of a converter, no alarm."""

    name: ClassVar[str] = "flammable_gas"
    stored = ("flammable_gas",)
    window = 300.0
    measured = (
        Quantity(
            key="flammable_gas",
            stream="flammable_gas",
            dimension="x",
            digits=3,
            lowest=0,
            highest=1,
        ),
    )


class VoltageKind(SensorKind):
    """A sensor of its supply voltage, which posts 20 points a minute apart at once."""

    name: ClassVar[str] = "supply_voltage"
    stored = ("supply-voltage",)
    points_at_once = 20
    # It posts every 20 minutes; the app's 60 s would show it as away nearly always.
    window = 1500.0
    measured = (
        Quantity(
            key="voltage",
            stream="supply-voltage",
            dimension="y",
            device_class="voltage",
            unit="V",
            digits=3,
            divisor=1024,
            lowest=0,
            # The chip measures its own supply, of 3.3 V or so, in 1/1024 V.
            highest=16 * 1024,
        ),
    )

    @override
    def apply(self, state: Readings, stream: str, datapoint: Datapoint) -> Readings:
        """Take a point that says its place among the 20; they come oldest first."""
        if _place(datapoint) is None:
            return state
        return super().apply(state, stream, datapoint)

    @override
    def newest(self, datapoints: Sequence[Datapoint]) -> Datapoint | None:
        """Return the point of the highest x in the newest post, which has one `at`."""
        placed = [each for each in datapoints if _place(each) is not None]
        post = [each for each in placed if each.get("at") == placed[0].get("at")]
        return max(post, key=lambda each: _place(each) or 0, default=None)

    @override
    def seconds_before_at(self, datapoint: Datapoint) -> float:
        """Return how long before the post a point was measured: the last one, 0."""
        place = _place(datapoint)
        return 0.0 if place is None else (_LAST_PLACE - place) * 60.0


_LAST_PLACE = 19


def _place(datapoint: Datapoint) -> int | None:
    place = whole(datapoint.get("x"))
    return place if place is not None and 0 <= place <= _LAST_PLACE else None
