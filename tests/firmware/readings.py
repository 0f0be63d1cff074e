"""What the sensors measure, and how they write it (protocol.md §3.8, §4, §10.1)."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

VOLTAGE_POINTS = 20


class Reading(ABC):
    """A measurement.

    Attributes:
        rom_version: of the firmware that measures it.
        path: where it is posted, behind /v1/datastreams/.
        interval: how many seconds the real sensor sleeps.
    """

    rom_version: ClassVar[str]
    path: ClassVar[str]
    interval: ClassVar[float]

    @property
    @abstractmethod
    def values(self) -> dict[str, Any]:
        """The measurement by the names of the arguments; JSON."""

    @abstractmethod
    def body(self) -> str:
        """Return the body of the post, spaced as firmware writes it."""


@dataclass
class TemHum(Reading):
    """Temperature in °C, relative humidity in %."""

    rom_version = "v1.0.5t12335(a)"
    path = "tem_hum/datapoint"
    interval = 30.0
    x: float = 21.5
    y: float = 48.0

    @property
    def values(self) -> dict[str, Any]:
        """Both."""
        return {"x": self.x, "y": self.y}

    def body(self) -> str:
        """Write two decimals."""
        return f'{{"datapoint": {{"x": {self.x:.2f},"y": {self.y:.2f}}}}}'


@dataclass
class Gas(Reading):
    """Flammable gas, 0 to 1. Its firmware says the ptype of another kind, as that of NONOS does."""

    rom_version = "v1.0.5t12335(a)"
    path = "flammable_gas/datapoint"
    interval = 60.0
    x: float = 0.0

    @property
    def values(self) -> dict[str, Any]:
        """The ratio."""
        return {"x": self.x}

    def body(self) -> str:
        """Write three decimals."""
        return f'{{"datapoint": {{"x": {self.x:.3f}}}}}'


@dataclass
class Voltage(Reading):
    """The last 20 minutes of a supply's voltage: readings / 1024 V, the oldest first."""

    rom_version = "v1.0.5t68574(a)"
    path = "supply-voltage/datapoints"
    interval = 60.0 * VOLTAGE_POINTS
    y: Sequence[int] = field(default_factory=lambda: [3379] * VOLTAGE_POINTS)

    def __post_init__(self) -> None:
        """Raise ValueError for another number of readings."""
        if len(self.y) != VOLTAGE_POINTS:
            raise ValueError(f"y must be {VOLTAGE_POINTS} readings")

    @property
    def values(self) -> dict[str, Any]:
        """The readings."""
        return {"y": list(self.y)}

    def body(self) -> str:
        """Write all at once."""
        points = ",".join(
            f'{{"x": {index}, "y": {reading}}}' for index, reading in enumerate(self.y)
        )
        return f'{{"datapoints": [{points}]}}'
