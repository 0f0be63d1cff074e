"""The simulated devices of a chaos run, and what each of them does."""

import asyncio
from collections.abc import Callable
from typing import Any

from custom_components.espcloud.local_cloud.models import Device
from tests.firmware.builds import NONOS_LIGHT, RTOS
from tests.firmware.connection import Firmware
from tests.firmware.light import Light
from tests.firmware.new_light import NewLight
from tests.firmware.plug import Plug
from tests.firmware.readings import TemHum
from tests.firmware.self_made import SelfMade
from tests.firmware.sensor import Sensor
from tests.firmware.strip import Strip

from .hardware_orders import Order, Set

NUMBERS = {
    "plug": 4,
    "light": 3,
    "light_nonos": 2,
    "light_new": 3,
    "strip": 2,
    "self_made": 4,
    "tem_hum": 2,
}
ENTITIES = {
    "plug": "switch.{}",
    "strip": "switch.{}_socket_1",
    "tem_hum": "sensor.{}_temperature",
}
SOCKETS = 3
FADE = 0.03
APPLIANCES: dict[str, Callable[[], Any]] = {
    "plug": Plug,
    "light": lambda: Light(fade=FADE),
    "light_nonos": lambda: Light(scale=None, fade=FADE),
    "light_new": lambda: NewLight(fade=FADE),
    "strip": lambda: Strip(SOCKETS),
}

type Command = tuple[str, dict[str, Any], Order]
"""An action of Home Assistant, its data, and what that is to do."""


class Thing:
    """A device, what it was told, and what it did.

    Attributes:
        kind: what it is.
        name: what it is called.
        device: what the cloud has of it.
        firmware: the simulated device.
        seen: what it was set to.
        orders: what it was told.
        queue: what it is to be told, when what was before is through.
    """

    def __init__(self, kind: str, name: str, device: Device, firmware: Any) -> None:
        """Watch a device."""
        self.kind = kind
        self.name = name
        self.device = device
        self.firmware = firmware
        self.seen: list[Set] = []
        self.orders: list[Order] = []
        self.queue: asyncio.Queue[list[Command]] = asyncio.Queue()
        if isinstance(firmware, Firmware):
            self._watch(firmware.appliance)

    @property
    def entity_id(self) -> str:
        """The entity that is looked at."""
        pattern = ENTITIES.get(self.kind, "light.{}")
        return pattern.format(self.name.lower().replace(" ", "_"))

    def _watch(self, appliance: Any) -> None:
        take = appliance.set

        def take_and_note(segment: bytes) -> None:
            before = _state(appliance)
            take(segment)
            self.seen.append((before, _state(appliance)))

        appliance.set = take_and_note

    @property
    def did(self) -> list[Set]:
        """What it was set to, or which calls it has heard."""
        if isinstance(self.firmware, SelfMade):
            return [(None, rpc.get("n")) for rpc in self.firmware.rpcs]
        return self.seen

    @property
    def state(self) -> Any:
        """What it is now."""
        return _state(self.firmware.appliance)


def _state(appliance: Any) -> Any:
    match appliance:
        case Light() | NewLight():
            return appliance.values
        case Plug():
            return appliance.is_on
    return appliance.mask


def name_of(kind: str, number: int) -> str:
    """Return what people call a device."""
    return f"{kind.replace('_', ' ').title()} {number}"


def make(
    kind: str, number: int, device: Device, address: tuple[str, int], key: str
) -> Thing:
    """Make the firmware that a device of a cloud is, without power.

    Args:
        kind: what it is.
        number: which one of its kind.
        device: what the cloud has of it.
        address: where it connects.
        key: its master key.
    """
    bssid = f"18:fe:34:00:02:{device.id:02x}"
    firmware: Any
    match kind:
        case "self_made":
            firmware = SelfMade(address, key, bssid=bssid, activates=True, beacon=0.1)
        case "tem_hum":
            firmware = Sensor(
                address, key, TemHum(), bssid=bssid, activates=True, interval=0.1
            )
        case _:
            firmware = Firmware(
                *(address, key, APPLIANCES[kind]()),
                build=NONOS_LIGHT if kind == "light_nonos" else RTOS,
                busy=0.005,
                beacon=0.3,
                bssid=bssid,
                activates=True,
            )
    return Thing(kind, name_of(kind, number), device, firmware)
