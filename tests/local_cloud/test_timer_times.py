"""Timers as time passes: their zone, and what a device is told when one has fired."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
import gc
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from custom_components.espcloud.local_cloud import LocalCloud, timer_watch
from custom_components.espcloud.local_cloud.models import Device
from custom_components.espcloud.local_cloud.times import SHANGHAI

from .helpers import Api, DeviceSocket, until

PATH = "/v1/device/timers/"
SIMPLE = {"is_humanize_format_simple": "true"}
PERIOD = {"type": "LOOP_PERIOD", "period": "hour", "time": 1, "action": "toggle"}
MONDAY = 1_388_937_600
"""A Monday, 00:00 in Beijing (protocol.md §3.6)."""

type SetClock = Callable[[float], None]


@pytest.fixture
async def set_clock(cloud: LocalCloud) -> SetClock:
    """Return what sets the cloud's clock, which goes on from there."""
    loop = asyncio.get_running_loop()

    def put(seconds: float) -> None:
        start = loop.time()
        cloud.store.context.clock = lambda: seconds + loop.time() - start

    return put


def once(*moments: datetime) -> dict[str, Any]:
    """Return a timer for these moments."""
    actions = [
        {"time": f"{moment:%Y%m%d%H%M%S}", "action": "off_switch"} for moment in moments
    ]
    return {"type": "FIXEDTIME", "time_actions": actions}


def weekly(day: int, time: str) -> dict[str, Any]:
    """Return a timer for a day of each week."""
    actions = [{"time": time, "action": "on_switch"}]
    return {"type": "LOOP_IN_WEEK", "weekdays": [day], "time_actions": actions}


async def given(socket: DeviceSocket, key: str) -> str:
    """Fetch the timers as a device does."""
    return (await socket.ask(PATH, key=key, get=SIMPLE))["timers"]


# Zones


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo"])
async def test_a_time_is_the_callers(
    api: Api, cloud: LocalCloud, socket: DeviceSocket, owner_key: str, master_key: str,
    zone: str,
) -> None:  # fmt: skip
    """Whatever zone the device or a reader has; the device gets Beijing's."""
    now = datetime(2026, 1, 7, 12, 0, tzinfo=SHANGHAI)
    cloud.store.context.clock = now.timestamp
    moment = datetime(2026, 1, 8, 6, 30, 15, tzinfo=ZoneInfo(zone))
    plans = [once(moment), weekly(4, "063015")]
    headers = {"Time-Zone": zone}
    await api.ok("POST", PATH, {"timers": plans}, key=owner_key, headers=headers)
    beijing = moment.astimezone(SHANGHAI)
    assert moment.isoweekday() == 4
    seconds = (beijing.isoweekday() - 1) * 86400 + int(
        timedelta(
            hours=beijing.hour, minutes=beijing.minute, seconds=beijing.second
        ).total_seconds()
    )
    text = f"f{int(moment.timestamp())}=off_switch;w{seconds}=on_switch"
    assert await given(socket, master_key) == text
    meta = {"Authorization": f"token {master_key}", "Time-Zone": "Asia/Kashgar"}
    assert (await socket.ask(PATH, meta=meta, get=SIMPLE))["timers"] == text
    timers = (await api.ok("GET", PATH, key=owner_key))["timers"]
    assert [timer["time_zone"] for timer in timers] == [zone, zone]
    assert timers[0]["time_actions"] == plans[0]["time_actions"]
    # Who changes a timer writes in the zone they have now.
    change = {"timers": [{**weekly(4, "063015"), "id": timers[1]["id"]}]}
    await api.ok("PUT", PATH, change, key=owner_key)
    assert (await given(socket, master_key)).endswith(
        f";w{3 * 86400 + 6 * 3600 + 30 * 60 + 15}=on_switch"
    )


