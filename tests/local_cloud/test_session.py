"""The device server: framing, identify, ping, quit (protocol.md §3.1 to §3.3)."""

import asyncio
import json
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.frames import LineBuffer, LineTooLongError
from custom_components.espcloud.local_cloud.models import Device

from .helpers import BSSID, TOKEN, DeviceSocket, until

GOODBYE = b'{"message": "byebye, close by other peer login with same master key", "status": 200}\n'
PING = b'{"path": "/v1/ping/"}'


async def test_activate_then_identify(
    socket: DeviceSocket, cloud: LocalCloud, device: Device
) -> None:
    """The session of a new device, as firmware writes it."""
    meta = {"Authorization": f"token {cloud.master_key(device)}"}
    answer = await socket.ask("/v1/device/identify", meta=meta, nonce=65)
    assert (list(answer), answer["nonce"]) == (["device", "nonce", "status"], 65)
    assert answer["device"]["activate_status"] == 0
    assert cloud.is_online(device)
    socket.send(
        {"nonce": 66, "path": "/v1/device/activate/", "method": "POST",
         "body": {"encrypt_method": "PLAIN", "token": TOKEN, "bssid": BSSID, "rom_version": "v1"},
         "meta": meta}
    )  # fmt: skip
    answer = await socket.receive()
    assert list(answer) == ["device", "key", "nonce", "status", "token"]
    assert answer["nonce"] == 66
    assert answer["device"]["rom_version"] == "v1"
    answer = await socket.ask("/v1/device/identify", meta=meta, nonce=67)
    assert answer["device"]["activate_status"] == 1


