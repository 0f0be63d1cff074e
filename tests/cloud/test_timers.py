"""Timers: what is read of them, and what is sent."""

from datetime import UTC, datetime, time
from typing import Any

from hypothesis import given, settings
import pytest

from custom_components.espcloud.cloud import (
    FixedAction,
    FixedTimer,
    LoopPeriod,
    LoopTimer,
    OtherTimer,
    SettableTimer,
    Timer,
    UnexpectedAnswerError,
    WeeklyAction,
    WeeklyTimer,
)
from custom_components.espcloud.cloud.timers import timers_from_answer

from .helpers import altered

LARGE = 2**53 + 1

FIXED = {
    "id": 5,
    "visibly": 1,
    "type": "FIXEDTIME",
    "time_actions": [
        {"time": "20150708111809", "action": "off_switch"},
        {"time": "20150709000000", "action": "on_switch"},
    ],
    "time_zone": "Europe/Berlin",
}
LOOP = {
    "id": LARGE,
    "type": "LOOP_PERIOD",
    "period": "minute",
    "time": 1,
    "action": "on_off_switch",
}
WEEKLY = {
    "id": 7,
    "type": "LOOP_IN_WEEK",
    "weekdays": [3, 1, 3],
    "time_actions": [{"time": "113814", "action": "off_switch03"}],
}
TIMERS: list[SettableTimer] = [
    FixedTimer(
        (
            FixedAction(datetime(2015, 7, 8, 11, 18, 9), "off_switch"),
            FixedAction(datetime(2015, 7, 9), "on_switch"),
        ),
        5,
        "Europe/Berlin",
    ),
    LoopTimer(1, LoopPeriod.MINUTE, "on_off_switch", LARGE),
    WeeklyTimer((1, 3), (WeeklyAction(time(11, 38, 14), "off_switch03"),), 7),
]


def read(*timers: Any) -> list[Timer]:
    """Return what is read of these timers."""
    return timers_from_answer({"timers": list(timers), "status": 200})


def test_timers() -> None:
    """One of each kind."""
    assert read(FIXED, LOOP, WEEKLY) == TIMERS


@pytest.mark.parametrize(
    ("timer", "record"), zip(TIMERS, [FIXED, LOOP, WEEKLY], strict=True)
)
def test_timer_as_it_is_sent(timer: SettableTimer, record: dict[str, Any]) -> None:
    """As it was read, without what the server alone knows."""
    expected = {
        name: value
        for name, value in record.items()
        if name not in ("id", "visibly", "time_zone")
    }
    if "weekdays" in expected:
        expected["weekdays"] = [1, 3]
    assert timer.record() == expected


def test_moment_with_a_zone() -> None:
    """It would be sent without, and mean another moment."""
    with pytest.raises(ValueError, match="zone"):
        FixedAction(datetime(2015, 7, 8, tzinfo=UTC), "on_switch")


@pytest.mark.parametrize("visibly", [0, False, "0"])
def test_timer_that_is_gone(visibly: Any) -> None:
    """A row that is not live any more."""
    assert read({**FIXED, "visibly": visibly}, WEEKLY) == TIMERS[2:]


@pytest.mark.parametrize("odd", [None, "text", [], {}, {**LOOP, "id": "5"}])
def test_timer_without_an_id(odd: Any) -> None:
    """Nothing could be done with it."""
    assert read(odd, WEEKLY) == TIMERS[2:]


@pytest.mark.parametrize(
    ("record", "change"),
    [
        (FIXED, {"type": "SUNSET"}),
        (FIXED, {"time_actions": None}),
        (FIXED, {"time_actions": []}),
        (FIXED, {"time_actions": [*FIXED["time_actions"], None]}),
        (FIXED, {"time_actions": [*FIXED["time_actions"], {"time": "20150708111809"}]}),
        (FIXED, {"time_actions": [{"time": "20150732111809", "action": "a"}]}),
        (FIXED, {"time_actions": [{"time": "2015070811180", "action": "a"}]}),
        (FIXED, {"time_actions": [{"time": "٢0150708111809", "action": "a"}]}),
        (FIXED, {"time_actions": [{"time": 20150708111809, "action": "a"}]}),
        (LOOP, {"period": "week"}),
        (LOOP, {"period": ["minute"]}),
        (LOOP, {"time": 0}),
        (LOOP, {"time": 1.5}),
        (LOOP, {"action": ""}),
        (LOOP, {"action": "on_switch\n"}),
        (WEEKLY, {"weekdays": []}),
        (WEEKLY, {"weekdays": [1, 7]}),
        (WEEKLY, {"weekdays": [1, "2"]}),
        (WEEKLY, {"weekdays": [1, None]}),
        (WEEKLY, {"weekdays": [1, True, []]}),
        (WEEKLY, {"weekdays": 1}),
        (WEEKLY, {"time_actions": [{"time": "250000", "action": "a"}]}),
    ],
)
def test_timer_that_cannot_be_read_in_full(
    record: dict[str, Any], change: dict[str, Any]
) -> None:
    """It is still there to be deleted; changing part of it would lose the rest."""
    changed = {**record, **change}
    assert read(changed, WEEKLY) == [
        OtherTimer(changed["type"], record["id"]),
        TIMERS[2],
    ]


def test_kind_that_is_no_text() -> None:
    """It has no name."""
    assert read({"id": 5, "type": ["FIXEDTIME"]}, {"id": 6}) == [
        OtherTimer("", 5),
        OtherTimer("", 6),
    ]


def test_period_as_text() -> None:
    """A number may be one in a text."""
    assert read({**LOOP, "time": "90"}) == [
        LoopTimer(90, LoopPeriod.MINUTE, "on_off_switch", LARGE)
    ]


def test_timers_unusable() -> None:
    """No list is not an empty list."""
    with pytest.raises(UnexpectedAnswerError):
        timers_from_answer({"timers": {}})


@settings(max_examples=200, deadline=None, database=None)
@given(
    altered({"timers": [FIXED]})
    | altered({"timers": [LOOP]})
    | altered({"timers": [WEEKLY]})
)
def test_any_timers(answer: dict[str, Any]) -> None:
    """Anything in any place gives timers or the one error, and they can be sent again."""
    try:
        timers = timers_from_answer(answer)
    except UnexpectedAnswerError:
        return
    for timer in timers:
        assert type(timer.id) is int
        if not isinstance(timer, OtherTimer):
            again = {**timer.record(), "id": timer.id, "time_zone": timer.time_zone}
            assert read(again) == [timer]
