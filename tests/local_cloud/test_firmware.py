"""Safe for Espressif's firmware: protocol.md §3.9, point by point."""

import asyncio
from collections.abc import AsyncGenerator
import json
import re
import socket as sockets
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device
from tests.firmware import parser as firmware

from .helpers import BSSID, TOKEN, Api, DeviceSocket, add_firmware, until
from .test_access import PATHS

RPC = "/v1/device/rpc/?deliver_to_device=true&action="
LIGHT = "/v1/datastreams/light/datapoint?deliver_to_device=true"
VERSION = "v1.0.6t45772(a)"
PLUG = "/v1/datastreams/plug-status/datapoint?deliver_to_device=true"


async def _push(
    api: Api, lamp: DeviceSocket, path: str, key: str, body: Any = None
) -> bytes:
    """Make a call and return the line that reached the device."""
    method = "GET" if body is None else "POST"
    call = asyncio.ensure_future(api.call(method, path, body, key=key))
    line = await lamp.line()
    lamp.acknowledge(json.loads(line))
    assert (await call).status == 200
    return line


async def _activate(cloud: LocalCloud, lamp: DeviceSocket, device: Device) -> bytes:
    lamp.send(
        {"nonce": 66, "path": "/v1/device/activate/", "method": "POST",
         "body": {"encrypt_method": "PLAIN", "token": TOKEN, "bssid": BSSID,
                  "rom_version": "v1.0.5t23701(a)"},
         "meta": {"Authorization": f"token {cloud.master_key(device)}"}}
    )  # fmt: skip
    return await lamp.line()


async def test_1_spacing(
    api: Api, cloud: LocalCloud, device: Device, lamp: DeviceSocket, owner_key: str
) -> None:
    """One space after each colon and comma, in replies and in pushes."""
    lines = [
        await _activate(cloud, lamp, device),
        await _push(api, lamp, f"{RPC}LED_ON", owner_key),
        await _push(api, lamp, PLUG, owner_key, {"datapoint": {"x": 1}}),
    ]
    for frame in ({"path": "/v1/ping/"}, {"path": "/x"}, {"path": 1}):
        lamp.send(frame)
        lines.append(await lamp.line())
    for line in lines:
        assert json.dumps(json.loads(line)).encode() == line.strip()
    assert b'"nonce": 66, ' in lines[0]
    assert b'"activate_status": 1' in lines[0]
    assert b'"method": "GET"' in lines[1]
    assert b'{"datapoint": {"x": 1' in lines[2]


async def test_2_match_order(
    api: Api,
    cloud: LocalCloud,
    device: Device,
    lamp: DeviceSocket,
    owner_key: str,
    master_key: str,
) -> None:
    """Each frame is taken for what it is."""
    match = firmware.first_match
    assert match(await _activate(cloud, lamp, device), 66) == "activated"
    lamp.send({"path": "/v1/ping/", "method": "POST"})
    assert match(await lamp.line()) == "pong"
    assert match(await _push(api, lamp, f"{RPC}LED_ON", owner_key)) == "push"
    assert match(await _push(api, lamp, f"{RPC}sys_reboot", owner_key)) == "reboot"
    add_firmware(cloud, VERSION)
    call = f"{RPC}sys_upgrade&version={VERSION}"
    assert match(await _push(api, lamp, call, owner_key)) == "upgrade"
    timer = {"type": "LOOP_PERIOD", "period": "day", "time": 1, "action": "a"}
    path = "/v1/device/timers/?deliver_to_device=true"
    assert (
        match(await _push(api, lamp, path, owner_key, {"timers": [timer]}))
        == "fetch timers"
    )
    meta = {"Authorization": f"token {master_key}"}
    lamp.send({"path": "/v1/device/timers/", "meta": meta, "get": {"is_humanize_format_simple": "true"}})  # fmt: skip
    assert match(await lamp.line()) == "timers"
    lamp.send({"path": "/v1/messages/", "method": "POST", "meta": meta})
    assert match(await lamp.line()) == "message sent"
    lamp.send(b"malformed\n")
    assert match(await lamp.line()) == "dropped"


