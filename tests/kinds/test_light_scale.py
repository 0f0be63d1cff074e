"""On which scale a lamp reports: found by evidence, and not lost by a fade."""

from hypothesis import given, strategies as st
import pytest

from custom_components.espcloud.kinds.light import (
    LightState,
    OldLightKind,
    turned_off,
    turned_on,
)
from custom_components.espcloud.kinds.light_scale import (
    ReadBack,
    period_maximum,
    to_channel,
    to_level,
)

from .lamps import BLACK, ROUNDINGS, Lamp, all_lamps, nonos, rtos

RTOS = ReadBack(is_rtos=True, proven=True)
NONOS = ReadBack(is_rtos=False, proven=True)


def learned(read_back: ReadBack, *channels: int) -> ReadBack:
    """Return what a report at the usual period teaches."""
    red, green, blue, white = channels
    return read_back.learned(1000, (red, green, blue, white))


def test_the_maximum_of_the_usual_period() -> None:
    """The number of protocol.md §4."""
    assert period_maximum() == 22222
    assert [to_channel(level) for level in (0, 1, 255)] == [0, 88, 22222]
    assert [to_level(channel, 22222) for channel in (0, 88, 22222, 30000)] == [
        0,
        1,
        255,
        255,
    ]


def test_more_than_rtos_can_report_is_nonos() -> None:
    """The only evidence that is beyond doubt."""
    assert learned(ReadBack(), 1024, 0, 0, 0) == NONOS
    assert learned(RTOS, 0, 0, 0, 1024) == NONOS


def test_1023_is_rtos() -> None:
    """No level is that number at a period of 1000, rounded up or down."""
    numbers = {level * 22222 // 255 for level in range(256)}
    numbers |= {to_channel(level) for level in range(256)}
    assert 1023 not in numbers
    assert learned(ReadBack(), 0, 1023, 5, 0) == ReadBack(is_rtos=True)


def test_1023_may_be_a_level_at_another_period() -> None:
    """Where it is, it says nothing."""
    for period in range(1000, 10001):
        maximum = period * 1000 // 45
        numbers = {level * maximum // 255 for level in range(14)}
        numbers |= {-(-level * maximum // 255) for level in range(14)}
        guess = ReadBack().learned(period, (1023, 0, 0, 0))
        assert guess.is_rtos == (1023 not in numbers), period


def test_1023_in_a_fade_is_nothing_against_a_proof() -> None:
    """A lamp with NONOS passes that number, too."""
    assert learned(NONOS, 1023, 0, 0, 0) == NONOS


@pytest.mark.parametrize("lamp", all_lamps())
def test_a_single_level_that_was_set_proves_the_scale(lamp: Lamp) -> None:
    """Every one of the 255, for each way in which the firmware may round."""
    for level in range(1, 256):
        lamp.set({"x": 1000, "y": to_channel(level), "z": 0, "k": 0, "l": 0})
        report = lamp.report()
        found = learned(
            ReadBack().after_set((level, 0, 0, 0)),
            *(report[name] for name in "yzkl"),
        )
        assert found.proven, level
        assert found.is_rtos == (lamp.rounding is not None), level


def test_a_report_of_something_else_proves_nothing() -> None:
    """Somebody else has set the lamp in between. The comparison is still to come."""
    waiting = ReadBack().after_set((100, 0, 0, 0))
    assert learned(waiting, 500, 0, 0, 0) == waiting
    assert learned(waiting, 0, 0, 0, 0) == waiting
    assert waiting.learned(1000, (None, None, None, None)) == waiting


def test_dark_proves_nothing() -> None:
    """0 is 0 on every scale."""
    assert ReadBack().after_set((0, 0, 0, 0)) == ReadBack()
    assert learned(ReadBack(), 0, 0, 0, 0) == ReadBack()
    waiting = ReadBack().after_set((0, 0, 0, 9))
    assert waiting.learned(1000, (0, 0, 0, None)) == waiting


@pytest.mark.parametrize("proven", [NONOS, RTOS])
def test_one_report_overturns_no_proof_and_two_do(proven: ReadBack) -> None:
    """A wrong proof must not last, and a right one must survive a moment of a fade."""
    set_to = proven.after_set((10, 0, 0, 0))
    contrary, confirming = (40, 872) if not proven.is_rtos else (872, 40)
    doubted = learned(set_to, contrary, 0, 0, 0)
    assert (doubted.is_rtos, doubted.proven) == (proven.is_rtos, False)
    confirmed = learned(doubted, confirming, 0, 0, 0)
    assert learned(confirmed, confirming, 0, 0, 0) == proven
    overturned = learned(doubted, contrary, 0, 0, 0)
    assert (overturned.is_rtos, overturned.proven) == (not proven.is_rtos, True)


@given(
    start=st.integers(0, 255),
    goal=st.integers(0, 255),
    # Of more reads in one fade, all may by chance look like the other scale.
    parts=st.lists(st.floats(0, 1), max_size=2),
    lamp=st.sampled_from([nonos, *(lambda r=r: rtos(r) for r in ROUNDINGS)]),
)
def test_no_read_during_a_fade_spoils_the_scale(
    start: int, goal: int, parts: list[float], lamp: object
) -> None:
    """After the fade the lamp is read as it was set."""
    assert callable(lamp)
    device: Lamp = lamp()
    kind = OldLightKind()
    state = kind.initial
    for step, level in enumerate((200, start, goal)):
        before = device.channels
        wanted = turned_on(255, rgb=(level, 0, 0))(state)
        command = kind.command(state, wanted)
        device.set(command.datapoint)
        state = kind.acknowledged(wanted, command, device.fading(before, 0.1))
        if step == 2:
            for part in sorted(parts):
                state = kind.apply(state, "light", device.fading(before, part))
        state = kind.apply(state, "light", device.report())
        state = kind.apply(state, "light", device.report())
        assert state.levels == (level, 0, 0, 0)
        assert state.read_back.is_rtos == (device.rounding is not None)


def test_the_scale_outlives_being_off() -> None:
    """What was found of a lamp is not to be found again."""
    kind = OldLightKind()
    lamp = rtos()
    state = kind.initial
    for change in (turned_on(rgb=(128, 64, 0)), turned_off()):
        goal = change(state)
        command = kind.command(state, goal)
        lamp.set(command.datapoint)
        state = kind.acknowledged(goal, command, None)
        state = kind.apply(state, "light", lamp.report())
    assert lamp.channels == BLACK
    assert state.is_on is False
    assert state.read_back == RTOS  # and nothing is left to compare


def test_a_state_is_a_value() -> None:
    """It can be a key, and equal ones are equal."""
    assert {LightState(), LightState(read_back=ReadBack())} == {LightState()}
