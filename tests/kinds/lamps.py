"""Lamps of the old stream, as Espressif's firmware reports them (protocol.md §10.2, 4)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import ceil, floor
from typing import Any

type Rounding = Callable[[float], int]

# How RTOS rounds was not seen with numbers between those of whole levels.
ROUNDINGS: tuple[Rounding, ...] = (floor, round, ceil)
FULL = 22222
CHANNELS = "yzkl"
BLACK = dict.fromkeys(CHANNELS, 0)


@dataclass
class Lamp:
    """A lamp that takes 0 to 22222 and reports that, or 0 to 1023."""

    rounding: Rounding | None = None
    channels: dict[str, int] = field(default_factory=BLACK.copy)

    def set(self, datapoint: Any) -> None:
        """Take all four channels, of which none may be too large."""
        assert datapoint["x"] == 1000
        self.channels = {name: datapoint[name] for name in CHANNELS}
        assert all(0 <= each <= FULL for each in self.channels.values())

    def report(self) -> dict[str, int]:
        """Return what it answers to a GET once its fade is over."""
        return self.fading(BLACK, 1.0)

    def fading(self, start: dict[str, int], part: float) -> dict[str, int]:
        """Return what it answers when that part of its fade is over."""
        now = {
            name: start[name] + (self.channels[name] - start[name]) * part
            for name in CHANNELS
        }
        if self.rounding is None:
            return {"x": 1000} | {name: round(each) for name, each in now.items()}
        return {"x": 1000} | {
            name: self.rounding(each * 1023 / FULL) for name, each in now.items()
        }


def nonos() -> Lamp:
    """Return a lamp with NONOS."""
    return Lamp()


def rtos(rounding: Rounding = floor) -> Lamp:
    """Return a lamp with RTOS."""
    return Lamp(rounding)


def all_lamps() -> Iterator[Lamp]:
    """Return one lamp of each firmware and way of rounding."""
    yield nonos()
    for rounding in ROUNDINGS:
        yield rtos(rounding)


def app_command(levels: tuple[int, int, int, int]) -> dict[str, int]:
    """Return what Espressif's app posts, which rounds down (protocol.md §10.3)."""
    return {"x": 1000} | {
        name: level * FULL // 255 for name, level in zip(CHANNELS, levels, strict=True)
    }


def app_levels(report: Any) -> tuple[int, ...]:
    """Return what the app shows of a report, which rounds down too, and knows no RTOS."""
    return tuple(report[name] * 255 // FULL for name in CHANNELS)
