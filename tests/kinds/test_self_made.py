"""The quantities of a person's own streams."""

from typing import Any

import pytest

from custom_components.espcloud.kinds.self_made import (
    MAX_QUANTITIES,
    StreamTemplate,
    self_made_quantities,
    with_self_made_point,
)
from custom_components.espcloud.kinds.sensors import NO_READINGS

# The answers of 2014 that protocol.md §2.11 has.
TEM_HUM = {
    "name": "tem_hum",
    "description": "record temperature and humidity ",
    "dimension": 2,
    "tags": "tem, hum",
    "unit": "",
    "symbol": "",
    "stream_type": 1,
}
PLUG_STATUS = {
    "name": "plug-status",
    "description": "plug-status1:on,0:off",
    "dimension": 1,
    "tags": "",
    "unit": "boolean",
    "symbol": "on/off",
}
LIGHT = {"name": "light", "dimension": 5, "tags": "", "unit": "", "symbol": ""}


def read(record: dict[str, Any]) -> StreamTemplate:
    """Return the template of a record."""
    return StreamTemplate(
        **{
            name: value
            for name, value in record.items()
            if name not in ("description", "stream_type")
        }
    )


def told(
    *records: dict[str, Any], shown: tuple[str, ...] = ()
) -> list[tuple[Any, ...]]:
    """Return key, name and unit of what templates and points say."""
    quantities = self_made_quantities(map(read, records), shown)
    assert all(each.device_class is None for each in quantities)
    return [(each.key, each.name, each.unit) for each in quantities]


def test_templates_as_they_were_recorded() -> None:
    """Names from tags where there is one for each value."""
    assert told(TEM_HUM, PLUG_STATUS) == [
        ("tem_hum-x", "tem", None),
        ("tem_hum-y", "hum", None),
        ("plug-status-x", "plug-status", None),
    ]
    assert told(LIGHT) == [(f"light-{each}", f"light {each}", None) for each in "xyzkl"]


def test_units() -> None:
    """The symbol before the word, and one for each value or none at all."""
    tank = {"name": "tank", "dimension": 1, "unit": "litre", "symbol": "l"}
    assert told(tank) == [("tank-x", "tank", "l")]
    assert told(tank | {"symbol": ""}) == [("tank-x", "tank", "litre")]
    assert told(tank | {"dimension": 2}) == [
        ("tank-x", "tank x", None),
        ("tank-y", "tank y", None),
    ]
    assert told(tank | {"dimension": 2, "symbol": "l, °C"}) == [
        ("tank-x", "tank x", "l"),
        ("tank-y", "tank y", "°C"),
    ]


def test_a_dimension_that_a_point_has_shown() -> None:
    """Beyond what the template says, or without any."""
    shown = ("tank-y", "well-x", "tem_hum-x")
    assert told(TEM_HUM, {"name": "tank", "dimension": 1}, shown=shown) == [
        ("tem_hum-x", "tem", None),
        ("tem_hum-y", "hum", None),
        ("tank-x", "tank", None),
        ("tank-y", "tank y", None),
        ("well-x", "well x", None),
    ]


@pytest.mark.parametrize("key", ["", "x", "-x", "tank", "tank-", "tank-a", "tank-xy"])
def test_what_is_no_key_is_no_quantity(key: str) -> None:
    """A key has a stream and a dimension."""
    assert self_made_quantities((), (key,)) == ()


def test_a_name_of_a_stream_may_have_hyphens() -> None:
    """The last one is ours."""
    readings = with_self_made_point(NO_READINGS, "a-x", {"y": 1})
    (quantity,) = self_made_quantities((), readings)
    assert (quantity.stream, quantity.dimension) == ("a-x", "y")


@pytest.mark.parametrize("dimension", range(6))
def test_a_point_has_as_many_values_as_its_template_says(dimension: int) -> None:
    """None where it does not say."""
    assert len(self_made_quantities([StreamTemplate("tank", dimension)])) == dimension


def test_points() -> None:
    """Numbers become readings, the rest does not."""
    readings = with_self_made_point(
        NO_READINGS,
        "tank",
        {"x": 1, "y": float("nan"), "z": {"red": 1}, "k": "5", "l": -2.5, "at": 7},
    )
    assert readings == {"tank-x": 1.0, "tank-l": -2.5}
    assert with_self_made_point(readings, "tank", {"x": True}) is readings
    assert with_self_made_point(readings, "tank", {"x": 1}) is readings
    assert with_self_made_point(readings, "tank", {"x": 2})["tank-x"] == 2.0


def test_a_device_cannot_make_up_quantities_without_end() -> None:
    """Those that are there go on."""
    readings = NO_READINGS
    for index in range(MAX_QUANTITIES):
        point = {"x": index, "y": index, "z": index}
        readings = with_self_made_point(readings, f"stream{index}", point)
    assert len(readings) == MAX_QUANTITIES
    assert len(self_made_quantities((), readings)) == MAX_QUANTITIES
    assert with_self_made_point(readings, "another", {"x": 1}) is readings
    assert with_self_made_point(readings, "stream0", {"z": 9})["stream0-z"] == 9.0
