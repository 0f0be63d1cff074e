"""The lamp of the old stream: every value, both scales, both directions."""

from dataclasses import replace
from itertools import product

import pytest

from custom_components.espcloud.kinds.light import (
    LightMode,
    LightState,
    OldLightKind,
    from_old_datapoint,
    old_datapoint,
    turned_off,
    turned_on,
)
from custom_components.espcloud.kinds.light_scale import ReadBack

from .lamps import Lamp, all_lamps, app_command, app_levels, nonos, rtos

RTOS = ReadBack(is_rtos=True, proven=True)
NONOS = ReadBack(is_rtos=False, proven=True)
RGB = frozenset({LightMode.RGB})
RGBW = frozenset({LightMode.RGBW})

SOME = (0, 1, 127, 254, 255)
COLORS = [
    *product(SOME, SOME, SOME),
    (255, 128, 3),
    (200, 100, 50),
    (1, 2, 3),
    (17, 0, 0),
]


def read_back_of(lamp: Lamp) -> ReadBack:
    """Return what is known of a lamp whose scale has been found."""
    return NONOS if lamp.rounding is None else RTOS


def set_to(
    kind: OldLightKind, lamp: Lamp, state: LightState, goal: LightState
) -> LightState:
    """Set the lamp, and return the state before it is read."""
    command = kind.command(state, goal)
    lamp.set(command.datapoint)
    return kind.acknowledged(goal, command, lamp.report())


