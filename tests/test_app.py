"""The phone app and a lamp that Home Assistant is (protocol.md §2.7, §3.5, §4)."""

from types import MappingProxyType
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant

from .common import http, send_command, wait_for_state

LIGHT = "light.desk_lamp"
DIMMED = {"dim_action": "DIM", "dim_parameter": "level", "dim_maximum": 100}


def choose(hass: HomeAssistant, entry: MockConfigEntry, **choices: Any) -> None:
    """Choose for the lamp what its dialog offers."""
    (subentry,) = entry.subentries.values()
    data = MappingProxyType({**subentry.data, **choices})
    hass.config_entries.async_update_subentry(entry, subentry, data=dict(data))


async def app(
    cloud: LocalCloud,
    device: Device,
    stream: str,
    datapoint: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Ask or tell the lamp as the app does, and return the datapoint of its answer."""
    answer = await http(
        cloud,
        "GET" if datapoint is None else "POST",
        f"/v1/datastreams/{stream}/datapoint/",
        cloud.owner_key(device),
        query={"deliver_to_device": "true"},
        body=None if datapoint is None else {"datapoint": datapoint},
    )
    assert answer["status"] == 200
    return {name: value for name, value in answer["datapoint"].items() if name != "at"}


async def press(hass: HomeAssistant, service: str, **data: Any) -> None:
    """Press the lamp in Home Assistant."""
    await hass.services.async_call(
        "light", service, {ATTR_ENTITY_ID: LIGHT, **data}, blocking=True
    )


async def test_app_switches_a_plug(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """And is answered as by a plug."""
    assert await app(cloud, device, "plug-status", {"x": 1}) == {"x": 1}
    await wait_for_state(hass, LIGHT, "on")
    assert await app(cloud, device, "plug-status") == {"x": 1}
    assert await app(cloud, device, "plug-status", {"x": 0}) == {"x": 0}
    await wait_for_state(hass, LIGHT, "off")


async def test_app_colors_a_light(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """With firmware of the old stream, which the lamp's version stands for."""
    choose(hass, entry, lamp_shows="color")
    blue = {"x": 1000, "y": 0, "z": 0, "k": 22222, "l": 0}
    assert await app(cloud, device, "light", blue) == blue
    await wait_for_state(hass, LIGHT, "on")
    attributes = hass.states.get(LIGHT).attributes
    assert attributes["rgb_color"] == (0, 0, 255)
    assert attributes["brightness"] == 255
    assert await app(cloud, device, "light") == blue
    dark = {"x": 1000, "y": 0, "z": 0, "k": 0, "l": 0}
    assert await app(cloud, device, "light", dark) == dark
    await wait_for_state(hass, LIGHT, "off")
    await send_command(cloud, device, "LED_ON")
    await wait_for_state(hass, LIGHT, "on")
    assert hass.states.get(LIGHT).attributes["rgb_color"] == (0, 0, 255)


async def test_app_colors_a_light_of_the_new_stream(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """Whatever it takes the lamp for, the answer has the form of the question."""
    choose(hass, entry, lamp_shows="color")
    color = {"red": 0, "green": 100, "blue": 0}
    answer = await app(cloud, device, "light", {"x": 2, "y": 1000, "z": color})
    assert answer == {"x": 2, "y": 1000, "z": {**color, "white": 0}}
    await wait_for_state(hass, LIGHT, "on")
    assert hass.states.get(LIGHT).attributes["brightness"] == 100
    answer = await app(cloud, device, "light", {"x": 0, "y": 1000})
    assert answer["x"] == 0
    await wait_for_state(hass, LIGHT, "off")


async def test_what_is_not_to_be_shown(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """A plain lamp goes on by a color, and shows none."""
    await app(cloud, device, "light", {"x": 1000, "y": 0, "z": 0, "k": 22222, "l": 0})
    await wait_for_state(hass, LIGHT, "on")
    assert hass.states.get(LIGHT).attributes["supported_color_modes"] == ["onoff"]
    assert "rgb_color" not in hass.states.get(LIGHT).attributes


async def test_colored_in_home_assistant(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """The command goes through the cloud, and whoever asks the lamp hears of it."""
    choose(hass, entry, lamp_shows="color")
    await press(hass, "turn_on", rgb_color=(255, 0, 0), brightness=51)
    attributes = hass.states.get(LIGHT).attributes
    assert attributes["rgb_color"] == (255, 0, 0)
    assert attributes["brightness"] == 51
    answer = await app(cloud, device, "light")
    assert answer == {"x": 1000, "y": 4445, "z": 0, "k": 0, "l": 0}
    await press(hass, "turn_off")
    assert hass.states.get(LIGHT).state == "off"


async def test_dimmed_by_an_action(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """By anybody who sends it, Home Assistant included."""
    choose(hass, entry, lamp_shows="brightness", **DIMMED)
    await send_command(cloud, device, "DIM", level="50")
    await wait_for_state(hass, LIGHT, "on")
    assert hass.states.get(LIGHT).attributes["brightness"] == 128
    await press(hass, "turn_on", brightness=26)
    event = hass.states.get("event.desk_lamp_command").attributes
    assert (event["action"], event["parameters"]) == ("DIM", {"level": "10"})
    assert hass.states.get(LIGHT).attributes["brightness"] == 26
    await send_command(cloud, device, "DIM", level="0")
    await wait_for_state(hass, LIGHT, "off")


@pytest.mark.parametrize("shows", ["color", "brightness"])
async def test_color_outlives_a_restart(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    entry: MockConfigEntry,
    shows: str,
) -> None:
    """The cloud keeps none."""
    choose(hass, entry, lamp_shows=shows)
    await app(cloud, device, "light", {"x": 1000, "y": 0, "z": 0, "k": 11111, "l": 0})
    await wait_for_state(hass, LIGHT, "on")
    await hass.config_entries.async_reload(entry.entry_id)
    await wait_for_state(hass, LIGHT, "on")
    attributes = hass.states.get(LIGHT).attributes
    assert attributes["brightness"] == 128
    if shows == "color":
        assert attributes["rgb_color"] == (0, 0, 255)