@pytest.mark.parametrize("zone", [None, "Epoch", "Mars/Olympus"])
async def test_a_time_without_a_zone_is_shanghais(
    api: Api, cloud: LocalCloud, socket: DeviceSocket, owner_key: str, master_key: str,
    zone: str | None,
) -> None:  # fmt: skip
    """As all times are."""
    cloud.store.context.clock = lambda: MONDAY
    headers = {"Time-Zone": zone} if zone else {}
    body = {"timers": [weekly(1, "000001"), weekly(1, "000000"), weekly(0, "235959")]}
    reply = await api.ok("POST", PATH, body, key=owner_key, headers=headers)
    assert {timer["time_zone"] for timer in reply["timers"]} == {"Asia/Shanghai"}
    text = "w1=on_switch;w0=on_switch;w604799=on_switch"
    assert await given(socket, master_key) == text


@pytest.mark.parametrize(("length", "zone"), [(64, "a" * 64), (65, "Asia/Shanghai")])
async def test_a_zone_that_goes_to_a_device_has_an_end(
    api: Api, lamp: DeviceSocket, owner_key: str, length: int, zone: str
) -> None:
    """Its buffer is small; what is longer than any name counts as none."""
    headers = {"Time-Zone": "a" * length}
    call = asyncio.ensure_future(
        api.get("/v1/device/rpc/?action=a", key=owner_key, headers=headers)
    )
    push = await lamp.receive()
    assert push["meta"]["Time-Zone"] == zone
    lamp.acknowledge(push)
    assert (await call).status == 200


# Fired timers


async def test_a_fired_timer_is_not_fetched(
    api: Api, cloud: LocalCloud, socket: DeviceSocket, owner_key: str, master_key: str
) -> None:
    """From its second on; its user still sees it."""
    moments = [
        datetime.fromtimestamp(MONDAY + seconds, SHANGHAI) for seconds in (10, 20)
    ]
    cloud.store.context.clock = lambda: MONDAY
    await api.ok("POST", PATH, {"timers": [once(*moments), PERIOD]}, key=owner_key)
    for seconds, left in ((9, [10, 20]), (10, [20]), (19, [20]), (20, [])):
        now = MONDAY + seconds
        cloud.store.context.clock = lambda now=now: now
        entries = [f"f{MONDAY + each}=off_switch" for each in left]
        text = ";".join([*entries, "l3600=toggle"])
        assert await given(socket, master_key) == text
        over_http = f"{PATH}?is_humanize_format_simple=true"
        assert (await api.ok("GET", over_http, key=owner_key))["timers"] == text
    assert len((await api.ok("GET", PATH, key=owner_key))["timers"]) == 2


