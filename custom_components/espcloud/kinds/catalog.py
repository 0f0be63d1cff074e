"""Which kind a device is, from whatever is known of it (protocol.md §4, §10.1)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import re
from typing import Any

from .base import Datapoint, Kind
from .new_light import NewLightKind
from .old_light import OldLightKind
from .plug import PlugKind
from .remote import RemoteKind
from .rpc import DimAction, RpcKind
from .self_made import StreamTemplate
from .sensors import GasKind, TemHumKind, VoltageKind
from .strip import MAX_SOCKETS, StripKind
from .values import number, whole

PLUG = PlugKind.name
STRIP = StripKind.name
OLD_LIGHT = OldLightKind.name
NEW_LIGHT = NewLightKind.name
TEM_HUM = TemHumKind.name
GAS = GasKind.name
VOLTAGE = VoltageKind.name
REMOTE = RemoteKind.name
RPC = RpcKind.name

NAMES = (PLUG, STRIP, OLD_LIGHT, NEW_LIGHT, TEM_HUM, GAS, VOLTAGE, REMOTE, RPC)
LIGHTS = (OLD_LIGHT, NEW_LIGHT)

_OF_PTYPE = {
    2355: REMOTE,
    3835: GAS,
    12335: TEM_HUM,
    23701: PLUG,
    45772: OLD_LIGHT,
    47446: STRIP,
    68574: VOLTAGE,
}
_OF_STREAM = {
    "flammable_gas": GAS,
    "light": OLD_LIGHT,
    "plug-status": PLUG,
    "plugs": STRIP,
    "remote": REMOTE,
    "supply-voltage": VOLTAGE,
    "tem_hum": TEM_HUM,
}
_VERSION = re.compile(
    r"[vb](\d{1,9})\.(\d{1,9})\.(\d{1,9})t(\d{1,9})\([olan]\)", re.ASCII
)
_FIRST_NEW_LIGHT = (1, 3, 0)


def ptype_of(name: str) -> int:
    """Return the ptype of a kind, 0 for what a person built."""
    if name in LIGHTS:
        name = OLD_LIGHT
    return next((ptype for ptype, each in _OF_PTYPE.items() if each == name), 0)


def kind_of(
    *,
    ptype: int | None = None,
    rom_version: str | None = None,
    streams: Iterable[str] = (),
    answer: Datapoint | None = None,
) -> str:
    """Return the name of the kind that a device most probably is.

    A stream goes before the ptype: gas sensors say that they measure temperature.

    Args:
        ptype: what the cloud or a person says.
        rom_version: what the device says; third-party firmware says anything.
        streams: the datastreams that it has points of, or that its product names.
        answer: the datapoint with which it answered a pushed GET (§10.2, 3). A POST or
            an RPC must never be tried to find out: it might do something.
    """
    version = _VERSION.fullmatch(rom_version or "")
    of_streams = {_OF_STREAM[each] for each in streams if each in _OF_STREAM}
    shape = kind_of_answer(answer) if answer is not None else None
    if len(of_streams) == 1:
        name = of_streams.pop()
    else:
        name = (
            _OF_PTYPE.get(ptype or 0)
            or shape
            or _OF_PTYPE.get(int(version[4]) if version else 0)
            or RPC
        )
    if name not in LIGHTS:
        return name
    if shape in LIGHTS:
        return shape
    # Of the version the app, too, compares the numbers alone.
    is_new = version and tuple(map(int, version.groups()[:3])) >= _FIRST_NEW_LIGHT
    return NEW_LIGHT if is_new else OLD_LIGHT


def kind_of_answer(answer: Datapoint) -> str | None:
    """Return the kind that answers a pushed GET in this form, None where none does."""
    if isinstance(answer.get("z"), Mapping):
        return NEW_LIGHT
    values = {name: number(answer[name]) for name in "xyzkl" if name in answer}
    if None in values.values():
        return None
    if len(values) == 5:
        are_whole = None not in map(whole, values.values())
        return OLD_LIGHT if are_whole else None
    x, y = whole(values.get("x")), whole(values.get("y"))
    if set(values) == {"x"} and x in (0, 1):
        return PLUG
    if set(values) == {"x", "y"} and x is not None and y is not None:
        return STRIP if 1 <= y <= MAX_SOCKETS and 0 <= x < 1 << y else None
    return None


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person has chosen for a device, as far as its kind needs it.

    Attributes:
        has_white: whether a lamp of the old stream has white LEDs, None: it will show.
        turn_on_action: the action that turns on a device of a person's own.
        turn_off_action: the action that turns it off.
        dim: the action that dims it, None where it has none.
        templates: what its product says of its datastreams.
        is_silent: whether it never answers.
        is_switch: whether it is a switch to people, rather than a light.
    """

    has_white: bool | None = None
    turn_on_action: str = "LED_ON"
    turn_off_action: str = "LED_OFF"
    dim: DimAction | None = None
    templates: tuple[StreamTemplate, ...] = ()
    is_silent: bool = False
    is_switch: bool = False


def make(name: str, settings: Settings | None = None) -> Kind[Any]:
    """Return the kind of that name; raises ValueError where there is none."""
    settings = settings or Settings()
    match name:
        case OldLightKind.name:
            return OldLightKind(settings.has_white)
        case RpcKind.name:
            return RpcKind(
                settings.turn_on_action,
                settings.turn_off_action,
                dim=settings.dim,
                templates=settings.templates,
                is_silent=settings.is_silent,
                is_switch=settings.is_switch,
            )
    simple = (
        PlugKind,
        StripKind,
        NewLightKind,
        TemHumKind,
        GasKind,
        VoltageKind,
        RemoteKind,
    )
    for kind in simple:
        if kind.name == name:
            return kind()
    raise ValueError(f"no kind of device is called {name}")