@pytest.mark.parametrize("path", ["/v1/device/identify", "/v1/device/identify/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("nonce", [{"nonce": 67}, {}])
async def test_identify_in_all_its_forms(
    socket: DeviceSocket, cloud: LocalCloud, device: Device, master_key: str,
    path: str, method: str, nonce: dict[str, int],
) -> None:  # fmt: skip
    """C firmware, Lua and Python differ; the nonce comes back only where there was one."""
    answer = await socket.ask(path, method, key=master_key, **nonce)
    assert answer["status"] == 200
    assert {name: answer[name] for name in answer if name == "nonce"} == nonce
    assert answer["device"]["id"] == device.id
    await cloud.wait_online(device)


async def test_identify_with_a_bad_key(
    socket: DeviceSocket, cloud: LocalCloud, device: Device
) -> None:
    """Refused; the connection stays, and can still do better."""
    answer = await socket.ask("/v1/device/identify", key="0" * 40, nonce=67)
    assert answer == {"message": "key not exists", "nonce": 67, "status": 500}
    answer = await socket.ask("/v1/device/identify", nonce=67)
    assert answer["status"] == 401
    key = cloud.master_key(device)
    cloud.revoke_key(key)
    assert (await socket.ask("/v1/device/identify", key=key))["status"] == 500
    with pytest.raises(LookupError):
        cloud.master_key(device)
    with pytest.raises(LookupError):
        cloud.revoke_key(key)
    await socket.ask("/v1/device/identify", key=cloud.regenerate_master_key(device))
    assert cloud.is_online(device)


async def test_identify_and_quit_are_for_the_device_port(
    api: Any, master_key: str
) -> None:
    """An HTTP request is nobody's session."""
    for path in ("/v1/device/identify/", "/v1/device/quit/"):
        for key in (master_key, None):
            reply = await api.get(path, key=key)
            assert (reply.status, reply.json["message"]) == (404, "what is that?")


async def test_the_younger_of_two_connections_stays(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket
) -> None:
    """The older one is told why, and ends."""
    async with DeviceSocket(cloud) as younger:
        await younger.identify(device)
        assert await lamp.ended() == GOODBYE
        assert cloud.is_online(device)
        assert cloud.connection_count(device) == 2
        assert (await younger.ask("/v1/ping/"))["status"] == 200
    await cloud.wait_offline(device)


async def test_identifying_again(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket
) -> None:
    """On the same connection it changes nothing; as another device it changes sides."""
    await lamp.identify(device)
    assert cloud.connection_count(device) == 1
    other = cloud.add_device("other")
    await lamp.identify(other)
    assert cloud.is_online(other)
    assert not cloud.is_online(device)
    lamp.writer.close()
    await cloud.wait_offline(other)


@pytest.mark.parametrize(
    "frame",
    [
        {"path": "/v1/ping/", "method": "POST", "meta": {"Authorization": "token K"}},
        {"path": "/v1/ping/"},
        {"path": "/v1/ping"},
        {
            "path": "/v1/ping",
            "meta": None,
            "get": None,
            "body": None,
            "post": {},
            "router": "x",
        },
    ],
)
async def test_ping_in_all_its_forms(
    socket: DeviceSocket, cloud: LocalCloud, frame: dict[str, Any]
) -> None:
    """With and without key, slash, method and nonce."""
    cloud.store.context.clock = lambda: 1_436_324_774
    pong = {"datetime": "2015-07-08 11:06:14", "epoch": 1436324774, "message": "ping success", "status": 200}  # fmt: skip
    socket.send(frame)
    assert await socket.line() == json.dumps(pong).encode() + b"\n"
    socket.send({**frame, "nonce": 3})
    assert list(await socket.receive()) == [
        "datetime",
        "epoch",
        "message",
        "nonce",
        "status",
    ]


async def test_quit(cloud: LocalCloud, device: Device, lamp: DeviceSocket) -> None:
    """The session ends without a reply, and nothing after it is answered."""
    lamp.send(b'{"path": "/v1/device/quit/"}\n' + PING + b"\n")
    assert await lamp.ended() == b""
    assert not cloud.is_online(device)


@pytest.mark.parametrize(
    ("data", "answers"),
    [
        (b"\x06", 0),
        (PING + b"\n\x06", 1),
        (PING + b"\n" + PING + b"\x06", 1),
        (b"\n\n\r\n\x06", 0),
    ],
)
async def test_the_quit_byte(socket: DeviceSocket, data: bytes, answers: int) -> None:
    """What came whole before it is answered."""
    socket.send(data)
    assert (await socket.ended()).count(b"ping success") == answers


async def test_every_frame_makes_a_device_active(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket
) -> None:
    """Apps take a device for on-line for 60 seconds after the last (§5)."""
    for now, frame in (
        (1000, {"path": "/v1/ping/"}),
        (2000, {"path": "/unknown"}),
        (3000, {"nonce": 5, "status": 200}),
    ):
        cloud.store.context.clock = lambda now=now: now
        lamp.send(frame)
        if "path" in frame:
            await lamp.receive()
        await until(lambda now=now: device.last_active == now)


async def test_a_sensor_is_active_without_identifying(
    cloud: LocalCloud,
    device: Device,
    socket: DeviceSocket,
    master_key: str,
    owner_key: str,
) -> None:
    """It connects, posts and goes (§3.8); an app that does the same is no device."""
    cloud.store.context.clock = lambda: 1000
    body = {"datapoint": {"x": 25.31, "y": 48.02}}
    path = "/v1/datastreams/tem_hum/datapoint/"
    assert (await socket.ask(path, "POST", key=owner_key, body=body))["status"] == 200
    assert device.last_active != 1000
    answer = await socket.ask(path, "POST", key=master_key, nonce=0, body=body)
    assert (answer["status"], answer["nonce"]) == (200, 0)
    assert device.last_active == 1000
    assert not cloud.is_online(device)


# Framing


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
async def test_frames_in_any_cut(socket: DeviceSocket, size: int) -> None:
    """One byte at a time, several frames at once, a character in the middle."""
    data = b"".join(
        json.dumps(
            {"path": "/v1/ping/", "nonce": number, "body": {"灯": "亮"}},
            ensure_ascii=False,
        ).encode()
        + (b"\n", b"\r\n", b"\n\n", b"\n\r\n \n")[number % 4]
        for number in range(8)
    )
    for start in range(0, len(data), size):
        socket.send(data[start : start + size])
        await asyncio.sleep(0)
    assert [(await socket.receive())["nonce"] for _ in range(8)] == list(range(8))


MALFORMED = b'{"message": "malformed frame", "status": 400}\n'


@pytest.mark.parametrize(
    "line",
    [b"{", b"[]", b"[1]", b"1", b"null", b'"x"', b"true", b"x", b"\xff\xfe", b"\x00", b'{"a" 1}',
     b'{"a": NaN}', b'{"a": 1e999}', b'{"a": Infinity}', b'{"nonce": ' + b"9" * 5000 + b"}",
     b"[" * 50_000, b'{"a":' * 33 + b"1" + b"}" * 33, b"GET / HTTP/1.1", b"\x16\x03\x01\x02"],
)  # fmt: skip
async def test_a_malformed_frame_costs_itself(lamp: DeviceSocket, line: bytes) -> None:
    """It is answered 400, and the next one as if nothing had been."""
    lamp.send(line + b"\n" + PING + b"\n")
    assert await lamp.line() == MALFORMED
    assert b"ping success" in await lamp.line()


async def test_nesting_has_a_limit(socket: DeviceSocket) -> None:
    """And many brackets side by side are no nesting."""
    for deep in (
        b'{"a":' * 31 + b"1" + b"}" * 31,
        b"[" * 30 + b"]" * 30,
        b"[" + b"[]," * 500 + b"[]]",
    ):
        socket.send(b'{"path": "/v1/ping/", "body": {"a": ' + deep[:0] + b"1}}\n")
        assert (await socket.receive())["status"] == 200
        socket.send(b'{"path": "/v1/ping/", "x": ' + deep + b"}\n")
        assert (await socket.receive())["status"] == 200


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("path", 1), ("path", []), ("path", {}), ("path", True), ("method", 1), ("method", {}),
        ("meta", "x"), ("meta", []), ("meta", {"Authorization": 1}), ("meta", {"Time-Zone": []}),
        ("get", "x"), ("get", [1]), ("get", {"a": []}), ("get", {"a": None}), ("get", {"a": {}}),
        ("body", "x"), ("body", [1]), ("body", 1), ("post", "x"),
        ("nonce", "1"), ("nonce", 1.5), ("nonce", True), ("nonce", []), ("nonce", {}), ("nonce", 2**63),
    ],
)  # fmt: skip
async def test_wrong_types_in_a_frame(
    socket: DeviceSocket, member: str, value: object
) -> None:
    """400 with what is wrong; never a nonce that is none."""
    answer = await socket.ask(**{"path": "/v1/ping/", "body": {}, member: value})
    assert answer["status"] == 400
    assert "nonce" not in answer
    assert answer["message"].split(" must be ")[0] in {"path", "method", "meta", "Authorization",
        "Time-Zone", "get", "a", "body", "post", "nonce"}  # fmt: skip
    assert (await socket.ask("/v1/ping/"))["status"] == 200


