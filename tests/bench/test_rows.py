"""Each kind of instance, traffic and cloud works together, with next to nothing to do."""

from pathlib import Path

import pytest

from bench import broker
from bench.rows import cloud, devices, hardware, household, local, points, push, start
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
    posts=2,
    household=3,
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


async def test_local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plug is switched and a sensor posts; what is not installed is left out, and said so."""
    monkeypatch.setattr(local, "find_mosquitto", lambda: None)
    monkeypatch.setattr(local, "has_esphome", lambda: False)
    result = await local.measure(TINY, tmp_path)
    assert result.figures["local_call_p50_ms"]
    assert result.figures["local_mqtt_call_p50_ms"] is None
    assert result.figures["local_esphome_call_p50_ms"] is None
    assert broker.HOW_TO_INSTALL in result.lines[1]
    assert local.NO_ESPHOME in result.lines[2]
    assert "ESPHome was left out" in result.how
    assert [goal.met for goal in result.goals][:2] == [None, None]
    assert result.figures["local_post_us"]
    assert result.figures["local_post_floor_us"]
    assert {len(line) for line in result.lines} == {len(result.header)}


@pytest.mark.skipif(not local.has_esphome(), reason="bench/requirements.txt")
async def test_esphome(tmp_path: Path) -> None:
    """Home Assistant's ESPHome follows the simulated plug."""
    async with local.running_esphome(tmp_path) as contestant:
        await contestant.play(2)
    assert len(contestant.written) == 2


@pytest.mark.skipif(broker.find_mosquitto() is None, reason=broker.HOW_TO_INSTALL)
async def test_mqtt_switch(tmp_path: Path) -> None:
    """Home Assistant's MQTT shows a plug that says how it is."""
    async with push.running_mqtt(tmp_path, "switch", "switch") as plug:
        contestant = local.Contestant(plug.name, plug.instance)
        await contestant.play(2)
    assert contestant.name == "MQTT switch"
    assert len(contestant.written) == 2


async def test_household(tmp_path: Path) -> None:
    """All devices come back after a restart, and strangers are offered."""
    result = await household.measure(TINY, tmp_path)
    assert result.figures["household_offered"] == 3
    assert result.figures["household_back_s"]
    assert result.figures["household_knocked_percent"]
    assert result.figures["household_kib"] is not None
    assert {len(line) for line in result.lines} == {len(result.header)}
