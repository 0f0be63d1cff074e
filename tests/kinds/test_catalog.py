"""Which kind a device is."""

from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.espcloud.kinds import catalog
from custom_components.espcloud.kinds.base import ControllableKind
from custom_components.espcloud.kinds.catalog import (
    GAS,
    NAMES,
    NEW_LIGHT,
    OLD_LIGHT,
    PLUG,
    REMOTE,
    RPC,
    STRIP,
    TEM_HUM,
    VOLTAGE,
    Settings,
    kind_of,
    kind_of_answer,
)
from custom_components.espcloud.kinds.light import OldLightKind
from custom_components.espcloud.kinds.rpc import DimAction, RpcKind
from custom_components.espcloud.kinds.self_made import StreamTemplate
from tests.firmware.light import Light
from tests.firmware.plug import Plug

OLD_ANSWER = {"x": 1000, "y": 0, "z": 0, "k": 0, "l": 0}
NEW_ANSWER = {"x": 2, "y": 1000, "z": {"red": 1, "green": 2, "blue": 3}}


@pytest.mark.parametrize(
    ("ptype", "name"),
    [
        (2355, REMOTE),
        (3835, GAS),
        (12335, TEM_HUM),
        (23701, PLUG),
        (45772, OLD_LIGHT),
        (47446, STRIP),
        (68574, VOLTAGE),
        (43902, RPC),
        (27388, RPC),
        (34100, RPC),
        (-1, RPC),
        (None, RPC),
    ],
)
def test_by_ptype(ptype: int | None, name: str) -> None:
    """The table of protocol.md §4; a number of a user's own is no kind of Espressif's."""
    assert kind_of(ptype=ptype) == name


@pytest.mark.parametrize(
    ("rom_version", "name"),
    [
        ("b1.2.999t45772(o)", OLD_LIGHT),
        ("b1.3.0t45772(o)", NEW_LIGHT),
        ("v1.3.0t45772(a)", NEW_LIGHT),
        ("v1.10.0t45772(n)", NEW_LIGHT),
        ("v2.0.0t45772(l)", NEW_LIGHT),
        ("v1.0.5t45772(a)", OLD_LIGHT),
        ("v0.2.0t45772(o)", OLD_LIGHT),
        (Light.rom_version, OLD_LIGHT),
        (Plug.rom_version, PLUG),
        ("v1.0.5t12335(a)", TEM_HUM),
        ("v1.0.5t27388(a)", RPC),
        ("V1.0", RPC),
        ("t23701", RPC),
        ("v1.0.5t23701(a) or so", RPC),
        ("v1.0.5t２３７０１(a)", RPC),
        ("", RPC),
        (None, RPC),
    ],
)
def test_by_version(rom_version: str | None, name: str) -> None:
    """Where it is of Espressif's form."""
    assert kind_of(rom_version=rom_version) == name


@pytest.mark.parametrize("rom_version", ["V1.0", "", None, "v9.9.9", "b1.3.0t45772"])
def test_a_light_whose_version_says_nothing_is_of_the_old_stream(
    rom_version: str | None,
) -> None:
    """Third-party firmware was written before the new one."""
    assert kind_of(ptype=45772, rom_version=rom_version) == OLD_LIGHT


@pytest.mark.parametrize(
    ("stream", "name"),
    [
        ("plug-status", PLUG),
        ("plugs", STRIP),
        ("light", OLD_LIGHT),
        ("tem_hum", TEM_HUM),
        ("flammable_gas", GAS),
        ("supply-voltage", VOLTAGE),
        ("remote", REMOTE),
        ("mine", RPC),
    ],
)
def test_by_stream(stream: str, name: str) -> None:
    """Beside streams of nobody's."""
    assert kind_of(streams=[stream, "alarm_status"]) == name


def test_the_stream_decides_between_gas_and_temperature() -> None:
    """NONOS builds of the gas sensor say t12335 (protocol.md §10.1)."""
    version = "v1.0.5t12335(a)"
    assert kind_of(rom_version=version, streams=["flammable_gas"]) == GAS
    assert kind_of(ptype=12335, streams=["flammable_gas"]) == GAS
    assert kind_of(ptype=3835, streams=["tem_hum"]) == TEM_HUM


