"""What the control on a device's page shows and sends: of a plug, a light and a power strip.

A control is told the datapoints that its device reports and those that it was sent, and says what they
mean (protocol.md §4, §10.2, §10.3). A wish is what the page's script sends when a person has moved
something; it becomes the datapoint of a command.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, override

from local_cloud.device_types import PTYPES
from local_cloud.errors import bad_request
from local_cloud.payload import full_level
from local_cloud.wire import JsonObject

_MAX_SOCKETS = 16
_PERIOD = 1000  # µs; the app sets no other
_RTOS_MAXIMUM = 1023
_OLD_CHANNELS = ("y", "z", "k", "l")
_COLORS = ("red", "green", "blue", "white")
_OFF, _ON, _COLOR, _WHITE = range(4)
"""What x of a light of the new stream says."""

type Levels = tuple[int, ...]
"""How bright the LEDs are: red, green, blue, white, each 0 to 255."""


class Control(ABC):
    """The state of one device, as far as it is known.

    Attributes:
        kind: its name; the page has a part for each.
        stream: where its datapoints are read and sent.
        settles: seconds in which the device may report what is only on its way to what it was sent.
    """

    kind: ClassVar[str]
    stream: ClassVar[str]
    settles: ClassVar[float] = 0.0

    @property
    @abstractmethod
    def state(self) -> JsonObject | None:
        """What the page shows, None while nothing is known."""

    @abstractmethod
    def reported(self, point: JsonObject) -> None:
        """Take what the device says; what makes no sense changes nothing."""

    def sent(self, point: JsonObject) -> None:
        """Take what the device was sent and has accepted."""
        self.reported(point)


class Plug(Control):
    """One relay; the state is `{"on": bool}`."""

    kind = "plug"
    stream = "plug-status"

    def __init__(self) -> None:
        """Know nothing."""
        self._is_on: bool | None = None

    @property
    @override
    def state(self) -> JsonObject | None:
        return None if self._is_on is None else {"on": self._is_on}

    @override
    def reported(self, point: JsonObject) -> None:
        if (x := _whole(point.get("x"))) in {0, 1}:
            self._is_on = x == 1


class Strip(Control):
    """Several relays, a bit of `mask` for each; the state is `{"sockets": [bool, ...]}`.

    A command names all of them, so the state has to be read right before (protocol.md §10.2).
    """

    kind = "strip"
    stream = "plugs"

    def __init__(self) -> None:
        """Know nothing."""
        self.mask: int | None = None
        self._count = 0

    @property
    @override
    def state(self) -> JsonObject | None:
        mask = self.mask
        if mask is None or not self._count:
            return None
        return {"sockets": [bool(mask >> bit & 1) for bit in range(self._count)]}

    @override
    def reported(self, point: JsonObject) -> None:
        count, mask = _whole(point.get("y")), _whole(point.get("x"))
        if count is not None and 1 <= count <= _MAX_SOCKETS:
            self._count = count
        if mask is not None and 0 <= mask < 1 << _MAX_SOCKETS:
            self.mask = mask


class Light(Control):
    """A light of the old or of the new stream, which one its reports tell.

    The state has `on`, `is_new`, `has_white`, `levels` as they are now, and `channels` and `brightness`
    of when it was last on: the channels 0 to 255 with a largest one of 255, which the brightness,
    1 to 255, scales.
    """

    kind = "light"
    stream = "light"
    settles = 2.0

    def __init__(self) -> None:
        """Know nothing; white at full brightness is what turning on would lead to."""
        self._is_new: bool | None = None
        self._has_white = False
        self._levels: Levels | None = None
        self._channels: Levels = (255, 255, 255, 0)
        self._brightness = 255

    @property
    @override
    def state(self) -> JsonObject | None:
        if self._levels is None or self._is_new is None:
            return None
        return {
            "on": any(self._levels),
            "is_new": self._is_new,
            "has_white": self._has_white,
            "levels": list(self._levels),
            "channels": list(self._channels),
            "brightness": self._brightness,
        }

    @override
    def reported(self, point: JsonObject) -> None:
        self._take(point, is_sent=False)

    @override
    def sent(self, point: JsonObject) -> None:
        self._take(point, is_sent=True)

    def _take(self, point: JsonObject, *, is_sent: bool) -> None:
        is_new = isinstance(point.get("z"), dict) or (
            # A command to turn off has no color.
            _whole(point.get("x")) in {_OFF, _ON} and "k" not in point
        )
        before = self._lit if self._levels is None else self._levels
        if is_new:
            levels = _new_levels(point, before, self._lit)
        else:
            levels = _old_levels(point, before, is_sent=is_sent)
        if levels is None:
            return
        self._is_new, self._levels = is_new, levels
        self._has_white |= is_new or levels[3] > 0
        if any(levels) and levels != self._lit:
            self._brightness = brightness = max(levels)
            self._channels = tuple(
                (level * 510 + brightness) // (2 * brightness) for level in levels
            )

    @property
    def _lit(self) -> Levels:
        return dimmed(self._channels, self._brightness)


def dimmed(channels: Levels, brightness: int) -> Levels:
    """Return the channels, scaled by a brightness of 1 to 255; what is on does not round to off."""
    levels = tuple((each * brightness * 2 + 255) // 510 for each in channels)
    most = max(channels)
    return levels if any(levels) else tuple(int(each == most) for each in channels)


def control_for(ptype: int) -> Control | None:
    """Return the control of a kind of device, None for a kind that has none."""
    for kind in (Plug, Light, Strip):
        if PTYPES[kind.kind] == ptype:
            return kind()
    return None


def plug_command(wish: JsonObject) -> JsonObject:
    """Return the datapoint that switches a plug `on` or off. Raises ApiError 400."""
    return {"x": int(_read_on(wish))}


def strip_command(wish: JsonObject, strip: Strip) -> JsonObject:
    """Return the datapoint that switches one `socket`, the first being 0, `on` or off.

    The others stay as the strip, which has just been read, has them. Raises ApiError 400.
    """
    sockets = (strip.state or {"sockets": []})["sockets"]
    index = _whole(wish.get("socket"))
    if index is None or not 0 <= index < len(sockets) or strip.mask is None:
        raise bad_request("there is no such socket")
    bit = 1 << index
    return {"x": strip.mask | bit if _read_on(wish) else strip.mask & ~bit}


def light_command(wish: JsonObject) -> JsonObject:
    """Return the datapoint that brings a light to `on`, `channels` and `brightness` (see `Light`).

    `is_new` says of which stream it is. Raises ApiError 400.
    """
    levels = _read_levels(wish) if _read_on(wish) else (0, 0, 0, 0)
    if wish.get("is_new") is not True:
        channels = zip(_OLD_CHANNELS, levels, strict=True)
        return {"x": _PERIOD} | {name: _to_channel(level) for name, level in channels}
    if not any(levels):
        return {"x": _OFF, "y": _PERIOD}
    color = dict(zip(_COLORS, levels, strict=True))
    white = color.pop("white")
    if not any(color.values()):
        return {"x": _WHITE, "y": _PERIOD, "z": {"white": white}}
    if white:
        color["white"] = white
    return {"x": _COLOR, "y": _PERIOD, "z": color}


def _read_on(wish: JsonObject) -> bool:
    on = wish.get("on")
    if not isinstance(on, bool):
        raise bad_request("on must be true or false")
    return on


def _read_levels(wish: JsonObject) -> Levels:
    channels, brightness = wish.get("channels"), _whole(wish.get("brightness"))
    if not isinstance(channels, list) or len(channels) != len(_COLORS):
        raise bad_request("channels must be four numbers")
    levels = tuple(_whole(each) or 0 for each in channels)
    if not all(_is_level(each) for each in channels) or not any(levels):
        raise bad_request("channels must be 0 to 255, and not all 0")
    if brightness is None or not 1 <= brightness <= 255:
        raise bad_request("brightness must be 1 to 255")
    return dimmed(levels, brightness)


def _new_levels(point: JsonObject, before: Levels, lit: Levels) -> Levels | None:
    """Return what a point of the new stream says, None where it makes no sense.

    A color that is missing stays; on without any brings back the last one that was lit.
    """
    status, colors = _whole(point.get("x")), point.get("z", {})
    if status == _OFF:
        return (0, 0, 0, 0)
    if status not in {_ON, _COLOR, _WHITE} or not isinstance(colors, dict):
        return None
    levels = tuple(
        _whole(colors.get(name, level))
        for name, level in zip(_COLORS, before, strict=True)
    )
    if not all(_is_level(level) for level in levels):
        return None
    red, green, blue, white = (level or 0 for level in levels)
    if status == _ON:
        return (red, green, blue, white) if any(levels) else lit
    if status == _WHITE:
        return (0, 0, 0, white)
    return (red, green, blue, white if "white" in colors else 0)


def _old_levels(point: JsonObject, before: Levels, *, is_sent: bool) -> Levels | None:
    """Return what a point of the old stream says, None where it makes no sense.

    A channel that is missing stays.
    """
    channels = [_whole(point.get(name)) for name in _OLD_CHANNELS]
    known = [channel for channel in channels if channel is not None]
    if not known or min(known) < 0:
        return None
    maximum = full_level(_whole(point.get("x")))
    if not is_sent and _is_rtos(known, maximum):
        maximum = _RTOS_MAXIMUM
    return tuple(
        level
        if channel is None
        else min(255, (channel * 255 + maximum // 2) // maximum)
        for level, channel in zip(before, channels, strict=True)
    )


def _is_rtos(channels: list[int], maximum: int) -> bool:
    """Tell whether a light reports on RTOS' scale of 0 to 1023, whatever the one of its period.

    NONOS reports the numbers that it was sent, so small ones are RTOS' where nobody sends them: few
    are a level of 0 to 255 on the scale up to `maximum`, rounded up or down (protocol.md §10.3).
    """
    return max(channels) <= _RTOS_MAXIMUM and not all(
        channel in {level * maximum // 255, -(-level * maximum // 255)}
        for channel in channels
        for level in ((channel * 255 + maximum // 2) // maximum,)
    )


def _to_channel(level: int) -> int:
    return -(-level * full_level(_PERIOD) // 255)


def _is_level(value: Any) -> bool:
    number = _whole(value)
    return number is not None and 0 <= number <= 255


def _whole(value: Any) -> int | None:
    """Return a whole number, 1.0 included, None for anything else: a device may send what it likes."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value == int(value) else None
