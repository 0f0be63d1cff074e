"""Timers: written by users, fetched by devices (protocol.md §2.9, §3.6); messages and firmware."""

import asyncio
import json
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud, quotas
from custom_components.espcloud.local_cloud.api import timers as timers_api
from custom_components.espcloud.local_cloud.models import Device

from .helpers import Api, DeviceSocket

PATH = "/v1/device/timers/"
HUMAN = f"{PATH}?is_humanize_format=true"
SIMPLE = {"is_humanize_format_simple": "true"}
ONCE = {
    "type": "FIXEDTIME",
    "time_actions": [{"time": "20150708111809", "action": "off_switch"}],
}
PERIOD = {
    "type": "LOOP_PERIOD",
    "period": "minute",
    "time": 1,
    "action": "on_off_switch",
}
WEEKLY = {
    "type": "LOOP_IN_WEEK",
    "weekdays": [0, 1, 3],
    "time_actions": [{"time": "113814", "action": "off_switch"}],
}


async def test_the_empty_list(
    api: Api, cloud: LocalCloud, socket: DeviceSocket, master_key: str
) -> None:
    """What a device without timers gets, byte for byte; 2015-07-08 was a Wednesday, 3."""
    cloud.store.context.clock = lambda: 1_436_326_580
    socket.send(
        json.dumps(
            {"body": {}, "get": SIMPLE, "meta": {"Authorization": f"Token {master_key}"},
             "path": PATH, "post": {}, "method": "GET"}
        ).encode() + b"\n"
    )  # fmt: skip
    assert await socket.line() == (
        b'{"now": "2015-07-08 11:36:20", "status": 200, "timers": "", "timestamp": 1436326580, '
        b'"weekday": 3}\n'
    )
    assert (await api.ok("GET", HUMAN, key=master_key))["timers"] == []


async def test_timers_of_all_kinds(
    api: Api, cloud: LocalCloud, socket: DeviceSocket, owner_key: str, master_key: str
) -> None:
    """Users read them as they wrote them, with an id; the device reads one text."""
    cloud.store.context.clock = lambda: 1_436_320_000
    plans = [ONCE, PERIOD, WEEKLY]
    reply = await api.ok("POST", HUMAN, {"timers": plans}, key=owner_key)
    ids = [timer["id"] for timer in reply["timers"]]
    assert [timer["visibly"] for timer in reply["timers"]] == [1, 1, 1]
    listed = (await api.ok("GET", HUMAN, key=owner_key))["timers"]
    assert listed == reply["timers"]
    assert [
        {name: timer[name] for name in plan}
        for timer, plan in zip(listed, plans, strict=True)
    ] == plans
    answer = await socket.ask(PATH, key=master_key, get=SIMPLE)
    # Seconds after Monday 00:00: Sunday is the last day of the device's week.
    assert answer["timers"] == (
        "f1436325489=off_switch;l60=on_off_switch;"
        "w560294=off_switch;w41894=off_switch;w214694=off_switch"
    )
    change = {**PERIOD, "id": ids[0], "period": "hour", "time": 2}
    await api.ok("POST", f"{PATH}?method=PUT", {"timers": [change]}, key=owner_key)
    body = {"timers": [{"id": ids[1]}, {"id": ids[2]}, {"id": ids[2]}]}
    await api.ok(
        "POST", f"/{PATH}?method=DELETE&is_humanize_format=true", body, key=owner_key
    )
    assert (await socket.ask(PATH, key=master_key, get=SIMPLE))[
        "timers"
    ] == "l7200=on_off_switch"
    for method in ("PUT", "DELETE"):
        body = {"timers": [{**PERIOD, "id": ids[2]}]}
        assert (await api.call(method, PATH, body, key=owner_key)).status == 404


@pytest.mark.parametrize(
    "timer",
    [
        {}, {"type": "x"}, {"type": 1}, {**PERIOD, "period": "year"}, {**PERIOD, "time": 0},
        {**PERIOD, "time": 10**10}, {**PERIOD, "action": ""}, {**PERIOD, "action": "a" * 15},
        {**PERIOD, "action": "a;b"}, {**PERIOD, "action": "a=b"}, {**ONCE, "time_actions": []},
        {**ONCE, "time_actions": [{"time": "2015", "action": "a"}]},
        {**ONCE, "time_actions": [{"time": "20150231000000", "action": "a"}]},
        {**ONCE, "time_actions": [{"time": "00010101000000", "action": "a"}]},
        {**ONCE, "time_actions": [{"time": 5, "action": "a"}]}, {**ONCE, "time_actions": [1]},
        {**WEEKLY, "weekdays": []}, {**WEEKLY, "weekdays": [7]}, {**WEEKLY, "weekdays": [True]},
        {**WEEKLY, "weekdays": 1}, {**WEEKLY, "weekdays": [[]]},
        {**WEEKLY, "time_actions": [{"time": "250000", "action": "a"}]},
        {**WEEKLY, "time_actions": [{"time": "1 0000", "action": "a"}]},
    ],
)  # fmt: skip
async def test_no_timers(
    api: Api, cloud: LocalCloud, owner_key: str, timer: dict[str, Any]
) -> None:
    """Refused, and none of the others is added."""
    reply = await api.post(PATH, {"timers": [PERIOD, timer]}, key=owner_key)
    assert reply.status == 400, reply.text
    assert not cloud.store.timers


