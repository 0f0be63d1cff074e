"""Simulated devices that look for a cloud and have keys that nobody has given to Home Assistant."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import hashlib
from pathlib import Path
import secrets
from typing import Any

from .devices import Devices, running_firmware

PLUG, OLD_PLUG = "Plug", "Old plug"
LAMP, OLD_LAMP = "Lamp", "Old lamp"
THERMOMETER, OWN_LAMP = "Thermometer", "Own lamp"
# The old ones are of the firmware without an operating system (protocol.md §3.9).
FIRMWARE: dict[str, dict[str, Any]] = {
    PLUG: {"kind": "plug", "retry": 1},
    OLD_PLUG: {"kind": "plug_nonos", "retry": 1},
    LAMP: {"kind": "light", "retry": 1},
    OLD_LAMP: {"kind": "light_nonos", "retry": 1},
    # A real one sleeps 30 s.
    THERMOMETER: {"kind": "tem_hum", "interval": 10},
    OWN_LAMP: {"kind": "self_made", "retry": 1},
}
KINDS = {
    PLUG: "plug",
    OLD_PLUG: "plug",
    LAMP: "old_light",
    OLD_LAMP: "old_light",
    THERMOMETER: "tem_hum",
    OWN_LAMP: "rpc",
}
"""What each is to be taken for."""
ENTITIES = {PLUG: 1, OLD_PLUG: 1, LAMP: 1, OLD_LAMP: 1, THERMOMETER: 2, OWN_LAMP: 1}
"""How many entities each has in Home Assistant, beside its connectivity."""
FETCH_PORT = 80
"""Where firmware fetches its successor; it knows no other port (protocol.md §10.4)."""


def invent_keys() -> dict[str, str]:
    """Return a master key for each, as it is in its flash."""
    return {name: secrets.token_hex(20) for name in FIRMWARE}


def key_hash(master_key: str) -> str:
    """Return what Home Assistant calls a device before it is confirmed."""
    return hashlib.sha256(master_key.encode()).hexdigest()[:32]


@asynccontextmanager
async def running_local_devices(
    keys: dict[str, str], device_port: int, folder: Path
) -> AsyncIterator[Devices]:
    """Run devices that knock at a port, whether somebody listens there or not."""
    # At an address each, as at home: the cloud keeps no more than four of one waiting.
    firmware = {
        name: {**wish, "source": f"127.0.1.{number}"}
        for number, (name, wish) in enumerate(FIRMWARE.items(), 1)
    }
    async with running_firmware(
        firmware, keys, FETCH_PORT, device_port, folder
    ) as devices:
        yield devices