async def test_the_device_fetches_again_when_a_timer_has_fired(
    api: Api, cloud: LocalCloud, device: Device, lamp: DeviceSocket, owner_key: str,
    master_key: str, set_clock: SetClock, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Else none of its others would fire; in its own name, once, and not before it is over."""
    monkeypatch.setattr(timer_watch, "LATENESS", 0.2)
    set_clock(MONDAY)
    moment = datetime.fromtimestamp(MONDAY + 60, SHANGHAI)
    await api.ok("POST", PATH, {"timers": [once(moment), PERIOD]}, key=owner_key)
    set_clock(MONDAY - 86400)
    await given(lamp, master_key)
    # A clock may be set: nothing waits for longer than an hour.
    assert cloud._timer_watch._pause(device) == timer_watch._LONGEST_SLEEP
    set_clock(MONDAY + 59.9)
    assert (await given(lamp, master_key)).startswith("f")
    push = await lamp.receive()
    assert cloud.store.context.clock() >= MONDAY + 60.2
    assert (push["path"], push["method"]) == (PATH, "DELETE")
    assert push["body"] == {"timers": [{"id": 1}]}
    assert push["meta"]["Authorization"] == f"token {master_key}"
    lamp.acknowledge(push)
    assert await given(lamp, master_key) == "l3600=toggle"
    # It has no reason to fetch again, and is not told to.
    watch = cloud._timer_watch
    assert watch._pause(device) == timer_watch._LONGEST_SLEEP
    await until(lambda: not watch._tellings)


async def test_a_device_that_is_busy_is_told_again(
    api: Api, cloud: LocalCloud, lamp: DeviceSocket, owner_key: str, master_key: str,
    set_clock: SetClock, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """One that acknowledges and does not fetch is not."""
    monkeypatch.setattr(timer_watch, "LATENESS", 0.0)
    monkeypatch.setattr(timer_watch, "_AGAIN", 0.05)
    link = cloud._presence.link(cloud.store.devices[1])
    assert link is not None
    link.outbox._timeout = 0.3
    set_clock(MONDAY)
    moment = datetime.fromtimestamp(MONDAY + 60, SHANGHAI)
    await api.ok("POST", PATH, {"timers": [once(moment)]}, key=owner_key)
    set_clock(MONDAY + 59.9)
    await given(lamp, master_key)
    await lamp.receive()
    lamp.acknowledge(await lamp.receive())
    watch = cloud._timer_watch
    await until(lambda: not watch._tellings)
    assert watch._given == {1: ""}
    assert watch._pause(cloud.store.devices[1]) == timer_watch._LONGEST_SLEEP


async def test_a_device_that_has_left_is_watched_no_more(
    api: Api, cloud: LocalCloud, device: Device, lamp: DeviceSocket, owner_key: str, master_key: str,
    set_clock: SetClock, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """It fetches when it comes back; nothing is kept of it, whether it was being told or not."""
    monkeypatch.setattr(timer_watch, "LATENESS", 0.0)
    set_clock(MONDAY)
    moment = datetime.fromtimestamp(MONDAY + 60, SHANGHAI)
    await api.ok("POST", PATH, {"timers": [once(moment)]}, key=owner_key)
    watch = cloud._timer_watch
    async with DeviceSocket(cloud) as stranger:
        # Who has not identified has no place to be told at.
        assert await given(stranger, master_key)
    assert not watch._looks
    await given(lamp, master_key)
    assert (list(watch._looks), list(watch._given)) == ([device.id], [device.id])
    lamp.writer.transport.abort()
    await cloud.wait_offline(device)
    assert not watch._looks
    async with DeviceSocket(cloud) as again:
        await again.identify(device)
        set_clock(MONDAY + 59.9)
        await given(again, master_key)
        await again.receive()
    await cloud.wait_offline(device)
    await until(lambda: not watch._tellings)
    assert (watch._looks, watch._given) == ({}, {})


async def test_summer_time_begins(
    api: Api, cloud: LocalCloud, device: Device, lamp: DeviceSocket, owner_key: str,
    master_key: str, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A device is told that the hour has changed in Beijing, though not in the person's life."""
    monkeypatch.setattr(timer_watch, "_LONGEST_SLEEP", 0.05)
    berlin = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 3, 27, 12, 0, tzinfo=berlin)
    cloud.store.context.clock = before.timestamp
    headers = {"Time-Zone": "Europe/Berlin"}
    body = {"timers": [weekly(6, "070000")]}
    await api.ok("POST", PATH, body, key=owner_key, headers=headers)
    # Saturday, 07:00 in Berlin: 14:00 in Beijing in winter, 13:00 in summer.
    saturday = 5 * 86400
    assert await given(lamp, master_key) == f"w{saturday + 14 * 3600}=on_switch"
    after = datetime(2026, 3, 28, 8, 0, tzinfo=berlin)
    cloud.store.context.clock = after.timestamp
    push = await lamp.receive()
    assert (push["method"], push["body"]["timers"][0]["id"]) == ("PUT", 1)
    lamp.acknowledge(push)
    assert await given(lamp, master_key) == f"w{saturday + 13 * 3600}=on_switch"


async def test_the_end_of_the_cloud_is_the_end_of_the_watch(
    api: Api, cloud: LocalCloud, lamp: DeviceSocket, owner_key: str, master_key: str,
    set_clock: SetClock, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Also while a device is being told."""
    monkeypatch.setattr(timer_watch, "LATENESS", 0.0)
    set_clock(MONDAY)
    moment = datetime.fromtimestamp(MONDAY + 60, SHANGHAI)
    await api.ok("POST", PATH, {"timers": [once(moment)]}, key=owner_key)
    set_clock(MONDAY + 59.9)
    await given(lamp, master_key)
    await lamp.receive()
    telling = set(cloud._timer_watch._tellings)
    await cloud.close()
    assert len(telling) == 1
    assert all(task.done() for task in telling)
    gc.collect()
