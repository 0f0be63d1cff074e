"""What outlives a restart of a lamp."""

from dataclasses import replace
from typing import Any

import pytest

from custom_components.espcloud.kinds.light import (
    LightKind,
    LightMode,
    LightState,
    NewLightKind,
    OldLightKind,
)
from custom_components.espcloud.kinds.light_scale import ReadBack
from custom_components.espcloud.kinds.stored_light import as_stored, from_stored

KIND = OldLightKind()
STATE = LightState(
    True,
    mode=LightMode.RGBW,
    color=(1, 2, 3),
    white=4,
    brightness=5,
    white_seen=True,
    read_back=ReadBack(is_rtos=True, proven=True),
)


def test_all_but_whether_it_is_on() -> None:
    """That the lamp says itself."""
    assert from_stored(as_stored(STATE), KIND) == replace(STATE, is_on=None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "blue"},
        {"color": [1, 2]},
        {"color": [1, 2, 256]},
        {"color": "red"},
        {"white": -1},
        {"white": None},
        {"brightness": 0},
        {"brightness": 256},
        {"white_seen": "yes"},
        {"is_rtos": 1},
    ],
)
def test_nonsense_is_nothing(wrong: dict[str, Any]) -> None:
    """Somebody may have edited the file."""
    assert from_stored({**as_stored(STATE), **wrong}, KIND) == KIND.initial
    assert from_stored({}, KIND) == KIND.initial


@pytest.mark.parametrize("kind", [OldLightKind(has_white=False), NewLightKind()])
def test_light_that_was_another_one(kind: LightKind) -> None:
    """It has not the mode that it had."""
    assert from_stored(as_stored(STATE), kind) == kind.initial
