"""What holds for every path (protocol.md §2.1)."""

import asyncio
import json
import re

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device

from .helpers import TOKEN, Api, DeviceSocket


@pytest.mark.parametrize(
    "path", ["/v1/ping/", "/v1/ping", "//v1/ping/", "//v1/ping", "/v1/ping//"]
)
async def test_slashes_around_a_path_do_not_matter(
    api: Api, socket: DeviceSocket, path: str
) -> None:
    """Apps and firmware differ in them."""
    assert (await api.get(path)).json["message"] == "ping success"
    assert (await socket.ask(path))["message"] == "ping success"


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v2/ping/", "/v1//ping/", "/v1/ping/x", "/v1/../v1/ping2"]
)
async def test_an_unknown_path_is_told_so(
    api: Api, socket: DeviceSocket, path: str
) -> None:
    """The words are the gateway's."""
    reply = await api.get(path)
    assert (reply.status, reply.text) == (
        404,
        '{"message": "what is that?", "status": 404}',
    )
    assert await socket.ask(path) == {"message": "what is that?", "status": 404}


async def test_a_method_that_a_path_does_not_have(
    api: Api, socket: DeviceSocket
) -> None:
    """405 is our reading."""
    assert (await api.get("/v1/user/join/")).status == 405
    assert (await api.call("PATCH", "/v1/ping/")).status == 405
    assert (await socket.ask("/v1/user/join/"))["status"] == 405


@pytest.mark.parametrize("word", ["token", "Token", "TOKEN"])
async def test_the_word_before_a_key_is_case_insensitive(
    api: Api, socket: DeviceSocket, master_key: str, word: str
) -> None:
    """Firmware and the 2014 app write it with a capital."""
    authorization = f"{word} {master_key}"
    reply = await api.get("/v1/device/", headers={"Authorization": authorization})
    assert reply.status == 200
    answer = await socket.ask("/v1/device/", meta={"Authorization": authorization})
    assert answer["status"] == 200


@pytest.mark.parametrize(
    "authorization", ["", "token", "Basic eDp5", "token a b", "tokena"]
)
async def test_an_authorization_that_is_none(api: Api, authorization: str) -> None:
    """It counts as missing."""
    for path in ("/v1/device/", "/v1/user/devices/"):
        reply = await api.get(path, headers={"Authorization": authorization})
        assert reply.status == 401
        assert reply.text == '{"message": "authorization required", "status": 401}'


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "text/html", "application/json", "x/y"],
)
async def test_a_body_is_json_whatever_its_content_type(
    api: Api, device: Device, content_type: str
) -> None:
    """`curl -d` sends the form type."""
    reply = await api.post(
        "/v1/user/find/",
        {"email": "someone@example.org"},
        headers={"Content-Type": content_type},
    )
    assert reply.status == 200
    assert reply.content_type == "application/json"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"1",
        b'"x"',
        b"null",
        b"a=b",
        b"\xff",
        b'{"a": NaN}',
        b"[" * 10_000,
    ],
)
async def test_a_body_that_is_no_json_object(api: Api, body: bytes) -> None:
    """It is refused, and the connection goes on."""
    reply = await api.post("/v1/user/find/", body)
    assert (reply.status, reply.json["status"]) == (400, 400)
    assert (await api.get("/v1/ping/")).status == 200


async def test_a_body_over_the_limit(api: Api, user_key: str) -> None:
    """One MiB is enough for anybody."""
    path = "/v1/user/find/"
    assert (await api.post(path, b" " * (1 << 20), key=user_key)).status == 400
    reply = await api.post(path, b" " * ((1 << 20) + 1), key=user_key)
    assert (reply.status, reply.json["status"]) == (413, 413)