@pytest.mark.parametrize(
    "text",
    ["Egg timers", "/v1/device/timers/", "ping success", "send message success",
     "\timers"],
)  # fmt: skip
async def test_2_a_name_is_no_word_of_the_firmwares(
    api: Api,
    cloud: LocalCloud,
    device: Device,
    lamp: DeviceSocket,
    owner_key: str,
    text: str,
) -> None:
    """It is the same name to whoever reads JSON (protocol.md §10.2, 7)."""
    texts = {"name": text, "metadata": text}
    await api.ok("PUT", "/v1/device/", {"device": texts}, key=owner_key)
    key = {"Authorization": f"token {cloud.master_key(device)}"}
    lamp.send({"nonce": 67, "path": "/v1/device/identify", "meta": key})
    for line in (await lamp.line(), await _activate(cloud, lamp, device)):
        # After `device` alone firmware asks for its timers, as it should after identify.
        assert not [word for word in firmware.TEXTS if word in line]
        assert json.loads(line)["device"].items() >= texts.items()


async def test_3_no_error_sends_the_firmware_anywhere(
    cloud: LocalCloud, socket: DeviceSocket, master_key: str, owner_key: str
) -> None:
    """Whatever is refused, on whatever path: the texts hold none of the words.

    Over HTTP the texts are the cloud's own ("devicekey not exists").
    """
    user = await cloud.add_account("u@example.org", "p")
    user_key = cloud.store.keyring.add_user_key(user).token
    refused = 0
    wrong = {"device": 1, "timers": 1, "datapoint": 1, "deviceGroups": 1, "token": 1, "scope": 1, "devices": 1}  # fmt: skip
    for method, path, _, _ in [
        *PATHS,
        ("GET", "/v1/device/identify", None, None),
        ("GET", "/x", None, None),
    ]:
        path, _, query = path.partition("?")
        get = dict(pair.split("=") for pair in query.split("&") if pair)
        for key in ("", "0" * 40, user_key, owner_key, master_key):
            if path == "/v1/key/" and key == owner_key:
                continue
            if (method, path, key) == ("GET", "/v1/device/", master_key):
                continue  # That is how a device of 2014 identifies.
            for number, body in enumerate((wrong, {})):
                answer = await socket.ask(
                    path, method, key=key, get=get, body=body, nonce=number
                )
                if answer["status"] != 200:
                    refused += 1
                    assert answer["nonce"] == number
                    words = ("device", "timers", "ping success")
                    assert not [word for word in words if word in answer["message"]], (
                        answer
                    )
                    text = json.dumps(answer).encode()
                    assert firmware.first_match(text) in {"nothing", "dropped"}, answer
    assert refused > 200
    answer = await socket.ask("/v1/device/timers/", key="0" * 40)
    assert answer == {"message": "key not exists", "status": 500}


class TestBusyDevice:
    """A device that does not answer in time; here in 0.05 seconds."""

    @pytest.fixture
    async def cloud(self) -> AsyncGenerator[LocalCloud]:
        """Run a cloud with little patience."""
        cloud = LocalCloud(delivery_timeout=0.05)
        await cloud.start()
        yield cloud
        await cloud.close()

    async def test_3_busy_is_said_without_the_word(
        self, cloud: LocalCloud, lamp: DeviceSocket, owner_key: str
    ) -> None:
        """A device may call another one."""
        async with DeviceSocket(cloud) as caller:
            answer = await caller.ask(
                "/v1/device/rpc/", key=owner_key, get={"action": "a"}
            )
        assert answer == {
            "message": "remote peer is busy or some errors occured", "status": 500,
        }  # fmt: skip


async def test_3_every_push_has_a_method(
    api: Api, lamp: DeviceSocket, owner_key: str
) -> None:
    """A frame with deliver_to_device and without method would be taken for a reason to fetch."""
    push = await _push(api, lamp, f"{RPC}x", owner_key)
    assert b'"method": "GET"' in push