async def test_a_device_holds_ten_entries(
    api: Api, cloud: LocalCloud, owner_key: str
) -> None:
    """Three weekdays are three entries; what has fired is none."""
    cloud.store.context.clock = lambda: 1_436_320_000
    await api.ok("POST", PATH, {"timers": [WEEKLY] * 3}, key=owner_key)
    reply = await api.post(PATH, {"timers": [WEEKLY]}, key=owner_key)
    assert reply.status == 400
    assert reply.json["message"].startswith(
        "a device holds 10 timer entries, and this would be 12"
    )
    assert len(cloud.store.timers) == 3
    await api.ok("POST", PATH, {"timers": [ONCE]}, key=owner_key)
    assert (await api.post(PATH, {"timers": [PERIOD]}, key=owner_key)).status == 400
    body = {"timers": [{**WEEKLY, "id": 4}]}
    assert (await api.call("PUT", PATH, body, key=owner_key)).status == 400
    cloud.store.context.clock = lambda: 1_436_325_489
    await api.ok("POST", PATH, {"timers": [PERIOD]}, key=owner_key)
    await api.ok("PUT", PATH, {"timers": [{**PERIOD, "id": 1}]}, key=owner_key)


async def test_fired_timers_make_room(
    api: Api, cloud: LocalCloud, owner_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest goes; where none has fired, no more are taken."""
    for module in (quotas, timers_api):
        monkeypatch.setattr(module, "MAX_TIMERS", 3)
    for plan in (PERIOD, ONCE, ONCE, PERIOD, PERIOD):
        await api.ok("POST", PATH, {"timers": [plan]}, key=owner_key)
    assert list(cloud.store.timers) == [1, 4, 5]
    reply = await api.post(PATH, {"timers": [PERIOD]}, key=owner_key)
    assert (reply.status, reply.json["message"]) == (
        403,
        "a device has at most 3 timers: delete some",
    )


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_the_device_is_told_of_a_change(
    api: Api,
    cloud: LocalCloud,
    device: Device,
    lamp: DeviceSocket,
    owner_key: str,
    method: str,
) -> None:
    """With the method of the change and its body; it acknowledges, then fetches the list."""
    if method != "POST":
        cloud.store.add_timer(device, PERIOD)
    body = {"timers": [PERIOD if method == "POST" else {**PERIOD, "id": 1}]}
    path = f"{HUMAN}&deliver_to_device=true"
    override = "" if method == "POST" else f"&method={method}"
    call = asyncio.ensure_future(api.post(path + override, body, key=owner_key))
    push = await lamp.receive()
    assert (push["path"], push["method"], push["body"]) == (PATH, method, body)
    assert push["get"] == {"is_humanize_format": "true"}
    lamp.acknowledge(push)
    timers = (await call).json["timers"]
    assert len(timers) == (0 if method == "DELETE" else 1)


async def test_a_device_that_is_away_hears_of_it_later(
    api: Api, cloud: LocalCloud, owner_key: str
) -> None:
    """It fetches the list when it connects, so the change stands."""
    path = f"{PATH}?deliver_to_device=true"
    await api.ok("POST", path, {"timers": [PERIOD]}, key=owner_key)
    assert len(cloud.store.timers) == 1


async def test_an_upgraded_device_says_so(
    api: Api, socket: DeviceSocket, device: Device, master_key: str
) -> None:
    """Firmware looks for the words; the version is the device's from then on (§3.7)."""
    answer = await socket.ask(
        "/v1/messages/", "POST", key=master_key, get={"action": "device_upgrade_success"},
        body={"pre_rom_version": "v1", "rom_version": "v2"},
    )  # fmt: skip
    assert answer == {"message": "send message success", "status": 200}
    assert (await api.ok("GET", "/v1/device/", key=master_key))["device"][
        "rom_version"
    ] == "v2"
    answer = await socket.ask(
        "/v1/messages/", "POST", key=master_key, get={"action": "device_upgrade_failed"},
        body={"pre_rom_version": "v2", "rom_version": "v3"},
    )  # fmt: skip
    assert answer["message"] == "send message success"
    assert device.rom_version == "v2"
