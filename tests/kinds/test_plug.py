"""The plug."""

from typing import Any

import pytest

from custom_components.espcloud.kinds.base import Write
from custom_components.espcloud.kinds.plug import PlugKind, PlugState, switched, toggled
from tests.firmware.plug import Plug

KIND = PlugKind()


@pytest.mark.parametrize("on", [True, False])
def test_it_is_switched_and_read(on: bool) -> None:
    """The command says one number, the answer the same."""
    command = KIND.command(KIND.initial, switched(on)(KIND.initial))
    assert command == Write("plug-status", {"x": int(on)})
    assert type(command.datapoint["x"]) is int  # firmware knows no true
    assert KIND.apply(KIND.initial, "plug-status", command.datapoint) == PlugState(on)


def test_the_firmware_understands_the_command() -> None:
    """The third reading of the protocol."""
    plug = Plug()
    x = KIND.command(KIND.initial, PlugState(True)).datapoint["x"]
    plug.set(
        b'{"body": {"datapoint": {"x": %d}}, "method": "POST", '
        b'"path": "/v1/datastreams/plug-status/datapoint/"}' % x
    )
    assert plug.is_on


def test_its_answer_is_its_state() -> None:
    """A plug has no fade: what it answers to a command is true."""
    command = KIND.command(KIND.initial, PlugState(True))
    assert KIND.acknowledged(PlugState(True), command, {"x": 0}) == PlugState(False)
    assert KIND.acknowledged(PlugState(True), command, None) == PlugState(True)


def test_toggling() -> None:
    """What is not known to be on goes on."""
    states = [toggled()(PlugState(each)).is_on for each in (None, False, True)]
    assert states == [True, True, False]


@pytest.mark.parametrize("x", [2, -1, 0.5, "1", True, None, [1], float("nan"), 10**400])
def test_what_makes_no_sense_changes_nothing(x: Any) -> None:
    """As for every kind."""
    assert KIND.apply(PlugState(True), "plug-status", {"x": x}) == PlugState(True)
    assert KIND.apply(PlugState(False), "plug-status", {"x": x}) == PlugState(False)


def test_another_stream_changes_nothing() -> None:
    """Nor does a point without x."""
    assert KIND.apply(PlugState(True), "light", {"x": 0}) == PlugState(True)
    assert KIND.apply(PlugState(True), "plug-status", {"y": 0}) == PlugState(True)


def test_an_unknown_goal_is_refused() -> None:
    """Rather than sent as off."""
    with pytest.raises(ValueError, match="on or off"):
        KIND.command(PlugState(True), PlugState())
