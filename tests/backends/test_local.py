"""What is the local backend's own: the server in the same process, and devices without a connection."""

import asyncio

import pytest

from custom_components.espcloud.backends.local import LocalBackend
from custom_components.espcloud.cloud import DeviceOfflineError
from custom_components.espcloud.kinds.sensors import TemHumKind
from custom_components.espcloud.local_cloud.models import Device
from tests.firmware.readings import TemHum
from tests.firmware.sensor import Sensor
from tests.local_cloud.helpers import until

from .rigs import STREAM, Listener, LocalRig

pytestmark = pytest.mark.parametrize("rig", [LocalRig], indirect=True)
WINDOW = 0.5
"""Seconds for which a sensor is there after a post."""


async def test_server_that_closes(rig: LocalRig) -> None:
    """A command under way ends with it, not after the time for an answer; so do later ones."""
    rig.hold_answers()
    command = asyncio.ensure_future(rig.backend.async_write(STREAM, {"x": 1}))
    await until(lambda: len(rig.requests) == 1)
    told = list(rig.listener.told)
    await rig.server.async_close()
    with pytest.raises(DeviceOfflineError):
        await command
    with pytest.raises(DeviceOfflineError):
        await rig.backend.async_read(STREAM)
    await rig.backend.async_refresh()
    # Whoever closes the server closes the backends, and nobody wants to read of it.
    assert rig.listener.told == told


async def test_question_goes_on_after_one_without_an_answer(rig: LocalRig) -> None:
    """The device was silent for a while, and its connection stayed."""
    assert isinstance(rig.backend, LocalBackend)
    rig.fall_silent()
    rig.hurry()
    await until(lambda: len(rig.requests) == 1)
    told = len(rig.listener.readings)
    # Another one meanwhile does not ask twice.
    rig.hurry()
    await asyncio.sleep(0.05)
    assert len(rig.requests) == 1
    await until(lambda: not rig.backend._is_asking)
    rig.speak()
    rig.hurry()
    await until(lambda: len(rig.listener.readings) > told)
    assert rig.listener.presence == ["connected"]


@pytest.fixture
async def sensor(rig: LocalRig, monkeypatch: pytest.MonkeyPatch) -> Device:
    """Make a device that only wakes to post."""
    monkeypatch.setattr(TemHumKind, "window", WINDOW)
    owned = await rig.server.account.async_make_device("Cellar", "tem_hum", "7" * 40)
    return rig.cloud.store.devices[owned.device.id]


def follow(rig: LocalRig, sensor: Device) -> tuple[LocalBackend, Listener]:
    """Start a backend for it."""
    backend = rig.make_of(sensor.id, TemHumKind())
    listener = Listener()
    backend.async_start(listener)
    return backend, listener


async def test_device_that_only_wakes_to_post(rig: LocalRig, sensor: Device) -> None:
    """It is there for a while after each post, and its last one is known from the start."""
    backend, listener = follow(rig, sensor)
    assert listener.presence == ["disconnected"]
    address = "127.0.0.1", rig.cloud.device_port
    async with Sensor(address, "7" * 40, TemHum(x=7.0), interval=3600.0) as firmware:
        await listener.wait_connected()
        await until(lambda: firmware.statuses == [200])
        await listener.wait_connected(connected=False)
        assert await firmware.post() == 200
        await listener.wait_connected()
        assert listener.presence == ["disconnected", "connected"] * 2
    await backend.async_close()
    before = list(listener.told)
    later, told = follow(rig, sensor)
    (first, *_) = told.told
    assert first[0] == "datapoint"
    assert first[1][1]["x"] == 7.0
    await told.wait_connected(connected=False)
    await later.async_close()
    assert listener.told == before