@pytest.mark.parametrize("lamp", all_lamps())
def test_every_level_comes_back_as_it_was_set(lamp: Lamp) -> None:
    """Home Assistant to the device and back, without anything remembered."""
    kind = OldLightKind(has_white=True)
    known = replace(kind.initial, read_back=read_back_of(lamp))
    for level in range(256):
        levels = (level, 255 - level, level // 2, 255 - level // 3)
        lamp.set(old_datapoint(known.showing(levels, RGBW)))
        assert kind.apply(known, "light", lamp.report()).levels == levels


@pytest.mark.parametrize("lamp", all_lamps())
def test_every_level_of_the_app_arrives(lamp: Lamp) -> None:
    """The app to the device to Home Assistant: it shows what the app was told."""
    kind = OldLightKind(has_white=True)
    known = replace(kind.initial, read_back=read_back_of(lamp))
    for level in range(256):
        levels = (level, 0, 255 - level, level // 5)
        lamp.set(app_command(levels))
        assert kind.apply(known, "light", lamp.report()).levels == levels


def test_the_app_shows_every_level_that_was_set_here() -> None:
    """Home Assistant to the device to the app, which rounds down."""
    lamp = nonos()
    for level in range(256):
        levels = (level, 255 - level, 0, level // 2)
        lamp.set(old_datapoint(LightState().showing(levels, RGBW)))
        assert app_levels(lamp.report()) == levels


def test_a_command_of_the_app_is_read_back_by_it_unchanged() -> None:
    """Home Assistant as the lamp: it answers what the app had set."""
    for level in range(256):
        levels = (255 - level, level, level // 7, 0)
        state = from_old_datapoint(LightState(), app_command(levels), RGB)
        assert state.levels == levels
        assert app_levels(old_datapoint(state)) == levels


@pytest.mark.parametrize("lamp", all_lamps())
def test_what_was_asked_for_stays_while_it_is_reported(lamp: Lamp) -> None:
    """All brightnesses with all kinds of colors, on a lamp whose scale is unknown."""
    kind = OldLightKind()
    for color in COLORS:
        for brightness in range(1, 256):
            goal = turned_on(brightness, rgb=color)(kind.initial)
            state = kind.apply(
                set_to(kind, lamp, kind.initial, goal), "light", lamp.report()
            )
            assert (state.is_on, state.color, state.brightness, state.mode) == (
                goal.is_on,
                goal.color,
                goal.brightness,
                goal.mode,
            )
            if any(color):
                assert state.is_on
                assert (state.color, state.brightness) == (color, brightness)
                assert state.read_back.is_rtos == (lamp.rounding is not None)
            else:
                assert not state.is_on


@pytest.mark.parametrize("lamp", all_lamps())
def test_white_stays_while_it_is_reported(lamp: Lamp) -> None:
    """The same with white."""
    kind = OldLightKind(has_white=True)
    for color in ((255, 128, 3, 200), (0, 0, 0, 255), (10, 20, 30, 40), (0, 0, 0, 9)):
        for brightness in range(1, 256):
            goal = turned_on(brightness, rgbw=color)(kind.initial)
            state = kind.apply(
                set_to(kind, lamp, kind.initial, goal), "light", lamp.report()
            )
            assert state.is_on
            assert (state.rgbw, state.brightness) == (color, brightness)
            assert state.read_back.is_rtos == (lamp.rounding is not None)


def test_every_report_leads_back_to_the_same_levels() -> None:
    """Color and brightness say all of what a lamp reports."""
    kind = OldLightKind()
    known = replace(kind.initial, read_back=NONOS)
    for levels in product(range(0, 256, 5), (0, 1, 2, 100, 255), (0, 3, 254), (0,)):
        state = kind.apply(known, "light", app_command(levels))
        assert state.levels == levels
        if any(levels):
            assert max(state.color) == 255
            assert state.brightness == max(levels)


def test_brightness_alone_scales_all_channels_and_keeps_the_color() -> None:
    """A change of brightness is no change of color, however often it happens."""
    state = turned_on(200, rgb=(255, 100, 10))(OldLightKind().initial)
    for brightness in range(1, 256):
        state = turned_on(brightness)(state)
        assert state.color == (255, 100, 10)
        assert max(state.levels) == brightness
    assert state.levels == (255, 100, 10, 0)


def test_changes_compose() -> None:
    """Of several changes that wait, the last word on each attribute counts."""
    state = OldLightKind(has_white=True).initial
    for change in (
        turned_on(rgbw=(10, 20, 30, 255)),
        turned_off(),
        turned_on(128),
        turned_on(rgb=(255, 0, 0)),
        turned_on(64),
    ):
        state = change(state)
    assert (state.is_on, state.mode, state.rgbw, state.brightness) == (
        True,
        LightMode.RGBW,
        (255, 0, 0, 0),
        64,
    )
    assert state.levels == (64, 0, 0, 0)


def test_off_and_on_again_is_the_last_color() -> None:
    """Also when the lamp was turned off by somebody else, and read as dark."""
    kind = OldLightKind()
    known = replace(kind.initial, read_back=NONOS)
    state = kind.apply(known, "light", app_command((100, 50, 0, 0)))
    state = kind.apply(state, "light", app_command((0, 0, 0, 0)))
    assert state.is_on is False
    goal = turned_on()(state)
    assert kind.command(state, goal).datapoint == old_datapoint(goal)
    assert goal.levels == (100, 50, 0, 0)


def test_a_lamp_of_which_nothing_is_known_comes_on_white() -> None:
    """And white is not what only some lamps have LEDs for."""
    kind = OldLightKind()
    state = kind.apply(kind.initial, "light", app_command((0, 0, 0, 0)))
    assert turned_on()(state).levels == (255, 255, 255, 0)


@pytest.mark.parametrize(
    "change", [turned_off(), turned_on(0), turned_on(rgb=(0, 0, 0))]
)
def test_ways_to_turn_off_keep_the_color(change: object) -> None:
    """A color of zeros would be lost for the next time."""
    kind = OldLightKind()
    lit = turned_on(7, rgb=(9, 8, 7))(kind.initial)
    assert callable(change)
    goal = change(lit)
    assert goal == replace(lit, is_on=False)
    assert kind.command(lit, goal).datapoint == {
        "x": 1000,
        "y": 0,
        "z": 0,
        "k": 0,
        "l": 0,
    }


def test_the_answer_to_a_command_is_not_believed() -> None:
    """It is where the fade is (protocol.md §10.2, 1)."""
    kind = OldLightKind()
    goal = turned_on(rgb=(255, 0, 0))(kind.initial)
    state = kind.acknowledged(
        goal, kind.command(kind.initial, goal), app_command((3, 0, 0, 0))
    )
    assert state.levels == (255, 0, 0, 0)
    assert kind.settles >= 1.8


def test_white_is_a_channel_once_it_was_seen() -> None:
    """And it stays one when it is off again."""
    kind = OldLightKind()
    assert kind.modes(kind.initial) == RGB
    state = kind.apply(kind.initial, "light", app_command((10, 0, 0, 0)))
    assert (kind.modes(state), state.mode) == (RGB, LightMode.RGB)
    state = kind.apply(state, "light", app_command((10, 0, 0, 20)))
    assert (kind.modes(state), state.mode) == (RGBW, LightMode.RGBW)
    assert (state.rgbw, state.brightness) == ((128, 0, 0, 255), 20)
    state = kind.apply(state, "light", app_command((10, 0, 0, 0)))
    assert (kind.modes(state), state.mode) == (RGBW, LightMode.RGBW)


def test_a_person_can_say_that_there_is_no_white() -> None:
    """A lamp that glows only where it has no LEDs is dark, and is never told to."""
    kind = OldLightKind(has_white=False)
    state = kind.apply(kind.initial, "light", app_command((0, 0, 0, 20)))
    assert (state.is_on, kind.modes(state)) == (False, RGB)
    goal = turned_on(rgbw=(1, 2, 3, 255))(state)
    assert kind.command(state, goal).datapoint["l"] == 0
    assert kind.acknowledged(goal, kind.command(state, goal), None).levels[3] == 0


def test_a_person_can_say_that_there_is_white() -> None:
    """Before the lamp has shown any."""
    kind = OldLightKind(has_white=True)
    assert (kind.modes(kind.initial), kind.initial.mode) == (RGBW, LightMode.RGBW)
    assert turned_on(white=40)(kind.initial).levels == (0, 0, 0, 40)
    assert turned_on(80, white=40)(kind.initial).levels == (0, 0, 0, 80)


@pytest.mark.parametrize("period", [1000, 1001, 2000, 5000, 10000])
def test_the_period_gives_the_scale(period: int) -> None:
    """A lamp may have been set to another period by somebody else."""
    kind = OldLightKind()
    known = replace(kind.initial, read_back=NONOS)
    maximum = period * 1000 // 45
    for level in range(256):
        report = {"x": period, "y": -(-level * maximum // 255), "z": 0, "k": 0, "l": 0}
        assert kind.apply(known, "light", report).levels == (level, 0, 0, 0)


@pytest.mark.parametrize(
    "period", [0, 999, 10001, -1000, "1000", None, True, float("nan")]
)
def test_an_impossible_period_is_1000(period: object) -> None:
    """As hardware was seen to have it."""
    kind = OldLightKind()
    report = {"x": period, "y": 22222, "z": 11111, "k": 0, "l": 0}
    assert kind.apply(kind.initial, "light", report).levels == (255, 128, 0, 0)


@pytest.mark.parametrize(
    "datapoint",
    [
        {},
        {"x": 1000},
        {"x": 1000, "y": "22222", "z": 0, "k": 0, "l": 0},
        {"x": 1000, "y": True, "z": 0, "k": 0, "l": 0},
        {"x": 1000, "y": None, "z": 0, "k": 0, "l": 0},
        {"x": 1000, "y": -1, "z": 0, "k": 0, "l": 0},
        {"x": 1000, "y": 0.5, "z": 0, "k": 0, "l": 0},
        {"x": 1000, "y": float("nan"), "z": 0, "k": 0, "l": 0},
        {"x": 1000, "y": 10**400, "z": 0, "k": 0, "l": 0},
        {"x": 1000, "y": 222223, "z": 0, "k": 0, "l": 0},
        {"x": 1000, "y": 0, "z": {"red": 1}, "k": 0, "l": 0},
    ],
)
def test_what_makes_no_sense_changes_nothing(datapoint: dict[str, object]) -> None:
    """Not even what is known of the scale."""
    kind = OldLightKind()
    state = turned_on(rgb=(1, 2, 3))(kind.initial)
    assert kind.apply(state, "light", datapoint) == state
    assert from_old_datapoint(state, datapoint) == state


def test_another_stream_changes_nothing() -> None:
    """Only its own is a lamp's state."""
    kind = OldLightKind()
    assert kind.apply(kind.initial, "plugs", app_command((1, 2, 3, 0))) == kind.initial


def test_a_missing_channel_stays() -> None:
    """A command may name only what it changes."""
    state = from_old_datapoint(LightState(), app_command((10, 20, 30, 0)))
    state = from_old_datapoint(state, {"z": 22222})
    assert state.levels == (10, 255, 30, 0)


def test_too_much_is_full() -> None:
    """Levels end at 255, whatever a command says."""
    state = from_old_datapoint(
        LightState(), {"x": 1000, "y": 30000, "z": 0, "k": 0, "l": 0}
    )
    assert state.levels == (255, 0, 0, 0)


def test_rtos_unproven_is_read_as_the_period_says() -> None:
    """Without evidence there is nothing better."""
    kind = OldLightKind()
    lamp = rtos()
    lamp.set(app_command((128, 0, 0, 0)))
    assert kind.apply(kind.initial, "light", lamp.report()).levels == (6, 0, 0, 0)
