"""What is known of a device whose key nobody has taken in, and what it may be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
import re
from typing import Any

from .device_types import PTYPES
from .models import DIMENSIONS
from .wire import JsonObject

MAX_STREAMS = 8
"""Datastreams that are noted of one such device."""
MAX_POINTS = 3
"""Latest datapoints that are noted of each."""
MAX_TEXT = 64
"""Characters of a text that it says of itself."""

_NAME = re.compile(r"[a-zA-Z0-9_+\-.:]{1,64}")
_PART = re.compile(r"[a-zA-Z0-9_]{1,16}")
_VALUE_TEXT = 32
_VALUE_PARTS = 4
"""An object of colors has red, green, blue and white."""

_PTYPE = re.compile(r"t([0-9]{1,6})\(")
"""Where Espressif's versions have the ptype: `v1.0.5t23701(a)` (protocol.md §4)."""
_BY_STREAM = {
    "plug-status": PTYPES["plug"],
    "light": PTYPES["light"],
    "plugs": PTYPES["strip"],
    "tem_hum": PTYPES["humiture"],
    "flammable_gas": PTYPES["gas"],
    "supply-voltage": PTYPES["voltage"],
    "remote": PTYPES["remote"],
}
"""The streams of Espressif's kinds (protocol.md §4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingDevice:
    """A device with an unknown key, as far as it has told of itself."""

    key: str = field(repr=False)
    """The master key in its flash."""
    address: str
    bssid: str = ""
    """From its activation, as is `rom_version`; empty where it did not activate."""
    rom_version: str = ""
    streams: Mapping[str, tuple[JsonObject, ...]] = field(default_factory=dict)
    """The latest datapoints of each stream to which it posted, oldest first."""
    state: JsonObject | None = None
    """The datapoint with which it answered a pushed GET, None before it has."""

    @property
    def ptype(self) -> int | None:
        """What it seems to be, None where nothing tells.

        The stream decides where it posts, for builds of the gas sensor have another ptype in their
        version; else the version does, or the shape of its state (protocol.md §10.1, §10.2, 3).
        """
        for name in self.streams:
            if name in _BY_STREAM:
                return _BY_STREAM[name]
        if found := _PTYPE.search(self.rom_version):
            return int(found[1])
        return None if self.state is None else _ptype_of_state(self.state)


def _ptype_of_state(state: JsonObject) -> int | None:
    """Tell a kind by the values in its state."""
    if isinstance(state.get("z"), dict):
        return PTYPES["light"]
    kinds = {("x",): "plug", ("x", "y"): "strip", DIMENSIONS: "light"}
    kind = kinds.get(tuple(name for name in DIMENSIONS if name in state))
    return PTYPES[kind] if kind else None


def with_points(
    streams: Mapping[str, tuple[JsonObject, ...]], name: str, body: JsonObject
) -> Mapping[str, tuple[JsonObject, ...]]:
    """Return the streams with the datapoints in a body added, as far as there is space."""
    if not _NAME.fullmatch(name) or (
        name not in streams and len(streams) >= MAX_STREAMS
    ):
        return streams
    points = body.get("datapoints")
    new = points[-MAX_POINTS:] if isinstance(points, list) else [body.get("datapoint")]
    noted = (*streams.get(name, ()), *map(read_point, new))
    return {**streams, name: noted[-MAX_POINTS:]}


def read_point(point: object) -> JsonObject:
    """Return what fits of the values of a datapoint."""
    if not isinstance(point, dict):
        return {}
    return {name: point[name] for name in DIMENSIONS if _fits(point.get(name))}


def _fits(value: Any) -> bool:
    match value:
        case str():
            return len(value) <= _VALUE_TEXT
        case dict():
            return len(value) <= _VALUE_PARTS and all(
                _PART.fullmatch(name) and _is_number(part)
                for name, part in value.items()
            )
    return _is_number(value)


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) < 1e15
    )
