"""What a device's control makes of datapoints, and datapoints of what a person moves."""

from itertools import product
from typing import Any

import pytest

from .loading import ApiError, commands, controls, following

PLUG, LIGHT, STRIP = 23701, 45772, 47446


def old(*channels: int, period: int = 1000) -> dict[str, int]:
    """Return a point of the old light's stream."""
    return {"x": period, **dict(zip("yzkl", channels, strict=True))}


def light(*points: dict[str, Any]) -> dict[str, Any]:
    """Return the state of a light that has reported these points."""
    control = controls.Light()
    for point in points:
        control.reported(point)
    assert control.state is not None
    return control.state


@pytest.mark.parametrize(
    ("ptype", "kind"), [(PLUG, "plug"), (LIGHT, "light"), (STRIP, "strip")]
)
def test_kinds_with_a_control(ptype: int, kind: str) -> None:
    """Each begins without knowing anything."""
    control = controls.control_for(ptype)
    assert control.kind == kind
    assert control.state is None


def test_other_kinds_have_none() -> None:
    """A sensor cannot be operated, and what a person's own product does is unknown."""
    assert controls.control_for(12335) is None
    assert controls.control_for(27388) is None


@pytest.mark.parametrize("x", [2, -1, "1", None, True, 0.5, {}])
def test_nonsense_of_a_plug_changes_nothing(x: Any) -> None:
    """A device may send what it likes."""
    plug = controls.Plug()
    plug.reported({"x": 1.0})
    plug.reported({"x": x})
    assert plug.state == {"on": True}


def test_a_strip_shows_the_sockets_that_it_has() -> None:
    """A command keeps the other sockets, and names none that is not there."""
    strip = controls.Strip()
    strip.reported({"x": 5, "y": 3})
    assert strip.state == {"sockets": [True, False, True]}
    assert controls.strip_command({"socket": 1, "on": True}, strip) == {"x": 7}
    assert controls.strip_command({"socket": 0, "on": False}, strip) == {"x": 4}
    for wish in ({"socket": 3, "on": True}, {"on": True}, {"socket": 0, "on": 1}):
        with pytest.raises(ApiError):
            controls.strip_command(wish, strip)


def test_the_old_light_comes_back_as_it_was_sent() -> None:
    """For every level, as NONOS reports it and as its command says it."""
    for level in range(1, 256):
        point = controls.light_command(
            {"on": True, "channels": [level, 0, 255, 0], "brightness": 255}
        )
        assert light(point)["levels"] == [level, 0, 255, 0]