async def test_4_identify_echoes_its_nonce(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket
) -> None:
    """So that it is never taken for an activation, even by a device that just booted."""
    await _activate(cloud, lamp, device)
    meta = {"Authorization": f"token {cloud.master_key(device)}"}
    lamp.send(
        {"nonce": 67, "path": "/v1/device/identify", "method": "GET", "meta": meta}
    )
    line = await lamp.line()
    assert firmware.nonce(line) == 67
    assert firmware.first_match(line, activation_nonce=0) == "fetch timers"
    assert firmware.first_match(line, activation_nonce=66) == "fetch timers"


async def test_5_nonces(api: Api, lamp: DeviceSocket, owner_key: str) -> None:
    """Positive, below 2^31, followed by another member; and not the same again and again."""
    nonces = set()
    for _ in range(50):
        line = await _push(api, lamp, f"{RPC}x", owner_key)
        found = re.search(rb'"nonce": (\d+), "', line)
        assert found
        assert firmware.nonce(line) == int(found[1])
        assert 0 < int(found[1]) < 2**31
        nonces.add(int(found[1]))
    assert len(nonces) == 50


@pytest.mark.parametrize(
    "body",
    [
        {"datapoint": {"x": 1}},
        {"datapoint": {"y": 5, "at": "2020-01-01 00:00:00", "x": 1}},
        {"body": "x", "datapoint": {"a": 1, "x": 1}},
    ],
)
async def test_6_plug(
    api: Api, lamp: DeviceSocket, owner_key: str, body: dict[str, Any]
) -> None:
    """`x` is where the plug looks for it, whatever the caller's order."""
    assert firmware.plug_value(await _push(api, lamp, PLUG, owner_key, body)) == "1"
    assert (
        firmware.plug_value(
            await _push(api, lamp, PLUG, owner_key, {"datapoint": {"x": 0}})
        )
        == "0"
    )


@pytest.mark.parametrize("order", ["xyzkl", "klxyz", "yxkzl", "lkzyx"])
@pytest.mark.parametrize("at", [{}, {"at": "2020-01-01 00:00:00"}])
async def test_7_light(
    api: Api, lamp: DeviceSocket, owner_key: str, order: str, at: dict[str, str]
) -> None:
    """No value is lost, whatever the caller's order, and the path ends with its slash."""
    values = {"x": 1000, "y": 22222, "z": 2, "k": 3, "l": 4}
    point = {**at, **{name: values[name] for name in order}}
    line = await _push(api, lamp, LIGHT, owner_key, {"datapoint": point})
    assert firmware.light_values(line) == {
        name: str(value) for name, value in values.items()
    }
    assert list(json.loads(line)["body"]["datapoint"]) == [
        "x",
        "y",
        "z",
        "k",
        "l",
        "at",
    ]


async def test_7_light_values_fit_its_buffer(
    api: Api, cloud: LocalCloud, lamp: DeviceSocket, owner_key: str
) -> None:
    """Ten characters would overrun it; colors of newer lights are another form."""
    for value in (1234567890, -123456789, 0.12345678, "1234567890"):
        body = {"datapoint": {"x": 1, "y": value}}
        reply = await api.post(LIGHT, body, key=owner_key)
        assert (reply.status, reply.json["message"]) == (
            400, "y must be at most 9 characters for a light",
        )  # fmt: skip
    body = {"datapoint": {"x": 1, "y": 999999999}}
    await _push(api, lamp, LIGHT, owner_key, body)
    body = {"datapoint": {"x": 2, "y": 1000, "z": {"red": 255, "green": 0, "blue": 0}}}
    push = json.loads(await _push(api, lamp, LIGHT, owner_key, body))
    assert push["body"]["datapoint"]["z"] == {"red": 255, "green": 0, "blue": 0}


