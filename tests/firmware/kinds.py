"""Every kind of device, by name."""

from collections.abc import Callable
from typing import Any

from .builds import NONOS, NONOS_LIGHT, RTOS, Build
from .clock import MACHINE_CLOCK, Clock
from .connection import Firmware
from .device import Device
from .light import Light
from .new_light import NewLight
from .plug import Plug
from .readings import Gas, Reading, TemHum, Voltage
from .remote import Remote
from .self_made import SelfMade
from .sensor import Sensor
from .strip import Strip

_READINGS: dict[str, type[Reading]] = {
    "tem_hum": TemHum,
    "gas": Gas,
    "voltage": Voltage,
}
_BUILDS: dict[str, Build] = {"plug_nonos": NONOS, "light_nonos": NONOS_LIGHT}

PTYPES = {
    "plug": 23701,
    "light": 45772,
    "light_nonos": 45772,
    "plug_nonos": 23701,
    "light_new": 45772,
    "strip": 47446,
    "tem_hum": 12335,
    "gas": 3835,
    "voltage": 68574,
    "remote": 2355,
    "self_made": 27388,
}
"""The kinds, and the ptype of the product that each is of (protocol.md §4)."""


def make(
    kind: str,
    address: tuple[str, int],
    master_key: str,
    *,
    clock: Clock = MACHINE_CLOCK,
    **options: Any,
) -> Device:
    """Return a device that has no power yet: a Firmware, a Sensor or a SelfMade.

    Args:
        kind: one of PTYPES.
        address: host and port of the device server.
        master_key: the key in its flash.
        clock: what fades, timers and sleep go by; the self-made device has none of them.
        **options: the other arguments of its class, and for a strip `sockets`. An `http_port` is no
            option of a sensor or self-made device, which fetch nothing; there it is left out. The
            self-made device activates unless told otherwise, as the tutorial does.

    Raises ValueError for another kind, TypeError for an option that it has not.
    """
    if kind not in PTYPES:
        raise ValueError(f"kind must be one of {', '.join(PTYPES)}")
    appliances: dict[str, Callable[[], Any]] = {
        "plug": Plug,
        "plug_nonos": Plug,
        "light": lambda: Light(clock=clock),
        "light_nonos": lambda: Light(scale=None, clock=clock),
        "light_new": lambda: NewLight(clock=clock),
        "strip": lambda: Strip(options.pop("sockets", 4)),
        "remote": Remote,
    }
    if kind in appliances:
        appliance = appliances[kind]()
        options = {"build": _BUILDS.get(kind, RTOS), **options}
        return Firmware(address, master_key, appliance, clock=clock, **options)
    options.pop("http_port", None)
    if kind in _READINGS:
        options = {"reading": _READINGS[kind](), **options}
        return Sensor(address, master_key, clock=clock, **options)
    return SelfMade(address, master_key, **{"activates": True, **options})
