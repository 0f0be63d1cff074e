"""The lamp of the new stream."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from custom_components.espcloud.kinds.light import (
    LightMode,
    LightState,
    NewLightKind,
    from_new_datapoint,
    new_command,
    new_datapoint,
    toggled,
    turned_off,
    turned_on,
)

KIND = NewLightKind()
RED = turned_on(200, rgb=(255, 0, 0))(KIND.initial)
WHITE = turned_on(white=90)(KIND.initial)


class Lamp:
    """A lamp of the new stream: it keeps what it is told, and reports all colors."""

    def __init__(self) -> None:
        """Begin dark."""
        self.status = 0
        self.colors = dict.fromkeys(("red", "green", "blue", "white"), 0)

    def set(self, datapoint: Any) -> None:
        """Take a status and the colors with it."""
        assert datapoint["y"] == 1000
        self.status = datapoint["x"]
        self.colors |= datapoint.get("z", {})

    def report(self) -> dict[str, Any]:
        """Return the state as the app reads it: each of the four colors is needed."""
        return {"x": self.status, "y": 1000, "z": dict(self.colors)}


@pytest.mark.parametrize(
    ("goal", "datapoint"),
    [
        (turned_off()(RED), {"x": 0, "y": 1000}),
        (RED, {"x": 2, "y": 1000, "z": {"red": 200, "green": 0, "blue": 0}}),
        (WHITE, {"x": 3, "y": 1000, "z": {"white": 90}}),
    ],
)
def test_commands(goal: LightState, datapoint: dict[str, Any]) -> None:
    """As the app sends them."""
    command = KIND.command(KIND.initial, goal)
    assert (command.stream, command.datapoint) == ("light", datapoint)


def test_everything_comes_back_as_it_was_set() -> None:
    """All brightnesses with all kinds of colors, and white."""
    lamp = Lamp()
    some = (0, 1, 100, 255)
    colors = list(product(some, some, some))
    for brightness in range(1, 256):
        for color in colors:
            goal = turned_on(brightness, rgb=color)(KIND.initial)
            lamp.set(KIND.command(KIND.initial, goal).datapoint)
            assert KIND.apply(goal, "light", lamp.report()) == goal
            assert goal.is_on == any(color)
        goal = turned_on(white=brightness)(RED)
        lamp.set(KIND.command(RED, goal).datapoint)
        state = KIND.apply(RED, "light", lamp.report())
        assert (state.mode, state.brightness) == (LightMode.WHITE, brightness)
        assert state == goal


def test_every_level_of_a_report_is_read() -> None:
    """And leads back to itself."""
    for level in range(256):
        colors = {"red": level, "green": 255 - level, "blue": level // 3, "white": 9}
        state = KIND.apply(WHITE, "light", {"x": 2, "y": 1000, "z": colors})
        assert state.mode is LightMode.RGB
        assert new_command(state)["z"] == {
            name: colors[name] for name in ("red", "green", "blue")
        }


def test_an_answer_to_the_app_has_all_colors() -> None:
    """The app takes none that lacks one."""
    for state in (KIND.initial, RED, WHITE, turned_off()(RED)):
        answer = new_datapoint(state)
        assert set(answer["z"]) == {"red", "green", "blue", "white"}
        assert from_new_datapoint(state, answer).levels == state.levels
    assert [new_datapoint(each)["x"] for each in (KIND.initial, RED, WHITE)] == [
        0,
        2,
        3,
    ]


@pytest.mark.parametrize("before", [RED, WHITE, turned_on(3, rgb=(9, 8, 7))(RED)])
@pytest.mark.parametrize(
    "on", [{"x": 1}, {"x": 1, "z": {"red": 0, "green": 0, "blue": 0}}]
)
def test_on_is_the_last_color(before: LightState, on: dict[str, Any]) -> None:
    """What the app's switch sends has no color."""
    off = from_new_datapoint(before, {"x": 0, "y": 1000})
    assert off == replace(before, is_on=False)
    assert from_new_datapoint(off, on) == before


