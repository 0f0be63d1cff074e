"""The simulated devices of the demo, and what a person types for them."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast

import pytest

from demo.cloud import (
    COLOUR_LAMP,
    PLUG,
    STRIP,
    THERMOMETER,
    Cloud,
    CloudSettings,
    running_cloud,
)
from demo.devices import Devices, running_devices
from demo.entity import Entity
from demo.errors import DemoError
from demo.process import Process
from demo.session import Session
from demo.typed import HELP, obey

from .test_show import ScriptedSession


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncGenerator[Cloud]:
    """Run a cloud with the demo's devices."""
    settings = CloudSettings(
        http_port=0, device_port=0, password="demo", folder=tmp_path
    )
    async with running_cloud(settings) as cloud:
        yield cloud


@pytest.fixture
async def devices(cloud: Cloud, tmp_path: Path) -> AsyncGenerator[Devices]:
    """Run the devices; each has power."""
    async with running_devices(cloud, tmp_path) as devices:
        yield devices
    assert devices.process.status == 0


async def test_what_is_typed_happens(devices: Devices) -> None:
    """Each line that the help names, and what comes of it."""
    assert "button was pressed" in await obey(devices, "press plug")
    assert (await devices.state(PLUG))["appliance"] == {"x": 1}
    await obey(devices, "Press strip 2")
    assert (await devices.state(STRIP))["appliance"] == {"x": 0b010, "y": 3}
    assert "has posted" in await obey(devices, "measure 25.5 60")
    assert (await devices.state(THERMOMETER))["reading"] == {"x": 25.5, "y": 60}
    await obey(devices, "off lamp")
    assert not (await devices.state(COLOUR_LAMP))["is_on"]
    await obey(devices, "on lamp")
    assert (await devices.state(COLOUR_LAMP))["is_on"]


async def test_what_cannot_be_is_said(devices: Devices) -> None:
    """It says why, or what there is to type."""
    for line in ("press strip 4", "press strip 0", "measure warm 60"):
        assert (await obey(devices, line)).startswith("That did not work: "), line
    await obey(devices, "off plug")
    assert "no power" in await obey(devices, "press plug")
    for line in ("dance", "off Spare", "press"):
        assert HELP in await obey(devices, line)


async def test_they_do_what_the_phone_app_says(cloud: Cloud, devices: Devices) -> None:
    """They find the cloud by themselves, which hands them its datapoints."""
    async with asyncio.timeout(30):
        while not await is_written(cloud, 0b101):  # noqa: ASYNC110 (the cloud's side of it)
            await asyncio.sleep(0.05)
    assert (await devices.state(STRIP))["appliance"]["x"] == 0b101
    await devices.power(STRIP, on=False)
    assert not await is_written(cloud, 0b001)


async def is_written(cloud: Cloud, mask: int) -> bool:
    """Write to the strip; return whether it was there, which is all that may be wrong."""
    try:
        await cloud[STRIP].write("plugs", x=mask)
    except DemoError as err:
        if "404" not in str(err):
            raise
        return False
    return True


async def test_a_death_is_told(tmp_path: Path) -> None:
    """Whoever asks a simulation that has ended hears that."""
    async with Process.running(
        "child", ["true"], tmp_path / "log", cwd=tmp_path, announces=True, listens=True
    ) as child:
        await child.ended()
        with pytest.raises((DemoError, ConnectionError)):
            await Devices(child).state(PLUG)


async def test_an_entity_follows_its_attributes() -> None:
    """What is changed, taken away, and comes with a state."""
    session = ScriptedSession()
    entry = {"entity_id": "light.desk", "device_id": "desk", "device_name": "desk"}
    entity = await Entity.follow(cast(Session, session), entry)
    for event in (
        {"a": {"light.desk": {"s": "off", "a": {"rgb_color": None, "icon": "mdi:x"}}}},
        {"c": {"light.desk": {"+": {"s": "on", "a": {"rgb_color": [0, 0, 255]}}}}},
        {"c": {"light.desk": {"-": {"a": ["icon"]}}}},
    ):
        session.events.put_nowait(event)
    await entity.wait_until(
        lambda each: "icon" not in each.attributes and each.state == "on", "blue", 1
    )
    assert entity.attributes == {"rgb_color": [0, 0, 255]}
