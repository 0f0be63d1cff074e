"""Datapoints, stored and delivered (protocol.md §2.7)."""

import asyncio
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device
from custom_components.espcloud.local_cloud.retention import Retention
from custom_components.espcloud.local_cloud.streams import MAX_STREAMS

from .helpers import Api, DeviceSocket

PATH = "/v1/datastreams/tem_hum"


async def test_latest(
    api: Api, cloud: LocalCloud, master_key: str, owner_key: str
) -> None:
    """What the sensor posted is what the app reads, field for field."""
    cloud.store.context.clock = lambda: 1_574_751_416
    assert (await api.get(f"{PATH}/datapoint/", key=owner_key)).status == 404
    body = {"datapoint": {"y": 48.02, "x": -25.31, "other": 1}}
    stored = await api.post(f"{PATH}/datapoint/", body, key=master_key)
    assert stored.text == (
        '{"datapoint": {"updated": "2019-11-26 14:56:56", "created": "2019-11-26 14:56:56", '
        '"visibly": 1, "datastream_id": 1, "at": "2019-11-26 14:56:56", "x": -25.31, "y": 48.02, '
        '"id": 1}, "status": 200}'
    )
    assert (await api.get(f"{PATH}/datapoint/", key=owner_key)).text == stored.text
    device = (await api.ok("GET", "/v1/device/", key=owner_key))["device"]
    assert device["last_push"] == device["last_pull"] == "2019-11-26 14:56:56"


async def test_history(api: Api, master_key: str) -> None:
    """Newest first, by offset, row_count, start and end in any notation."""
    points = [{"x": hour, "at": f"2019-11-26 {hour:02}:00:00"} for hour in range(10)]
    await api.ok("POST", f"{PATH}/datapoints/", {"datapoints": points}, key=master_key)

    async def xs(query: str, zone: str = "Asia/Shanghai") -> list[int]:
        reply = await api.ok(
            "GET",
            f"{PATH}/datapoints/{query}",
            key=master_key,
            headers={"Time-Zone": zone},
        )
        return [point["x"] for point in reply["datapoints"]]

    assert await xs("") == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert await xs("?offset=2&row_count=3") == [7, 6, 5]
    assert await xs("?row_count=0") == []
    assert await xs("?offset=99") == []
    assert await xs("?start=2019-11-26%2008:00:00") == [9, 8]
    assert await xs("?start=2019-11-26+08:00:00") == [9, 8]
    assert await xs("?end=2019-11-26T00:00:00%2B08:00") == [0]
    assert await xs("?end=2019-11-25T17:00:00Z") == [1, 0]
    assert await xs(
        "?start=2019-11-25%2023:00:00&end=2019-11-26%2001:00:00", "UTC"
    ) == [9, 8, 7]
    assert await xs("?start=1574719200&end=1574719200") == [6]
    for query in ("?offset=-1", "?row_count=x", "?row_count=1.5", "?start=yesterday",
                  "?end=0001-01-01", "?end=99999999999999", "?offset=%EF%BC%91", "?row_count=9999999999"):  # fmt: skip
        assert (
            await api.get(f"{PATH}/datapoints/{query}", key=master_key)
        ).status == 400


async def test_history_has_an_end(
    api: Api, cloud: LocalCloud, device: Device, master_key: str
) -> None:
    """At most 1000 rows a request, and only so many are kept."""
    kept = Retention().points
    for number in range(kept + 5):
        cloud.store.streams.add(device, "tem_hum", {"x": number}, 0)
    await cloud.flush()
    reply = await api.ok("GET", f"{PATH}/datapoints/?row_count=5000", key=master_key)
    assert len(reply["datapoints"]) == 1000
    assert reply["datapoints"][0]["x"] == kept + 4
    reply = await api.ok("GET", f"{PATH}/datapoints/?offset={kept - 1}", key=master_key)
    assert [point["x"] for point in reply["datapoints"]] == [5]


async def test_a_device_has_so_many_datastreams(api: Api, master_key: str) -> None:
    """Names are made up by whoever posts."""
    for number in range(MAX_STREAMS):
        body = {"datapoint": {"x": 1}}
        await api.ok(
            "POST", f"/v1/datastreams/s{number}/datapoint/", body, key=master_key
        )
    reply = await api.post("/v1/datastreams/more/datapoint/", body, key=master_key)
    assert (reply.status, reply.json["message"]) == (
        403,
        "no more than 100 datastreams",
    )
    await api.ok("POST", "/v1/datastreams/s7/datapoint/", body, key=master_key)


@pytest.mark.parametrize("name", ["a", "plug-status", "A.b:c_d%2Be", "x" * 64])
async def test_names(
    api: Api, socket: DeviceSocket, master_key: str, name: str
) -> None:
    """All that the cloud's own pattern allows."""
    body = {"datapoint": {"x": 1}}
    await api.ok("POST", f"/v1/datastreams/{name}/datapoint", body, key=master_key)
    path = f"/v1/datastreams/{name.replace('%2B', '+')}/datapoint"
    assert (await socket.ask(path, key=master_key))["datapoint"]["x"] == 1