def test_several_streams_decide_nothing() -> None:
    """A product of 2014 names three kinds of them (protocol.md §2.11)."""
    streams = ["tem_hum", "plug-status", "light"]
    assert kind_of(streams=streams) == RPC
    assert kind_of(streams=streams, ptype=23701) == PLUG


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ({"x": 0}, PLUG),
        ({"x": 1}, PLUG),
        (OLD_ANSWER, OLD_LIGHT),
        (NEW_ANSWER, NEW_LIGHT),
        ({"x": 0, "y": 1000, "z": {}}, NEW_LIGHT),
        ({"x": 0, "y": 1}, STRIP),
        ({"x": 31, "y": 5}, STRIP),
        ({"x": 32, "y": 5}, None),
        ({"x": 23, "y": 45}, None),
        ({"x": 23.5, "y": 5}, None),
        ({"x": -1, "y": 5}, None),
        ({"x": 2}, None),
        ({"x": 0.25}, None),
        ({"y": 1}, None),
        ({"x": True}, None),
        ({"x": "1"}, None),
        ({"x": 1, "y": 2, "z": 3}, None),
        (OLD_ANSWER | {"l": "0"}, None),
        (OLD_ANSWER | {"l": 0.5}, None),
        ({}, None),
    ],
)
def test_by_the_shape_of_an_answer(answer: dict[str, Any], name: str | None) -> None:
    """One pushed GET tells it (protocol.md §10.2, 3)."""
    assert kind_of_answer(answer) == name
    assert kind_of(answer=answer) == (name or RPC)


def test_an_answer_tells_the_two_lights_apart() -> None:
    """Better than a version, which third-party firmware makes up."""
    new, old = "b1.3.0t45772(o)", "v1.0.5t45772(a)"
    assert kind_of(ptype=45772, rom_version=old, answer=NEW_ANSWER) == NEW_LIGHT
    assert kind_of(ptype=45772, rom_version=new, answer=OLD_ANSWER) == OLD_LIGHT
    assert kind_of(streams=["light"], answer=NEW_ANSWER) == NEW_LIGHT
    assert kind_of(ptype=45772, rom_version=new, answer={"x": 1}) == NEW_LIGHT


def test_an_answer_goes_before_a_version() -> None:
    """It is what the device does, not what somebody has typed."""
    assert kind_of(rom_version="v1.0.5t45772(a)", answer={"x": 1}) == PLUG


@given(
    st.dictionaries(
        st.sampled_from("xyzklm"),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=3)
        | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    ),
    st.text(max_size=20),
)
def test_nothing_breaks_it(answer: dict[str, Any], rom_version: str) -> None:
    """And every kind takes every point, and goes on."""
    name = kind_of(rom_version=rom_version, answer=answer)
    assert name in NAMES
    for each in NAMES:
        kind = catalog.make(each)
        for stream in ("light", "plugs", "plug-status", "tem_hum", "mine", ""):
            state = kind.apply(kind.initial, stream, answer)
            assert kind.apply(state, stream, answer) == state


@pytest.mark.parametrize("name", NAMES)
def test_each_name_makes_its_kind(name: str) -> None:
    """With nothing chosen."""
    kind = catalog.make(name)
    assert kind.name == name
    controllable = name not in (TEM_HUM, GAS, VOLTAGE)
    assert isinstance(kind, ControllableKind) is controllable
    assert bool(kind.stored) is not controllable
    assert len(set(NAMES)) == len(NAMES)


def test_what_a_person_has_chosen() -> None:
    """Reaches the kind."""
    light = catalog.make(OLD_LIGHT, Settings(has_white=True))
    assert isinstance(light, OldLightKind)
    assert light.has_white is True
    dim, templates = DimAction("DIM"), (StreamTemplate("tank"),)
    rpc = catalog.make(RPC, Settings(None, "A", "B", dim, templates))
    assert isinstance(rpc, RpcKind)
    assert (rpc.turn_on_action, rpc.turn_off_action) == ("A", "B")
    assert (rpc.dim, rpc.templates) == (dim, templates)


def test_a_name_that_is_none() -> None:
    """A setting of a later version."""
    with pytest.raises(ValueError, match="kettle"):
        catalog.make("kettle")