async def test_a_body_that_waits_to_be_asked_for(
    cloud: LocalCloud, user: object
) -> None:
    """Older curl sends `Expect: 100-continue` and waits a second for the answer."""
    host, port = cloud.http_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    body = b'{"email": "someone@example.org"}'
    writer.write(
        b"POST /v1/user/find/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    )
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(body)
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()
    await writer.wait_closed()


async def test_put_and_delete_may_be_a_post(
    api: Api, socket: DeviceSocket, owner_key: str
) -> None:
    """Android sends them so."""
    body = {"device": {"name": "renamed"}}
    await api.ok("POST", "/v1/device/?method=PUT", body, key=owner_key)
    assert (await api.ok("GET", "/v1/device/", key=owner_key))["device"][
        "name"
    ] == "renamed"
    body = {"device": {"name": "again"}}
    answer = await socket.ask(
        "/v1/device/", "POST", key=owner_key, get={"method": "put"}, body=body
    )
    assert answer["device"]["name"] == "again"
    await api.ok("PUT", "/v1/device/", {"device": {"name": "plainly"}}, key=owner_key)
    await api.ok("POST", "/v1/key/?method=DELETE", key=owner_key)
    assert (await api.get("/v1/device/", key=owner_key)).status == 500


async def test_the_override_is_for_put_and_delete_on_post_alone(
    api: Api, owner_key: str
) -> None:
    """A GET stays one, and nothing else is a method."""
    await api.ok("GET", "/v1/device/?method=DELETE", key=owner_key)
    assert (await api.post("/v1/device/?method=GET", key=owner_key)).status == 405


async def test_times_are_shanghai_text_by_default(
    api: Api, cloud: LocalCloud, owner_key: str
) -> None:
    """And the time that was never set is Go's."""
    cloud.store.context.clock = lambda: 1_574_751_416
    device = (
        await api.ok(
            "POST",
            "/v1/device/activate/",
            {},
            key=cloud.master_key(cloud.store.devices[1]),
        )
    )["device"]
    assert device["activated_at"] == "2019-11-26 14:56:56"
    assert device["last_push"] == "0001-01-01 08:05:57"


async def test_times_as_the_client_wants_them(
    api: Api, socket: DeviceSocket, cloud: LocalCloud, device: Device, master_key: str
) -> None:
    """Epoch seconds, or text in the zone; an unknown zone is as good as none."""
    device.last_active = 1_574_751_416
    for zone, active, never in (
        ("Epoch", 1_574_751_416, -62_135_596_800),
        ("epoch", 1_574_751_416, -62_135_596_800),
        ("Europe/Berlin", "2019-11-26 07:56:56", "0001-01-01 00:00:00"),
        ("Mars/Olympus", "2019-11-26 14:56:56", "0001-01-01 08:05:57"),
        ("../../etc/passwd", "2019-11-26 14:56:56", "0001-01-01 08:05:57"),
        ("America", "2019-11-26 14:56:56", "0001-01-01 08:05:57"),
        ("x" * 100, "2019-11-26 14:56:56", "0001-01-01 08:05:57"),
    ):
        reply = await api.ok(
            "GET", "/v1/device/", key=master_key, headers={"Time-Zone": zone}
        )
        assert (reply["device"]["last_active"], reply["device"]["last_push"]) == (
            active,
            never,
        )
    cloud.store.context.clock = lambda: 1_574_751_416
    meta = {"Authorization": f"token {master_key}", "Time-Zone": "Epoch"}
    answer = await socket.ask("/v1/device/", meta=meta)
    assert answer["device"]["last_active"] == 1_574_751_416


async def test_percent_escapes_in_a_query(
    api: Api, lamp: DeviceSocket, owner_key: str
) -> None:
    """Android escapes `+` and `:`; firmware versions have raw parentheses."""
    call = asyncio.ensure_future(
        api.get(
            "/v1/device/rpc/?action=a%2Bb%3Ac&v=v1.0.5t23701(a)&%E7%81%AF=%E4%BA%AE&empty=",
            key=owner_key,
        )
    )
    push = await lamp.receive()
    assert push["get"] == {
        "action": "a+b:c",
        "v": "v1.0.5t23701(a)",
        "灯": "亮",
        "empty": "",
    }
    lamp.acknowledge(push)
    assert (await call).status == 200


async def test_replies_have_one_space_after_commas_and_colons_and_sorted_members(
    api: Api, cloud: LocalCloud
) -> None:
    """The later generation's form, byte for byte."""
    cloud.store.context.clock = lambda: 1_574_751_416
    assert (await api.get("/v1/ping/")).text == (
        '{"datetime": "2019-11-26 14:56:56", "epoch": 1574751416, '
        '"message": "ping success", "status": 200}'
    )


async def test_records_have_the_documented_order(
    api: Api, cloud: LocalCloud, user_key: str, master_key: str
) -> None:
    """DEVICE, KEY and token record as §2.4 to §2.6 list their fields."""
    body = {"encrypt_method": "PLAIN", "bssid": "b", "token": TOKEN}
    reply = await api.ok("POST", "/v1/device/activate/", body, key=master_key)
    assert list(reply) == ["device", "key", "status", "token"]
    assert " ".join(reply["device"]) == (
        "id created updated visibly ptype product_id productbatch_id name description serial bssid "
        "is_private is_frozen status metadata key_id location last_push last_pull last_active "
        "last_activated_at activate_status activated_at rom_version latest_rom_version"
    )
    assert " ".join(reply["key"]) == (
        "id created updated visibly authorized_user_id name scope user_id product_id device_id "
        "datastream_tmpl_id datastream_id access_methods source_ip token level is_master_key "
        "is_owner_key activate_status expired_at"
    )
    assert " ".join(reply["token"]) == (
        "id created updated visibly name scope user_id product_id device_id datastream_tmpl_id "
        "datastream_id access_methods source_ip token is_owner_key activate_status expired_at "
        "generated_at token_expired_at delete_after_used revoke_prekeys_if_ownerkey"
    )
    assert re.fullmatch("[0-9a-f]{8}", reply["device"]["serial"])
    assert re.fullmatch("[0-9a-f]{40}", reply["key"]["token"])


async def test_a_key_lives_36500_days(
    api: Api, master_key: str, cloud: LocalCloud
) -> None:
    """And not a second longer."""
    headers = {"Time-Zone": "Epoch"}
    reply = await api.ok(
        "POST", "/v1/device/activate/", {}, key=master_key, headers=headers
    )
    key = reply["key"]
    assert key["expired_at"] == key["created"] + 36_500 * 86_400
    cloud.store.context.clock = lambda: key["expired_at"] - 1
    await api.ok("GET", "/v1/device/", key=master_key)
    cloud.store.context.clock = lambda: key["expired_at"]
    assert (await api.get("/v1/device/", key=master_key)).status == 500


async def test_quotes_in_texts_are_escaped(api: Api, owner_key: str) -> None:
    """As the cloud does, and its apps undo."""
    await api.ok("PUT", "/v1/device/", {"device": {"name": 'a "b" 灯'}}, key=owner_key)
    reply = await api.get("/v1/device/", key=owner_key)
    assert '"name": "a &quot;b&quot; 灯"' in reply.text


async def test_every_path_works_over_http_and_tcp(
    api: Api, socket: DeviceSocket, owner_key: str, user_key: str
) -> None:
    """HTTP and TCP are two ways to one router."""
    for path, key in (
        ("/v1/device/", owner_key),
        ("/v1/device/timers/", owner_key),
        ("/v1/device/rom/", owner_key),
        ("/v1/datastreams/light/datapoints/", owner_key),
        ("/v1/user/devices/", user_key),
        ("/v1/user/devices/groups/", user_key),
        ("/v1/products/", user_key),
    ):
        over_http = await api.get(path, key=key)
        socket.send({"path": path, "meta": {"Authorization": f"token {key}"}})
        assert (await socket.line()).decode().rstrip() == over_http.text


async def test_a_lone_surrogate_costs_nothing(api: Api, owner_key: str) -> None:
    """JSON can spell what UTF-8 cannot."""
    await api.ok(
        "PUT", "/v1/device/", b'{"device": {"name": "a\\ud800"}}', key=owner_key
    )
    assert (
        json.loads((await api.get("/v1/device/", key=owner_key)).text)["device"]["name"]
        == "a?"
    )
