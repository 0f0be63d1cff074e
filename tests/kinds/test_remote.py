"""The infrared remote control."""

import pytest

from custom_components.espcloud.kinds.base import Write
from custom_components.espcloud.kinds.remote import RemoteKind, Signal, sent

KIND = RemoteKind()


def test_a_signal_is_sent_and_gone() -> None:
    """The kind has no state before and none after."""
    goal = sent(Signal(address=4660, command=18, repetitions=2))(KIND.initial)
    command = KIND.command(KIND.initial, goal)
    assert command == Write("remote", {"x": 4660, "y": 18, "z": 2})
    assert KIND.acknowledged(goal, command, dict(command.datapoint)) is None
    assert KIND.apply(KIND.initial, "remote", {"x": 1, "y": 2, "z": 3}) is None


def test_every_signal_counts() -> None:
    """Two equal ones are two presses."""
    assert not KIND.merges


def test_nothing_is_not_sent() -> None:
    """There has to be a signal."""
    with pytest.raises(ValueError, match="no signal"):
        KIND.command(None, None)