async def test_8_pushes_go_out_one_at_a_time(
    api: Api, cloud: LocalCloud, device: Device, lamp: DeviceSocket, owner_key: str
) -> None:
    """The next one follows the answer to the last."""
    calls = [
        asyncio.ensure_future(api.get(f"{RPC}n{number}", key=owner_key))
        for number in range(3)
    ]
    push = await lamp.receive()
    link = cloud._presence.link(device)
    assert link is not None
    await until(lambda: len(link.outbox._waiting) == 2)
    seen = []
    for _ in range(3):
        assert (await lamp.ask("/v1/ping/"))["message"] == "ping success"
        seen.append(push["get"]["action"])
        lamp.acknowledge(push)
        if len(seen) < 3:
            push = await lamp.receive()
    assert sorted(seen) == ["n0", "n1", "n2"]
    assert [(await call).status for call in calls] == [200, 200, 200]


async def test_8_frames_are_not_gathered_into_segments(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket
) -> None:
    """The socket sends each write at once."""
    link: Any = cloud._presence.link(device)
    server_side = link._transport.get_extra_info("socket")
    assert server_side.getsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY)


async def test_9_the_activation_reply_survives_any_cut(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket
) -> None:
    """Cut in two anywhere but inside the nonce it activates; and it fits the buffer."""
    line = await _activate(cloud, lamp, device)
    assert firmware.HELD_SEGMENT < len(line) <= firmware.FIRMWARE_BUFFER
    text = line.index(b'"nonce": 66')
    assert (
        line.index(b'"activate_status": 1')
        < text
        < line.rindex(b'"activate_status": 1')
    )
    for cut in range(1, len(line)):
        parts = line[:cut], line[cut:]
        activated = any(firmware.first_match(part, 66) == "activated" for part in parts)
        assert activated or text < cut < text + len(b'"nonce": 66,'), cut
    assert not text < firmware.HELD_SEGMENT < text + len(b'"nonce": 66,')


@pytest.mark.parametrize("length", [700, 1000, 4096])
async def test_9_long_texts_do_not_overflow_the_buffer(
    api: Api,
    cloud: LocalCloud,
    device: Device,
    lamp: DeviceSocket,
    owner_key: str,
    length: int,
) -> None:
    """A device with long texts gets the short form, which activates as well."""
    body = {"device": {"metadata": "m" * length}}
    await api.ok("PUT", "/v1/device/", body, key=owner_key)
    line = await _activate(cloud, lamp, device)
    assert json.loads(line) == {
        "device": {"id": device.id, "activate_status": 1}, "nonce": 66, "status": 200,
    }  # fmt: skip
    assert firmware.first_match(line, 66) == "activated"
    answer = await lamp.identify(device)
    assert ("metadata" in answer["device"]) == (length == 700)
    reply = await api.ok(
        "POST", "/v1/device/activate/", {}, key=cloud.master_key(device)
    )
    assert reply["device"]["metadata"] == "m" * length


async def test_9_no_frame_is_a_multiple_of_the_held_segment(
    api: Api, lamp: DeviceSocket, owner_key: str
) -> None:
    """A segment of exactly 1460 bytes would be held until the next one comes."""
    for segments in (1, 2):
        base = len(await _push(api, lamp, f"{RPC}x&v=", owner_key))
        for more in range(-1, 2):
            fill = "v" * (segments * firmware.HELD_SEGMENT - base + more)
            lines = [
                await _push(api, lamp, f"{RPC}x&v={fill}", owner_key) for _ in range(8)
            ]
            assert all(len(line) % firmware.HELD_SEGMENT for line in lines)


async def test_10_ping_works_without_identify(socket: DeviceSocket) -> None:
    """Firmware ignores an error on identify and goes on pinging; it needs the pong."""
    await socket.ask("/v1/device/identify", key="0" * 40, nonce=67)
    socket.send({"path": "/v1/ping/", "method": "POST"})
    assert firmware.first_match(await socket.line()) == "pong"


async def test_11_upgrade_version(
    api: Api, cloud: LocalCloud, lamp: DeviceSocket, owner_key: str
) -> None:
    """It stands where the firmware reads it, its parentheses unescaped."""
    add_firmware(cloud, VERSION)
    line = await _push(api, lamp, f"{RPC}sys_upgrade&version={VERSION}", owner_key)
    start = line.index(b'"version":') + 12
    assert line[start : start + 15].decode() == VERSION
