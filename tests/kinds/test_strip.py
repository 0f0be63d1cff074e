"""The power strip."""

from typing import Any

import pytest

from custom_components.espcloud.kinds.base import Write
from custom_components.espcloud.kinds.strip import (
    MAX_SOCKETS,
    StripKind,
    StripState,
    switched,
    toggled,
)

KIND = StripKind()


def test_every_mask_of_every_count_is_read() -> None:
    """Each bit is one socket, and there is none beyond the count."""
    for count in range(1, 9):
        for mask in range(1 << count):
            state = KIND.apply(KIND.initial, "plugs", {"x": mask, "y": count})
            read = [state.is_on(index) for index in range(count)]
            assert sum(1 << index for index, on in enumerate(read) if on) == mask
            assert state.is_on(count) is None
            assert state.is_on(-1) is None
            assert KIND.command(state, state) == Write("plugs", {"x": mask})


def test_one_socket_is_switched_and_the_others_stay() -> None:
    """Whatever they are."""
    for mask in range(32):
        state = StripState(mask, 5)
        for index in range(5):
            on = switched(index, True)(state)
            off = switched(index, False)(state)
            assert (on.mask, off.mask) == (mask | 1 << index, mask & ~(1 << index))
            assert toggled(index)(state) == (off if mask >> index & 1 else on)


def test_changes_compose() -> None:
    """Two sockets, one after the other."""
    state = switched(2, True)(switched(0, False)(StripState(0b001, 3)))
    assert state == StripState(0b100, 3)


@pytest.mark.parametrize("state", [StripState(), StripState(None, 3), StripState(1, 1)])
def test_nothing_is_switched_where_the_others_are_unknown(state: StripState) -> None:
    """They would go off; nor is a socket that is not there."""
    assert switched(1, True)(state) == state
    assert toggled(1)(state) == state


def test_an_unknown_goal_is_refused() -> None:
    """Rather than sent as all off."""
    with pytest.raises(ValueError, match="not known"):
        KIND.command(KIND.initial, KIND.initial)


def test_the_answer_to_a_command_may_lack_the_count() -> None:
    """It stays."""
    assert KIND.apply(StripState(1, 3), "plugs", {"x": 6}) == StripState(6, 3)


def test_bits_beyond_the_count_are_no_sockets() -> None:
    """And are not sent back."""
    assert KIND.apply(KIND.initial, "plugs", {"x": 0b1111, "y": 2}) == StripState(3, 2)


@pytest.mark.parametrize(
    "bad", [-1, 1 << MAX_SOCKETS, 1.5, "3", True, None, float("inf"), 10**400]
)
def test_what_makes_no_sense_changes_nothing(bad: Any) -> None:
    """Each of the two numbers by itself."""
    state = StripState(5, 3)
    assert KIND.apply(state, "plugs", {"x": bad, "y": bad}) == state
    assert KIND.apply(state, "plugs", {"x": bad, "y": 4}) == StripState(5, 4)
    assert KIND.apply(state, "plugs", {"x": 2, "y": bad}) == StripState(2, 3)
    assert KIND.apply(state, "plugs", {"x": 2, "y": 0}) == StripState(2, 3)
    assert KIND.apply(state, "plugs", {"x": 2, "y": 17}) == StripState(2, 3)
    assert KIND.apply(state, "plug-status", {"x": 2, "y": 3}) == state


def test_a_command_needs_a_fresh_state() -> None:
    """Somebody may have switched another socket by hand."""
    assert KIND.reads_first
    assert not KIND.merges