@pytest.mark.parametrize(
    "name", ["", "a%20b", "a%2Fb", "%00", "..", "x" * 65, "%E7%81%AF", "*"]
)
async def test_no_names(api: Api, master_key: str, name: str) -> None:
    """What the pattern does not allow is no path; dots it allows, and they mean nothing."""
    reply = await api.get(f"/v1/datastreams/{name}/datapoints/", key=master_key)
    assert reply.status == (200 if name == ".." else 404)


@pytest.mark.parametrize(
    "point",
    [
        {"x": 0}, {"x": -1.5}, {"x": "on"}, {"x": 10**20}, {"x": 1, "at": 1574751416},
        {"x": 1, "y": 1000, "z": {"red": 255, "green": 0, "blue": 0}},
        {"x": 1, "y": 2, "z": 3, "k": 4, "l": 5},
    ],
)  # fmt: skip
async def test_values(api: Api, master_key: str, point: dict[str, Any]) -> None:
    """Numbers, texts, and colors as newer lights have them."""
    reply = await api.ok(
        "POST", f"{PATH}/datapoint/", {"datapoint": point}, key=master_key
    )
    values = {
        name: value for name, value in reply["datapoint"].items() if name in "xyzkl"
    }
    assert values == {name: value for name, value in point.items() if name != "at"}


@pytest.mark.parametrize(
    "point",
    [
        {}, {"y": 1}, {"x": None}, {"x": True}, {"x": [1]}, {"x": {"red": [1]}}, {"x": "x" * 65},
        {"x": {"c" * 65: 1}}, {"x": {str(number): 1 for number in range(9)}}, {"x": 1, "l": {"a": {}}},
        {"x": 1, "at": "soon"}, {"x": 1, "at": -1}, {"x": 1, "at": True}, {"x": 1, "at": 10**18},
        {"x": 10**400}, {"x": 1, "at": {}},
    ],
)  # fmt: skip
@pytest.mark.parametrize("query", ["", "?deliver_to_device=true"])
async def test_no_values(
    api: Api,
    cloud: LocalCloud,
    lamp: DeviceSocket,
    master_key: str,
    point: dict[str, Any],
    query: str,
) -> None:
    """They are neither stored nor delivered; nor is the rest of a list with one of them."""
    reply = await api.post(
        f"{PATH}/datapoint/{query}", {"datapoint": point}, key=master_key
    )
    assert reply.status == 400, reply.text
    body = {"datapoints": [{"x": 1}, point]}
    assert (await api.post(f"{PATH}/datapoints/", body, key=master_key)).status == 400
    assert not cloud.store.streams.streams
    assert (await lamp.ask("/v1/ping/"))["status"] == 200


async def test_many_at_once(api: Api, master_key: str) -> None:
    """The voltage sensor posts twenty; more than a thousand are refused."""
    body = {"datapoints": [{"x": index, "y": 512} for index in range(20)]}
    reply = await api.ok(
        "POST", "/v1/datastreams/supply-voltage/datapoints/", body, key=master_key
    )
    assert [point["x"] for point in reply["datapoints"]] == list(range(20))
    body = {"datapoints": [{"x": 1}] * 1001}
    assert (await api.post(f"{PATH}/datapoints/", body, key=master_key)).status == 400


async def test_the_live_device_is_asked(
    api: Api, lamp: DeviceSocket, owner_key: str
) -> None:
    """With deliver_to_device the answer is the device's own frame."""
    path = "/v1/datastreams/plug-status/datapoint?deliver_to_device=true"
    call = asyncio.ensure_future(api.get(path, key=owner_key))
    push = await lamp.receive()
    assert (push["method"], push["path"]) == (
        "GET",
        "/v1/datastreams/plug-status/datapoint/",
    )
    assert "body" not in push
    lamp.acknowledge(push, datapoint={"x": 1})
    assert (await call).json == {
        "datapoint": {"x": 1}, "deliver_to_device": True, "nonce": push["nonce"], "status": 200,
    }  # fmt: skip


async def test_the_live_device_is_commanded(
    api: Api, cloud: LocalCloud, lamp: DeviceSocket, owner_key: str
) -> None:
    """A delivered point is not stored: a device that wants that posts it itself."""
    path = "/v1/datastreams/plug-status/datapoint/?deliver_to_device=true"
    call = asyncio.ensure_future(api.post(path, {"datapoint": {"x": 1}}, key=owner_key))
    push = await lamp.receive()
    assert (push["method"], push["body"]["datapoint"]["x"]) == ("POST", 1)
    lamp.acknowledge(push, datapoint={"x": 1})
    assert (await call).json["datapoint"] == {"x": 1}
    assert not cloud.store.streams.streams


async def test_deliver_to_device_false(
    api: Api, cloud: LocalCloud, owner_key: str
) -> None:
    """It means what it says."""
    path = f"{PATH}/datapoint/?deliver_to_device=false"
    await api.ok("POST", path, {"datapoint": {"x": 1}}, key=owner_key)
