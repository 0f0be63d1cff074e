"""A lamp that Home Assistant is: what anybody may ask of it."""

from dataclasses import replace
from typing import Any

import pytest

from custom_components.espcloud.kinds.base import Call, Write
from custom_components.espcloud.kinds.lamp import LampKind, LampShows
from custom_components.espcloud.kinds.light import LightState, turned_off, turned_on
from custom_components.espcloud.kinds.rpc import DimAction

KIND = LampKind(
    "LED_ON", "LED_OFF", shows=LampShows.COLOR, dim=DimAction("DIM", "level", 100)
)
PLAIN = LampKind("LED_ON", "LED_OFF")
ON = LightState(True, color=(255, 128, 0), brightness=100)
OFF = replace(ON, is_on=False)


@pytest.mark.parametrize(
    ("action", "parameters", "state"),
    [
        ("LED_ON", {}, ON),
        ("LED_OFF", {}, OFF),
        ("DIM", {"level": "100"}, replace(ON, brightness=255)),
        ("DIM", {"level": "0"}, OFF),
        ("DIM", {"level": "bright"}, ON),
        ("DIM", {}, ON),
        ("BLINK", {}, None),
        ("", {}, None),
    ],
)
def test_actions(
    action: str, parameters: dict[str, str], state: LightState | None
) -> None:
    """Another action than its own is none of its business."""
    assert KIND.apply_call(ON, action, parameters) == state


def test_action_that_changes_nothing_makes_no_new_state() -> None:
    """Nobody has to compare them."""
    assert PLAIN.apply_call(ON, "LED_ON", {}) is ON
    assert PLAIN.apply_call(OFF, "LED_OFF", {}) is OFF
    assert PLAIN.apply_call(ON, "DIM", {"level": "1"}) is None


@pytest.mark.parametrize(
    ("stream", "datapoint", "state"),
    [
        ("plug-status", {"x": 0}, OFF),
        ("plug-status", {"x": 1}, ON),
        ("plug-status", {"x": 2}, ON),
        ("light", {"x": 1000, "y": 0, "z": 0, "k": 0, "l": 0}, OFF),
        (
            "light",
            {"x": 1000, "y": 0, "z": 0, "k": 22222, "l": 0},
            LightState(True, color=(0, 0, 255), brightness=255),
        ),
        # The app sends no color along with these.
        ("light", {"x": 0, "y": 1000}, OFF),
        ("light", {"x": 1, "y": 1000}, ON),
        (
            "light",
            {"x": 2, "y": 1000, "z": {"red": 0, "green": 51, "blue": 0}},
            LightState(True, color=(0, 255, 0), brightness=51),
        ),
        (
            "light",
            {"x": 3, "y": 1000, "z": {"white": 200}},
            LightState(True, color=(255, 255, 255), brightness=200),
        ),
        ("light", {"x": "blue"}, ON),
        ("light", {}, ON),
        ("music", {"x": 0}, ON),
    ],
)
def test_datapoints(stream: str, datapoint: dict[str, Any], state: LightState) -> None:
    """Those of the app for a plug, and for lights of both kinds of firmware."""
    assert KIND.apply(ON, stream, datapoint) == state


@pytest.mark.parametrize(
    ("stream", "asked", "answer"),
    [
        ("plug-status", None, {"x": 1}),
        ("light", None, {"x": 1000, "y": 8715, "z": 4358, "k": 0, "l": 0}),
        (
            "light",
            {"x": 1, "y": 1000},
            {
                "x": 2,
                "y": 1000,
                "z": {"red": 100, "green": 50, "blue": 0, "white": 0},
            },
        ),
        ("music", None, {"x": 1}),
        ("music", {"x": 5, "y": 6}, {"x": 5, "y": 6}),
    ],
)
def test_answers(
    stream: str, asked: dict[str, Any] | None, answer: dict[str, Any]
) -> None:
    """As the firmware answers that understands what was asked (protocol.md §3.5)."""
    assert KIND.answer(ON, stream, asked) == answer


def test_commands() -> None:
    """The action where that says it all: it works for every reader of the tutorial."""
    assert KIND.command(OFF, turned_on()(OFF)) == Call("LED_ON", {})
    assert KIND.command(ON, turned_off()(ON)) == Call("LED_OFF", {})
    assert KIND.command(ON, turned_on(255)(ON)) == Call("DIM", {"level": "100"})
    goal = turned_on(rgb=(0, 0, 255), brightness=255)(ON)
    assert KIND.command(ON, goal) == Write(
        "light", {"x": 1000, "y": 0, "z": 0, "k": 22222, "l": 0}
    )
    assert KIND.apply(OFF, "light", KIND.command(ON, goal).datapoint) == goal
    assert PLAIN.command(ON, turned_on(255)(ON)) == Write(
        "light", {"x": 1000, "y": 22222, "z": 11155, "k": 0, "l": 0}
    )


@pytest.mark.parametrize("state", [ON, OFF, LightState(True), LightState(False)])
def test_state_is_kept(state: LightState) -> None:
    """Over a restart."""
    assert KIND.from_stored(KIND.as_stored(state)) == state


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"is_on": "yes"},
        {"is_on": True, "color": [1, 2], "brightness": 3},
        {"is_on": True, "color": [1, 2, 300], "brightness": 3},
        {"is_on": True, "color": [1, 2, 3], "brightness": 0},
    ],
)
def test_what_is_no_state(stored: dict[str, Any]) -> None:
    """Somebody may have edited the file."""
    assert KIND.from_stored(stored) == LightState(
        True if stored.get("is_on") is True else None
    )
