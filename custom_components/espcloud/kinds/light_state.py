"""What a lamp shows, in the terms of Home Assistant's lights (protocol.md §10.3)."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from .base import Change
from .light_scale import Levels, ReadBack

type Rgb = tuple[int, int, int]
type Rgbw = tuple[int, int, int, int]


class LightMode(StrEnum):
    """What a lamp's color is made of; Home Assistant's color modes have these values."""

    RGB = "rgb"
    RGBW = "rgbw"
    WHITE = "white"


@dataclass(frozen=True, slots=True)
class LightState:
    """A lamp's state, of the old stream and of the new one.

    A lamp that is off keeps its color and brightness, which come back with turning on.

    Attributes:
        is_on: None while nobody has said it.
        mode: what the color is made of.
        color: red, green and blue, 0 to 255. As it was asked for, or with a largest
            channel of 255 where the lamp has reported something else.
        white: white on the same scale, for the mode RGBW only.
        brightness: 1 to 255. Multiplies color and white.
        white_seen: whether a report has shown white above 0.
        read_back: how the reports of a lamp of the old stream are to be read.
    """

    is_on: bool | None = None
    mode: LightMode = LightMode.RGB
    color: Rgb = (255, 255, 255)
    white: int = 0
    brightness: int = 255
    white_seen: bool = False
    read_back: ReadBack = field(default=ReadBack())

    def switched(self, is_on: bool) -> LightState:
        """Return it on or off."""
        # Field by field: `dataclasses.replace` takes more than twice as long, and a lamp
        # that Home Assistant is gets thousands of commands.
        return LightState(
            is_on,
            self.mode,
            self.color,
            self.white,
            self.brightness,
            self.white_seen,
            self.read_back,
        )

    @property
    def rgbw(self) -> Rgbw:
        """Color and white, as the mode RGBW has them."""
        return (*self.color, self.white)

    @property
    def lit_levels(self) -> Levels:
        """How bright each LED is when the lamp is on: red, green, blue, white, 0 to 255."""
        if self.mode is LightMode.WHITE:
            return (0, 0, 0, self.brightness)
        white = self.white if self.mode is LightMode.RGBW else 0
        channels = (*self.color, white)
        red, green, blue, white = (
            (channel * self.brightness * 2 + 255) // 510 for channel in channels
        )
        if red or green or blue or white:
            return (red, green, blue, white)
        # So dim that all round to 0: on must not look like off.
        largest = max(channels)
        red, green, blue, white = (int(each == largest > 0) for each in channels)
        return (red, green, blue, white)

    @property
    def levels(self) -> Levels:
        """How bright each LED is now, all 0 where the lamp is not known to be on."""
        return self.lit_levels if self.is_on else (0, 0, 0, 0)

    def showing(self, levels: Levels, modes: frozenset[LightMode]) -> LightState:
        """Return the state of the lamp when its LEDs are that bright.

        All 0 is off. Attributes that lead to these levels stay: for a brightness of 1
        or 2, and for other colors than those with a largest channel of 255, there is
        more than one way back.

        Args:
            levels: red, green, blue, white. White is not there without a mode for it.
            modes: those that the lamp has.
        """
        red, green, blue, white = levels
        if LightMode.RGBW in modes:
            mode = LightMode.RGBW
        elif LightMode.WHITE in modes and white and not (red or green or blue):
            mode = LightMode.WHITE
        else:
            mode, white = LightMode.RGB, 0
        brightness = max(red, green, blue, white)
        if not brightness:
            return replace(self, is_on=False)
        same = replace(self, is_on=True, mode=mode)
        if same.lit_levels == (red, green, blue, white):
            return same
        if mode is LightMode.WHITE:
            return replace(same, brightness=brightness)
        red, green, blue, white = (
            (level * 510 + brightness) // (2 * brightness)
            for level in (red, green, blue, white)
        )
        return replace(
            same, color=(red, green, blue), white=white, brightness=brightness
        )


def turned_on(
    brightness: int | None = None,
    *,
    rgb: Rgb | None = None,
    rgbw: Rgbw | None = None,
    white: int | None = None,
) -> Change[LightState]:
    """Return the change that turns on, with what is asked for and the rest as it was.

    A color of zeros, a brightness of 0 and a white of 0 turn off.

    Args:
        brightness: 0 to 255.
        rgb: a color; on a lamp in the mode RGBW its white goes off.
        rgbw: a color and white.
        white: white light of that brightness, 0 to 255, which `brightness` overrides.
    """

    def change(state: LightState) -> LightState:
        mode = state.mode
        if white is not None:
            if mode is LightMode.RGBW:
                goal = replace(state, color=(0, 0, 0), white=255, brightness=white)
            else:
                goal = replace(state, mode=LightMode.WHITE, brightness=white)
        elif rgbw is not None:
            goal = replace(state, mode=LightMode.RGBW, color=rgbw[:3], white=rgbw[3])
        elif rgb is not None:
            if mode is LightMode.WHITE:
                mode = LightMode.RGB
            goal = replace(state, mode=mode, color=rgb, white=0)
        else:
            goal = state
        if brightness is not None:
            goal = replace(goal, brightness=brightness)
        goal = replace(goal, is_on=True)
        # What is dark keeps what there was, for the next time.
        dark = goal.brightness <= 0 or not any(goal.lit_levels)
        return replace(state, is_on=False) if dark else goal

    return change


def turned_off() -> Change[LightState]:
    """Return the change that turns off."""
    return lambda state: replace(state, is_on=False)


def toggled() -> Change[LightState]:
    """Return the change to the other state; what is not known to be on, goes on."""
    return lambda state: replace(state, is_on=not state.is_on)
