"""Lamps: one state, two streams (protocol.md §4, §10.3)."""

from .light_state import LightMode, LightState, toggled, turned_off, turned_on
from .new_light import NewLightKind, from_new_datapoint, new_command, new_datapoint
from .old_light import OldLightKind, from_old_datapoint, old_datapoint

type LightKind = OldLightKind | NewLightKind

__all__ = [
    "LightKind",
    "LightMode",
    "LightState",
    "NewLightKind",
    "OldLightKind",
    "from_new_datapoint",
    "from_old_datapoint",
    "new_command",
    "new_datapoint",
    "old_datapoint",
    "toggled",
    "turned_off",
    "turned_on",
]
