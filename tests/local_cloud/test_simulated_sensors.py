"""Sensors, which wake, post and sleep (protocol.md §3.8, §10.2, 5)."""

from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from tests.firmware.clock import ManualClock
from tests.firmware.kinds import make
from tests.firmware.readings import Gas, TemHum, Voltage

from .helpers import until
from .simulated import Home

HOUR = 3600.0


@pytest.mark.parametrize("activates", [False, True])
@pytest.mark.parametrize(
    ("kind", "stream", "reading", "stored"),
    [
        ("tem_hum", "tem_hum", TemHum(-3.146, 48), [(-3.15, 48.0)]),
        ("gas", "flammable_gas", Gas(0.1234), [(0.123,)]),
        (
            "voltage",
            "supply-voltage",
            Voltage(range(3000, 3020)),
            [(x, 3000 + x) for x in range(20)],
        ),
    ],
)
async def test_a_post(
    home: Home, cloud: LocalCloud, kind: str, stream: str, reading: Any,
    stored: list[tuple[float, ...]], activates: bool,
) -> None:  # fmt: skip
    """It is stored; nobody is on-line for that, neither before nor after."""
    sensor, thing = home.add(kind, reading=reading, activates=activates, interval=HOUR)
    async with sensor:
        await until(lambda: sensor.statuses == [200])
        names = "xy"[: len(stored[0])]
        assert sorted(await thing.points(stream, *names)) == stored
        assert cloud.connection_count(thing.device) == 0
        await until(lambda: not sensor.state["is_connected"])
    assert thing.device.rom_version == (sensor.rom_version if activates else "")
    assert bool(thing.device.activate_status) == activates
    assert thing.device.last_active


async def test_sleep(home: Home) -> None:
    """It wakes by itself after its time, and is new then but for its flash."""
    clock = ManualClock()
    sensor, thing = home.add("tem_hum", clock=clock, activates=True)
    async with sensor:
        for count in (1, 2, 3):
            await until(lambda: clock.sleepers == [30])
            assert sensor.statuses == [200] * count
            assert (sensor.boots, sensor.connections) == (count, count)
            sensor.reading = TemHum(count, 0)
            clock.advance(30)
    assert clock.sleepers == []
    assert await thing.points("tem_hum", "x") == [(2,), (1,), (21.5,)]


async def test_woken(home: Home) -> None:
    """A test need not wait for it; it sleeps again afterwards."""
    clock = ManualClock()
    sensor, thing = home.add("gas", interval=HOUR, clock=clock)
    async with sensor:
        await until(lambda: clock.sleepers == [HOUR])
        clock.advance(1)
        sensor.reading = Gas(0.5)
        assert await sensor.post() == 200
        await until(lambda: clock.sleepers == [HOUR])
        assert await thing.points("flammable_gas", "x") == [(0.5,), (0,)]
        assert (sensor.boots, sensor.statuses) == (2, [200, 200])
    with pytest.raises(ValueError, match="no power"):
        await sensor.post()


async def test_without_a_server(home: Home, unused_tcp_port: int) -> None:
    """There is no answer, and it sleeps."""
    sensor: Any = make(
        "tem_hum", ("127.0.0.1", unused_tcp_port), "0" * 40, interval=HOUR
    )
    async with sensor:
        await until(lambda: sensor.statuses == [None])


async def test_a_key_that_is_not_known(cloud: LocalCloud) -> None:
    """It hears so, and keeps trying; a new one does not get as far as to post."""
    address = cloud.device_host, cloud.device_port
    sensor: Any = make("tem_hum", address, "0" * 40, interval=HOUR)
    async with sensor:
        await until(lambda: len(sensor.statuses) == 1)
        assert sensor.statuses[0] not in {None, 200}
        assert await sensor.post() == sensor.statuses[0]
    new: Any = make("tem_hum", address, "0" * 40, interval=HOUR, activates=True)
    async with new:
        await until(lambda: new.statuses == [None])
        assert await new.post() is None


def test_readings_that_it_cannot_have() -> None:
    """It posts 20 at once."""
    with pytest.raises(ValueError, match="20 readings"):
        Voltage([1])
