"""The pages of one device, side by side under its name."""

from typing import Any

from .holdings import Holding
from .standing import is_online
from .visits import Visit

TABS = (
    ("overview", ""),
    ("live", "/live"),
    ("data", "/data"),
    ("timers", "/timers"),
    ("triggers", "/triggers"),
    ("firmware", "/firmware"),
)
"""The name of each page, and where it is below the device's own address."""


def tab(visit: Visit, found: Holding, name: str) -> dict[str, Any]:
    """Return what the frame around each of a device's pages shows."""
    return {
        "holding": found,
        "device": found.device,
        "tab": name,
        "tabs": TABS,
        "online": is_online(visit.cloud, found.device),
    }
