"""Espressif's sensors."""

from dataclasses import FrozenInstanceError
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.espcloud.kinds.sensors import (
    NO_READINGS,
    GasKind,
    Quantity,
    SensorKind,
    TemHumKind,
    VoltageKind,
)

TEM_HUM = TemHumKind()
GAS = GasKind()
VOLTAGE = VoltageKind()
BAD = [
    float("nan"),
    float("inf"),
    -float("inf"),
    1e13,
    10**400,
    "20",
    True,
    None,
    [],
    {},
]


def test_temperature_and_humidity() -> None:
    """Each from its own dimension."""
    readings = TEM_HUM.apply(NO_READINGS, "tem_hum", {"x": 23.25, "y": 41})
    assert readings == {"temperature": 23.25, "humidity": 41.0}
    assert TEM_HUM.apply(readings, "tem_hum", {"y": 42}) == {
        "temperature": 23.25,
        "humidity": 42.0,
    }


def test_gas_is_a_plain_ratio() -> None:
    """Nothing that an alarm should hang on."""
    assert GAS.apply(NO_READINGS, "flammable_gas", {"x": 0.125}) == {
        "flammable_gas": 0.125
    }
    (quantity,) = GAS.quantities(NO_READINGS)
    assert (quantity.device_class, quantity.unit) == (None, None)


def test_voltage() -> None:
    """The reading of a converter of 10 bits."""
    assert VOLTAGE.apply(NO_READINGS, "supply-voltage", {"x": 19, "y": 512}) == {
        "voltage": 0.5
    }


def test_the_newest_of_a_post_of_20_points_is_its_last_minute() -> None:
    """Whatever the order, and although older posts come in the same answer."""
    post = [{"x": x, "y": 500 + x, "at": "2026-11-28 12:00:00"} for x in range(20)]
    older = [{"x": x, "y": 300 + x, "at": "2026-11-28 11:40:00"} for x in range(20)]
    answer = [*reversed(post), *reversed(older)]
    for points in (answer, [*post, *older], [*post[10:], *post[:10]]):
        assert VOLTAGE.newest(points) == post[19]
    assert VOLTAGE.newest([*post[3:7], older[19]]) == post[6]
    assert VOLTAGE.newest([{"y": 5}, {"x": 20, "y": 1}, post[4]]) == post[4]
    assert VOLTAGE.newest([]) is None
    readings = NO_READINGS
    for point in post:
        readings = VOLTAGE.apply(readings, "supply-voltage", point)
    assert readings == {"voltage": 519 / 1024}


def test_when_a_point_was_measured() -> None:
    """A minute apart, the last one when it was posted (protocol.md §10.1)."""
    seconds = [VOLTAGE.seconds_before_at({"x": x}) for x in (0, 18, 19)]
    assert seconds == [1140.0, 60.0, 0.0]
    assert VOLTAGE.seconds_before_at({"x": 20}) == 0.0
    assert TEM_HUM.seconds_before_at({"x": 0}) == 0.0


def test_the_newest_of_other_points_comes_first() -> None:
    """As the cloud answers."""
    assert TEM_HUM.newest([{"x": 2}, {"x": 1}]) == {"x": 2}
    assert TEM_HUM.newest([]) is None


def test_how_long_silence_means_nothing() -> None:
    """The app's rule (protocol.md §5)."""
    assert [each.window for each in (TEM_HUM, GAS, VOLTAGE)] == [300.0, 300.0, 1500.0]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("kind", [TEM_HUM, GAS, VOLTAGE])
def test_what_makes_no_sense_changes_nothing(kind: SensorKind, bad: Any) -> None:
    """As for every kind."""
    stream = kind.stored[0]
    before = kind.apply(NO_READINGS, stream, {"x": 1, "y": 50})
    assert before
    assert kind.apply(before, stream, {"x": bad, "y": bad}) is before
    assert kind.apply(before, stream, {}) is before


@pytest.mark.parametrize(
    ("kind", "datapoint"),
    [
        (TEM_HUM, {"x": 201, "y": 101}),
        (TEM_HUM, {"x": -101, "y": -1}),
        (GAS, {"x": 1.01}),
        (GAS, {"x": -0.01}),
        (VOLTAGE, {"x": 19, "y": 16385}),
        (VOLTAGE, {"x": 19, "y": -1}),
        (VOLTAGE, {"x": 20, "y": 500}),
        (VOLTAGE, {"y": 500}),
    ],
)
def test_absurd_numbers_change_nothing(
    kind: SensorKind, datapoint: dict[str, float]
) -> None:
    """A sensor cannot measure them."""
    assert kind.apply(NO_READINGS, kind.stored[0], datapoint) is NO_READINGS


def test_one_bad_number_does_not_hide_the_other() -> None:
    """A broken humidity is no reason to lose the temperature."""
    readings = TEM_HUM.apply(NO_READINGS, "tem_hum", {"x": 20, "y": 900})
    assert readings == {"temperature": 20.0}


@pytest.mark.parametrize("kind", [TEM_HUM, GAS, VOLTAGE])
def test_another_stream_changes_nothing(kind: SensorKind) -> None:
    """Only its own is measured."""
    assert kind.apply(NO_READINGS, "light", {"x": 1, "y": 1}) is NO_READINGS


def test_readings_are_frozen() -> None:
    """Whoever got them keeps what he got."""
    readings: Any = TEM_HUM.apply(NO_READINGS, "tem_hum", {"x": 20})
    TEM_HUM.apply(readings, "tem_hum", {"x": 21})
    assert readings == {"temperature": 20.0}
    with pytest.raises(TypeError):
        readings["temperature"] = 1.0
    quantity: Any = Quantity("a", "b", "x")
    with pytest.raises(FrozenInstanceError):
        quantity.unit = "m"


@given(
    st.dictionaries(
        st.sampled_from(["x", "y", "z", "at"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    )
)
def test_readings_are_always_possible(datapoint: dict[str, Any]) -> None:
    """Whatever arrives."""
    readings = TEM_HUM.apply(NO_READINGS, "tem_hum", datapoint)
    assert set(readings) <= {"temperature", "humidity"}
    assert -100 <= readings.get("temperature", 0) <= 200
    assert 0 <= readings.get("humidity", 0) <= 100
