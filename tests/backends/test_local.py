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


async def test_question_ends_with_the_backend(rig: LocalRig) -> None:
    """It waits for a silent device, and the time for the next one comes meanwhile."""
    rig.fall_silent()
    for _ in range(2):
        rig.hurry()
        await until(lambda: len(rig.requests) == 1 and not _is_due(rig))
    assert _questions()
    await rig.backend.async_close()
    # What was cancelled ends within the next turns of the loop.
    for _ in range(5):
        await asyncio.sleep(0)
    assert _questions() == []


def _is_due(rig: LocalRig) -> bool:
    assert isinstance(rig.backend, LocalBackend)
    return rig.backend._cancel_question is not None


def _questions() -> list[str]:
    names = [task.get_name() for task in asyncio.all_tasks()]
    return [name for name in names if name.startswith("ask device")]


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