def test_the_scale_of_rtos_is_told_from_what_it_reports() -> None:
    """Full is 1023 there, and 22222 in NONOS, whose dimmest levels are as small."""
    assert light(old(1023, 511, 0, 0))["levels"] == [255, 127, 0, 0]
    assert light(old(22222, 0, 0, 0))["levels"] == [255, 0, 0, 0]
    assert light(old(88, 0, 0, 0))["levels"] == [1, 0, 0, 0]
    missed = [
        level
        for level in range(1, 256)
        if abs(max(light(old(level * 1023 // 255, 0, 0, 0))["levels"]) - level) > 1
    ]
    # Those that are a level on both scales.
    assert len(missed) < 26


@pytest.mark.parametrize(
    ("point", "levels"),
    [
        ({"x": 0, "y": 1000}, [0, 0, 0, 0]),
        ({"x": 1, "z": {}}, [255, 255, 255, 0]),
        ({"x": 2, "z": {"red": 9, "green": 0, "blue": 1}}, [9, 0, 1, 0]),
        ({"x": 3, "z": {"red": 9, "white": 77}}, [0, 0, 0, 77]),
    ],
)
def test_the_new_light_says_what_it_does(
    point: dict[str, Any], levels: list[int]
) -> None:
    """Off, on, a color, and white."""
    state = light(point)
    assert (state["levels"], state["is_new"]) == (levels, True)
    assert state["on"] is any(levels)


def test_the_color_outlives_off() -> None:
    """What a light that is off was, comes back with turning on."""
    state = light({"x": 2, "z": {"red": 100, "green": 50, "blue": 0}}, {"x": 0})
    assert not state["on"]
    assert (state["channels"], state["brightness"]) == ([255, 128, 0, 0], 100)


@pytest.mark.parametrize(
    "point",
    [{}, old(-1, 0, 0, 0), {"x": 7, "z": {}}, {"x": 2, "z": {"red": 256}}, {"z": 3e9}],
)
def test_nonsense_of_a_light_changes_nothing(point: dict[str, Any]) -> None:
    """Nor does it make a light of another kind of it."""
    before = {"x": 2, "z": {"red": 1, "green": 2, "blue": 3}}
    if point != {"z": 3e9}:
        assert light(before, point) == light(before)
    assert max(light(before, point)["levels"]) <= 255


def test_commands_for_both_streams() -> None:
    """A color, white, off, and so dim that all would round to 0."""
    red = {"on": True, "channels": [255, 0, 0, 0], "brightness": 128}
    white = {"on": True, "channels": [0, 0, 0, 255], "brightness": 10}
    new = {"is_new": True}
    assert controls.light_command(red) == old(11155, 0, 0, 0)
    assert controls.light_command(white) == old(0, 0, 0, 872)
    assert controls.light_command({"on": False}) == old(0, 0, 0, 0)
    color = {"red": 128, "green": 0, "blue": 0}
    assert controls.light_command(red | new) == {"x": 2, "y": 1000, "z": color}
    assert controls.light_command(white | new) == {
        "x": 3,
        "y": 1000,
        "z": {"white": 10},
    }
    assert controls.light_command({"on": False} | new) == {"x": 0, "y": 1000}
    dim = {"on": True, "channels": [100, 3, 0, 0], "brightness": 1}
    assert controls.light_command(dim | new)["z"] == {"red": 1, "green": 0, "blue": 0}


@pytest.mark.parametrize(
    "change",
    [
        {"on": 1},
        {"channels": [256, 0, 0, 0]},
        {"channels": [0, 0, 0, 0]},
        {"channels": [1, 2, 3]},
        {"channels": [1.5, 0, 0, 0]},
        {"brightness": 0},
        {"brightness": "1"},
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    """Nothing is sent for it."""
    wish = {"on": True, "channels": [1, 2, 3, 4], "brightness": 9}
    with pytest.raises(ApiError):
        controls.light_command(wish | change)


def test_a_light_on_its_way_is_not_believed() -> None:
    """For two seconds after a command its reports are moments of the fade."""
    clock = [100.0]
    follower = following.Follower(controls.Light(), lambda: clock[0])

    def push(nonce: int, method: str, **body: Any) -> None:
        path = "/v1/datastreams/light/datapoint/"
        frame = {"path": path, "method": method, "nonce": nonce, "body": body}
        assert not follower.heard(frame, is_sent_by_device=False)

    def answer(nonce: int, *channels: int, status: int = 200) -> bool:
        frame = {"nonce": nonce, "status": status, "datapoint": old(*channels)}
        return follower.heard(frame, is_sent_by_device=True)

    push(1, "POST", datapoint=old(22222, 0, 0, 0))
    assert answer(1, 7000, 0, 0, 0)
    assert follower.state["levels"] == [255, 0, 0, 0]
    clock[0] += 1.9
    push(2, "GET")
    assert not answer(2, 19000, 0, 0, 0)
    clock[0] += 0.1
    push(3, "GET")
    assert answer(3, 0, 22222, 0, 0)
    assert follower.state["levels"] == [0, 255, 0, 0]
    push(4, "POST", datapoint=old(0, 0, 0, 0))
    assert not answer(4, 0, 0, 0, 0, status=500)
    assert not answer(99, 0, 0, 0, 0)
    assert follower.state["on"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" 1 ", 1),
        ("-2.5", -2.5),
        ("on", "on"),
        ('"7"', "7"),
        ("true", "true"),
        ("1e999", "1e999"),
        ('{"red": 255}', {"red": 255}),
    ],
)
def test_values_are_what_was_meant(text: str, value: Any) -> None:
    """Numbers, texts and colors."""
    assert commands.read_value(text) == value


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"action": " "},
        {"action": "A", "parameters": [["", "1"]]},
        {"action": "A", "parameters": [["a", "1"], ["a", "2"]]},
        {"action": "A", "parameters": [["action", "B"]]},
        {"action": "A", "parameters": [["a", 1]]},
        {"action": "A", "parameters": {"a": "1"}},
        {"stream": "a/../../rpc"},
        {"stream": "a", "values": {"x": "{red: 1}"}},
        {"stream": "a", "values": [1]},
    ],
)
def test_what_cannot_be_a_command_is_refused(typed: dict[str, Any]) -> None:
    """Before anything is sent."""
    with pytest.raises(ApiError):
        commands.read_command(typed)


def test_every_color_of_the_picker_comes_back() -> None:
    """At full brightness a new light reports what it was sent."""
    for red, green, blue in product((0, 1, 128, 255), repeat=3):
        if red or green or blue:
            wish = {"channels": [red, green, blue, 0], "brightness": 255, "on": True}
            point = controls.light_command(wish | {"is_new": True})
            assert light(point)["levels"] == [red, green, blue, 0]