@pytest.mark.parametrize(
    "frame",
    [{}, {"status": 200}, {"method": "GET"}, {"path": None, "nonce": 1}, {"path": ""}],
)
async def test_a_frame_without_a_path(
    socket: DeviceSocket, frame: dict[str, Any]
) -> None:
    """It asks for nothing that there is."""
    socket.send(frame)
    assert (await socket.receive())["status"] == 404


async def test_values_of_get_need_not_be_texts(
    socket: DeviceSocket, master_key: str
) -> None:
    """JSON has other types than a query."""
    answer = await socket.ask(
        "/v1/datastreams/s/datapoints/",
        key=master_key,
        get={"row_count": 5, "a": True, "b": 1.5},
    )
    assert answer["datapoints"] == []
    answer = await socket.ask("/v1/device/rpc/", key=master_key, get={"deliver_to_device": True, "action": "a"})  # fmt: skip
    assert answer["message"] == "remote peer is disconnected"


async def test_post_stands_in_for_body(socket: DeviceSocket, master_key: str) -> None:
    """Firmware has both slots, and leaves one empty."""
    answer = await socket.ask(
        "/v1/datastreams/s/datapoint/",
        "POST",
        key=master_key,
        body={},
        post={"datapoint": {"x": 1}},
    )
    assert answer["datapoint"]["x"] == 1


def test_a_line_of_exactly_the_limit() -> None:
    """One byte more is too long, with and without its newline; and it shows at once."""
    lines = LineBuffer(5)
    lines.feed(b"12345\n123")
    assert lines.next_line() == b"12345"
    assert lines.next_line() is None
    lines.feed(b"45")
    assert lines.next_line() is None
    lines.feed(b"6")
    with pytest.raises(LineTooLongError):
        lines.next_line()
    lines.clear()
    lines.feed(b"123456\n")
    with pytest.raises(LineTooLongError):
        lines.next_line()
