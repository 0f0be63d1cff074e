"""A device of a person's own, with actions and with streams of its own."""

import pytest

from custom_components.espcloud.kinds.base import Call
from custom_components.espcloud.kinds.rpc import (
    DimAction,
    RpcKind,
    RpcState,
    toggled,
    turned_off,
    turned_on,
)
from custom_components.espcloud.kinds.self_made import StreamTemplate

KIND = RpcKind("LED_ON", "LED_OFF")
DIM = DimAction("DIM")
DIMMABLE = RpcKind("LED_ON", "LED_OFF", dim=DIM)
ON = RpcState(is_on=True, brightness=100)


def test_it_is_turned_on_and_off() -> None:
    """By the actions that a person has named, which say the same when they arrive."""
    for change, action, is_on in (
        (turned_on(), "LED_ON", True),
        (turned_off(), "LED_OFF", False),
    ):
        goal = change(KIND.initial)
        command = KIND.command(KIND.initial, goal)
        assert command == Call(action, {})
        reached = KIND.acknowledged(goal, command, None)
        assert (reached.is_on, reached.is_answered) == (is_on, True)


def test_what_never_answers_is_not_known_to_have_done_anything() -> None:
    """What was sent is all that is known."""
    kind = RpcKind("LED_ON", "LED_OFF", is_silent=True)
    goal = turned_on()(kind.initial)
    assert not kind.acknowledged(
        goal, kind.command(kind.initial, goal), None
    ).is_answered


def test_toggling() -> None:
    """What is not known to be on goes on."""
    states = [toggled()(RpcState(each)).is_on for each in (None, False, True)]
    assert states == [True, True, False]


def test_an_unknown_goal_is_refused() -> None:
    """Rather than sent as off."""
    with pytest.raises(ValueError, match="on or off"):
        KIND.command(ON, KIND.initial)


@pytest.mark.parametrize("maximum", [1, 2, 10, 99, 100, 255, 1000, 1023, 65535])
def test_every_brightness_stays_while_its_level_arrives(maximum: int) -> None:
    """Also where there are fewer levels than brightnesses."""
    dim = DimAction("DIM", "level", maximum)
    kind = RpcKind("LED_ON", "LED_OFF", dim=dim)
    for brightness in range(1, 256):
        goal = turned_on(brightness)(kind.initial)
        command = kind.command(kind.initial, goal)
        assert isinstance(command, Call)
        assert command.action == "DIM"
        assert 1 <= int(command.parameters["level"]) <= maximum
        assert dim.brightness(command.parameters, before=brightness) == brightness
        apart = abs((dim.brightness(command.parameters, before=None) or 0) - brightness)
        assert apart <= 255 / maximum / 2 + 0.5 or int(command.parameters["level"]) == 1
    assert dim.call(255).parameters == {"level": str(maximum)}


def test_every_level_is_a_brightness_that_leads_back() -> None:
    """What a phone sets is what is sent again."""
    for level in range(1, 101):
        brightness = DIM.brightness({"level": str(level)}, before=100)
        assert brightness
        assert DIM.level(brightness) == level


def test_the_action_is_the_one_that_is_needed() -> None:
    """A brightness takes the dimming one; on by itself does not."""
    off = turned_off()(ON)
    assert DIMMABLE.command(off, turned_on()(off)) == Call("LED_ON", {})
    assert DIMMABLE.command(off, turned_on(50)(off)) == Call("DIM", {"level": "20"})
    assert DIMMABLE.command(ON, turned_on(0)(ON)) == Call("LED_OFF", {})
    assert DIMMABLE.command(ON, turned_off()(turned_on(9)(ON))) == Call("LED_OFF", {})
    assert KIND.command(ON, turned_on(9)(ON)) == Call("LED_ON", {})


def test_full_brightness_is_sent_where_none_is_known() -> None:
    """It is a wish like any other."""
    goal = turned_on(255)(DIMMABLE.initial)
    assert DIMMABLE.command(DIMMABLE.initial, goal) == Call("DIM", {"level": "100"})


def test_level_0_is_off() -> None:
    """No brightness of a lamp that is on leads to it."""
    assert DIM.brightness({"level": "0"}, before=100) == 0


@pytest.mark.parametrize(
    "level", [None, "", "bright", "-1", "101", "nan", "inf", "1e999"]
)
def test_a_level_that_makes_no_sense_changes_nothing(level: str | None) -> None:
    """A parameter is a text that anybody may write."""
    parameters = {} if level is None else {"level": level}
    assert DIM.brightness(parameters, before=100) is None


def test_a_level_may_have_decimals() -> None:
    """Some program divides."""
    assert DIM.brightness({"level": "50.0"}, before=100) == 128


def test_a_maximum_is_at_least_1() -> None:
    """Nothing can be dimmed between 0 and 0."""
    with pytest.raises(ValueError, match="at least 1"):
        DimAction("DIM", maximum=0)


def test_its_points_are_readings() -> None:
    """Beside its state, which they do not change."""
    kind = RpcKind("A", "B", templates=(StreamTemplate("tank", 1, symbol="l"),))
    assert kind.stored == ("tank",)
    assert [each.key for each in kind.quantities(kind.initial)] == ["tank-x"]
    state = kind.apply(ON, "well", {"x": 3.5, "k": 1, "y": "wet"})
    assert (state.is_on, state.brightness) == (True, 100)
    assert kind.readings(state) == {"well-x": 3.5, "well-k": 1.0}
    assert [each.key for each in kind.quantities(state)] == [
        "tank-x",
        "well-x",
        "well-k",
    ]
    assert kind.apply(state, "well", {"x": "dry"}) is state