def test_on_with_a_color_is_that_color() -> None:
    """A report of a lamp that just says that it is on."""
    colors = {"red": 0, "green": 7, "blue": 0, "white": 0}
    state = KIND.apply(WHITE, "light", {"x": 1, "z": colors})
    assert (state.mode, state.levels) == (LightMode.RGB, (0, 7, 0, 0))
    colors = {"red": 0, "green": 0, "blue": 0, "white": 5}
    state = KIND.apply(RED, "light", {"x": 1, "z": colors})
    assert (state.mode, state.levels) == (LightMode.WHITE, (0, 0, 0, 5))
    both = {"red": 0, "green": 7, "blue": 0, "white": 5}
    assert KIND.apply(RED, "light", {"x": 1, "z": both}).levels == (0, 7, 0, 0)
    assert KIND.apply(WHITE, "light", {"x": 1, "z": both}).levels == (0, 0, 0, 5)


@pytest.mark.parametrize("status", [2, 3])
def test_a_dark_color_is_off(status: int) -> None:
    """And what there was comes back."""
    colors = dict.fromkeys(("red", "green", "blue", "white"), 0)
    state = KIND.apply(RED, "light", {"x": status, "z": colors})
    assert state == replace(RED, is_on=False)


def test_a_dark_color_is_off_although_white_is_kept() -> None:
    """The white that a lamp remembers does not shine while it shows a color."""
    colors = {"red": 0, "green": 0, "blue": 0, "white": 200}
    assert KIND.apply(WHITE, "light", {"x": 2, "z": colors}).is_on is False
    state = from_new_datapoint(WHITE, {"x": 2, "z": {"red": 0, "green": 0, "blue": 0}})
    assert state.is_on is False


def test_color_white_and_back() -> None:
    """Brightness goes along, the color is remembered."""
    white = turned_on(white=90)(RED)
    assert turned_on(40)(white).levels == (0, 0, 0, 40)
    assert turned_on(rgb=(0, 255, 0))(white).levels == (0, 90, 0, 0)
    assert toggled()(toggled()(white)) == white


def test_white_on_a_lamp_that_has_only_colors() -> None:
    """Home Assistant as a lamp of colors shows it with them."""
    state = from_new_datapoint(
        RED, {"x": 3, "z": {"white": 60}}, frozenset({LightMode.RGB})
    )
    assert (state.mode, state.levels) == (LightMode.RGB, (60, 60, 60, 0))


def test_white_on_a_lamp_of_rgbw() -> None:
    """A command for white turns the colors off, one with both has both."""
    modes = frozenset({LightMode.RGBW})
    state = from_new_datapoint(RED, {"x": 3, "z": {"white": 60}}, modes)
    assert (state.mode, state.levels) == (LightMode.RGBW, (0, 0, 0, 60))
    both = {"red": 1, "green": 2, "blue": 3, "white": 4}
    state = from_new_datapoint(state, {"x": 2, "z": both}, modes)
    assert state.levels == (1, 2, 3, 4)
    assert new_command(state) == {"x": 2, "y": 1000, "z": both}
    state = from_new_datapoint(
        state, {"x": 2, "z": {"red": 9, "green": 0, "blue": 0}}, modes
    )
    assert state.levels == (9, 0, 0, 0)


@pytest.mark.parametrize(
    "datapoint",
    [
        {},
        {"x": 4, "z": {"red": 1}},
        {"x": -1},
        {"x": "2", "z": {"red": 1}},
        {"x": True, "z": {"red": 1}},
        {"x": 2, "z": 5},
        {"x": 2, "z": None},
        {"x": 2, "z": [1, 2, 3]},
        {"x": 2, "z": {"red": 256}},
        {"x": 2, "z": {"red": -1}},
        {"x": 2, "z": {"red": "9"}},
        {"x": 2, "z": {"red": None}},
        {"x": 2, "z": {"red": float("inf")}},
    ],
)
def test_what_makes_no_sense_changes_nothing(datapoint: dict[str, Any]) -> None:
    """As for every kind."""
    assert KIND.apply(RED, "light", datapoint) == RED


def test_another_stream_changes_nothing() -> None:
    """Only its own is a lamp's state."""
    assert KIND.apply(RED, "plugs", {"x": 0}) == RED


def test_the_answer_to_a_command_is_not_believed() -> None:
    """It is where the fade is (protocol.md §10.2, 1)."""
    command = KIND.command(KIND.initial, RED)
    assert KIND.acknowledged(RED, command, {"x": 0}) == RED
    assert KIND.modes(RED) == {LightMode.RGB, LightMode.WHITE}
