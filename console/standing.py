"""Whether a device is on-line.

Most keep a connection. A sensor wakes, posts and sleeps, and never identifies: it counts as on-line for
a while after it was heard of, as the apps have it (docs/protocol.md §5).
"""

from dataclasses import dataclass
from typing import Any

from local_cloud import LocalCloud
from local_cloud.device_types import PTYPES
from local_cloud.models import Device

WINDOW = 300
"""Seconds for which a sensor counts as on-line after it was heard of."""
_SENSORS = frozenset(PTYPES[name] for name in ("humiture", "gas", "voltage"))


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a device is on-line, and for how many seconds, 0 for as long as its connection lasts."""

    is_online: bool
    seconds: int = 0


def is_sensor(device: Device) -> bool:
    """Say whether a device is of a kind that sleeps between its posts."""
    return device.ptype in _SENSORS


def standing(cloud: LocalCloud, device: Device) -> Standing:
    """Return how it stands with a device."""
    if cloud.is_online(device) or not is_sensor(device):
        return Standing(cloud.is_online(device))
    left = device.last_active + WINDOW - cloud.store.context.now()
    return Standing(left > 0, max(left, 0))


def is_online(cloud: LocalCloud, device: Device) -> bool:
    """Say whether a device is on-line now."""
    return standing(cloud, device).is_online


def online_event(cloud: LocalCloud, device: Device) -> dict[str, Any]:
    """Return what the event `online` tells a page."""
    now = standing(cloud, device)
    return {"id": device.id, "online": now.is_online, "seconds": now.seconds}
