"""Each kind of instance, traffic and cloud works together, with next to nothing to do."""

from pathlib import Path

import pytest

from bench import broker
from bench.rows import cloud, devices, hardware, points, push, start
from bench.scale import Scale

TINY = Scale(
    rounds=1,
    pushes=20,
    calls=2,
    loads=(2,),
    idle=0.1,
    outage=0,
    starts=1,
    cloud_loads=(2,),
    cloud_seconds=0.1,
    stored=(0, 100),
    plugs=2,
    polling=0.1,
)

# An instance starts in two seconds, but not on a machine that is busy with other tests.
pytestmark = pytest.mark.timeout(180)


async def test_pushes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The floor and espcloud write what is pushed; MQTT is left out without a broker."""
    monkeypatch.setattr(push, "find_mosquitto", lambda: None)
    result = await push.measure(TINY, tmp_path)
    assert result.figures["floor_us"]
    assert result.figures["push_us"]
    assert result.figures["mqtt_push_us"] is None
    assert broker.HOW_TO_INSTALL in result.lines[-1]
    assert [goal.met for goal in result.goals][1:] == [None]


async def test_devices(tmp_path: Path) -> None:
    """Devices connect, rest, and come back to a cloud that was restarted."""
    result = await devices.measure(TINY, tmp_path)
    assert set(result.figures) == {
        "rss_per_device_kib",
        "idle_cpu_percent",
        "recover_s",
    }
    assert result.figures["recover_s"]
    attempts = int(result.lines[0][-1])
    assert attempts >= 2


async def test_start(tmp_path: Path) -> None:
    """A fresh instance tells how long the start took."""
    result = await start.measure(TINY, tmp_path)
    assert result.figures["start_ms"]


async def test_cloud(tmp_path: Path) -> None:
    """local_cloud delivers every call."""
    result = await cloud.measure(TINY, tmp_path)
    assert result.figures["cloud_rpc_per_s"]


async def test_points(tmp_path: Path) -> None:
    """Datapoints are stored beside those that are there, and read again."""
    result = await points.measure(TINY, tmp_path)
    assert result.figures["stored_per_s"]
    assert result.figures["sync_ms"]
    assert [line[0] for line in result.lines] == ["0", "100"]


async def test_hardware(tmp_path: Path) -> None:
    """Simulated plugs are asked how they are, and switched, beside a virtual lamp."""
    result = await hardware.measure(TINY, tmp_path)
    assert result.figures["hardware_call_p50_ms"]
    assert result.figures["hardware_call_ratio"]
    assert result.figures["hardware_requests"] is not None
    assert [line[0] for line in result.lines] == ["2"]
