"""The demo of local mode: devices with keys of their own, and what a person types for them."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from custom_components.espcloud.identity import key_hash as key_hash_of_the_integration
from demo.devices import Devices
from demo.local_devices import (
    FIRMWARE,
    LAMP,
    OLD_PLUG,
    THERMOMETER,
    invent_keys,
    key_hash,
    running_local_devices,
)
from demo.local_show import HELP, NAMES, obey
from demo.ports import find_free


@pytest.fixture
async def devices(tmp_path: Path) -> AsyncGenerator[Devices]:
    """Run the devices, which find no cloud."""
    async with running_local_devices(invent_keys(), find_free(), tmp_path) as devices:
        yield devices
    assert devices.process.status == 0


async def test_what_is_typed_happens(devices: Devices) -> None:
    """Each line that the help names and that needs no cloud, and what comes of it."""
    assert "button was pressed" in await obey(devices, "press old-plug")
    assert (await devices.state(OLD_PLUG))["appliance"] == {"x": 1}
    await obey(devices, "off lamp")
    assert not (await devices.state(LAMP))["is_on"]
    await obey(devices, "on lamp")
    assert (await devices.state(LAMP))["is_on"]
    await obey(devices, "measure 25.5 60")
    assert (await devices.state(THERMOMETER))["reading"] == {"x": 25.5, "y": 60}


async def test_what_cannot_be_is_said(devices: Devices) -> None:
    """It says why, or what there is to type."""
    for line in ("post 19.5", "post warm", "measure warm 60"):
        assert (await obey(devices, line)).startswith("That did not work: "), line
    for line in ("dance", "off spare", "press lamp"):
        assert HELP in await obey(devices, line)
    assert set(NAMES.values()) == set(FIRMWARE)


def test_cards_are_found_by_the_hash_of_the_key() -> None:
    """The demo knows of the integration only what anybody can see, and counts for itself."""
    key = "0123456789abcdef" * 2 + "01234567"
    assert key_hash(key) == key_hash_of_the_integration(key)
