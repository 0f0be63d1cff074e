"""Pushes and the devices' answers (protocol.md §2.2, §2.8, §3.4, §3.5)."""

import asyncio
from collections.abc import Awaitable
import json
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device

from .helpers import Api, DeviceSocket, Reply, until

RPC = "/v1/device/rpc/?deliver_to_device=true&action="


async def test_a_push_byte_for_byte(
    api: Api, lamp: DeviceSocket, owner_key: str
) -> None:
    """The later generation's form, with the caller's key in it and a nonce of the server's."""
    call = asyncio.ensure_future(api.get(f"{RPC}LED_ON&z=1&b=2", key=owner_key))
    line = await lamp.line()
    nonce = json.loads(line)["nonce"]
    assert line.decode() == (
        '{"deliver_to_device": true, "get": {"action": "LED_ON", "b": "2", "z": "1"}, '
        f'"meta": {{"Authorization": "token {owner_key}", "Time-Zone": "Asia/Shanghai"}}, '
        f'"method": "GET", "nonce": {nonce}, "path": "/v1/device/rpc/"}}\n'
    )
    lamp.send(b'{"status": 200,"nonce": %d, "emulating_steps": {"count": 3},"deliver_to_device":true}\n' % nonce)  # fmt: skip
    reply = await call
    assert reply.text == (
        '{"deliver_to_device": true, "emulating_steps": {"count": 3}, '
        f'"nonce": {nonce}, "status": 200}}'
    )


async def test_a_posted_push_has_a_body(
    api: Api, lamp: DeviceSocket, owner_key: str
) -> None:
    """Sorted, it comes first; the caller's time zone goes along."""
    body = {"steps": [1, {"a": None}], "on": True}
    headers = {"Time-Zone": "Europe/Berlin"}
    call = asyncio.ensure_future(
        api.post(f"{RPC}x", body, key=owner_key, headers=headers)
    )
    push = await lamp.receive()
    assert list(push) == [
        "body",
        "deliver_to_device",
        "get",
        "meta",
        "method",
        "nonce",
        "path",
    ]
    assert push["body"] == body
    assert push["meta"]["Time-Zone"] == "Europe/Berlin"
    lamp.acknowledge(push)
    await call


@pytest.mark.parametrize(
    "path", ["/v1/device/rpc/?action=a", "/v1/device/rpc?action=a"]
)
async def test_an_rpc_is_always_delivered(
    api: Api, lamp: DeviceSocket, owner_key: str, path: str
) -> None:
    """There is nothing else it could mean; without an action it means nothing."""
    call = asyncio.ensure_future(api.get(path, key=owner_key))
    lamp.acknowledge(await lamp.receive())
    assert (await call).status == 200
    for query in ("", "?action=", "?deliver_to_device=true"):
        assert (await api.get(f"/v1/device/rpc/{query}", key=owner_key)).status == 400


async def test_a_device_that_is_away(api: Api, owner_key: str) -> None:
    """The cloud's own words, at once."""
    reply = await api.get(f"{RPC}LED_ON", key=owner_key)
    assert reply.text == '{"message": "remote peer is disconnected", "status": 404}'
    assert reply.status == 404


async def test_a_key_that_no_device_has(api: Api) -> None:
    """The cloud's own words."""
    reply = await api.get(f"{RPC}LED_ON", key="0" * 40)
    assert reply.text == '{"message": "devicekey not exists", "status": 500}'
    assert reply.status == 500


class TestSilentDevice:
    """A device that does not answer in time; here in 0.2 seconds."""

    @pytest.fixture
    async def cloud(self) -> Any:
        """Run a cloud with little patience."""
        cloud = LocalCloud(delivery_timeout=0.2)
        await cloud.start()
        yield cloud
        await cloud.close()

    async def test_it_is_given_up(
        self, api: Api, lamp: DeviceSocket, owner_key: str
    ) -> None:
        """The gateway's words; a late answer is nobody's, and the next push goes out."""
        reply = await api.get(f"{RPC}slow", key=owner_key)
        assert reply.status == 500
        assert reply.text == (
            '{"message": "remote device is busy or some errors occured", "status": 500}'
        )
        late = await lamp.receive()
        call = asyncio.ensure_future(api.get(f"{RPC}next", key=owner_key))
        push = await lamp.receive()
        assert push["nonce"] != late["nonce"]
        lamp.acknowledge(late, which="late")
        lamp.acknowledge(push, which="next")
        assert (await call).json["which"] == "next"

    async def test_nobody_waits_for_others(
        self, api: Api, lamp: DeviceSocket, owner_key: str
    ) -> None:
        """Ten callers at once are all told after the one time; what had no turn is never sent."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        calls = [api.get(f"{RPC}n{number}", key=owner_key) for number in range(10)]
        replies = await asyncio.gather(*calls)
        assert {reply.status for reply in replies} == {500}
        assert loop.time() - started < 1
        await lamp.receive()
        lamp.send({"path": "/v1/ping/"})
        assert (await lamp.receive())["message"] == "ping success"


async def test_a_device_that_leaves(
    api: Api, cloud: LocalCloud, device: Device, lamp: DeviceSocket, owner_key: str
) -> None:
    """Whoever waits for it hears so at once, the queue too."""
    calls = [asyncio.ensure_future(api.get(f"{RPC}n", key=owner_key)) for _ in range(3)]
    await lamp.receive()
    async with asyncio.timeout(2):
        lamp.writer.transport.abort()
        for call in calls:
            assert (await call).json["message"] == "remote peer is disconnected"
    await cloud.wait_offline(device)


async def test_a_device_that_is_thrown_out(
    api: Api, cloud: LocalCloud, device: Device, lamp: DeviceSocket, owner_key: str
) -> None:
    """The answer would come from a connection that is no more."""
    call = asyncio.ensure_future(api.get(f"{RPC}n", key=owner_key))
    await lamp.receive()
    async with DeviceSocket(cloud) as younger:
        await younger.identify(device)
        assert (await call).status == 404
        call = asyncio.ensure_future(api.get(f"{RPC}n", key=owner_key))
        younger.acknowledge(await younger.receive())
        assert (await call).status == 200


@pytest.mark.parametrize(("passed", "is_sent"), [(3.9, True), (4.1, False)])
async def test_a_push_needs_a_fifth_of_its_time_for_an_answer(
    cloud: LocalCloud,
    device: Device,
    lamp: DeviceSocket,
    monkeypatch: pytest.MonkeyPatch,
    passed: float,
    is_sent: bool,
) -> None:
    """One whose turn comes later is refused, and never sent."""
    loop = asyncio.get_running_loop()
    outbox = cloud._presence.link(device).outbox  # type: ignore[union-attr]  # it is there
    first, second = outbox.push({}), outbox.push({})
    push = await lamp.receive()
    now = loop.time()
    monkeypatch.setattr(loop, "time", lambda: now + passed)
    outbox.take_answer({"nonce": push["nonce"], "status": 200})
    outbox.go_on()
    monkeypatch.undo()
    assert (await first)["status"] == 200
    assert second.done() is not is_sent
    if is_sent:
        lamp.acknowledge(await lamp.receive())
        assert (await second)["status"] == 200
    else:
        assert str(second.exception()).startswith("remote device is busy")
        assert (await lamp.ask("/v1/ping/"))["message"] == "ping success"


async def test_callers_that_are_cancelled(
    api: Api, cloud: LocalCloud, lamp: DeviceSocket, device: Device, owner_key: str
) -> None:
    """Their pushes are answered, or given up, all the same; the next one has its turn."""
    link = cloud._presence.link(device)
    assert link is not None
    link.outbox.push({}).cancel()
    link.outbox.push({}).cancel()
    call = asyncio.ensure_future(api.get(f"{RPC}n", key=owner_key))
    for _ in range(3):
        lamp.acknowledge(await lamp.receive())
    assert (await call).status == 200
    link.outbox.push({}).cancel()
    lamp.writer.transport.abort()
    await cloud.wait_offline(device)


async def test_only_so_many_may_wait(
    api: Api, owner_key: str, cloud: LocalCloud, lamp: DeviceSocket, device: Device
) -> None:
    """Who has sent most of them is told that the device is busy, at once; the others wait."""
    link = cloud._presence.link(device)
    assert link is not None
    waiting = [link.outbox.push({}, sender=owner_key) for _ in range(1025)]
    assert (
        (await api.get(f"{RPC}n", key=owner_key))
        .json["message"]
        .startswith("remote device is busy")
    )
    other = link.outbox.push({}, sender="another key")
    assert not other.done()
    assert str(waiting.pop().exception()).startswith("remote device is busy")
    lamp.writer.transport.abort()
    await cloud.wait_offline(device)
    for answer in (*waiting, other):
        assert str(answer.exception()) == "remote peer is disconnected"


async def test_a_guest_who_sends_much_keeps_nobody_waiting(
    api: Api,
    cloud: LocalCloud,
    lamp: DeviceSocket,
    device: Device,
    owner_key: str,
) -> None:
    """Each key has its turn: 1,500 calls of a guest cost the owner's twenty nothing but patience."""
    guest = cloud.store.add_user("guest@example.org", "guest", "no hash")
    guest_key = cloud.store.keyring.share_with(device, guest, "guest").token
    link = cloud._presence.link(device)
    assert link is not None
    guests = [link.outbox.push({}, sender=guest_key) for _ in range(1500)]
    calls = [
        asyncio.ensure_future(api.get(f"{RPC}owner", key=owner_key)) for _ in range(20)
    ]
    await until(lambda: len(link.outbox._waiting._senders.get(owner_key, ())) == 20)
    # No answer of the device's is waited for by more than two senders.
    for _ in range(2 * len(calls) + 1):
        lamp.acknowledge(await lamp.receive())
    replies = await asyncio.gather(*calls)
    assert [reply.status for reply in replies] == [200] * len(calls)
    lamp.writer.transport.abort()
    await asyncio.gather(*guests, return_exceptions=True)


@pytest.mark.parametrize(
    ("status", "line"),
    [(200, 200), (400, 400), ("404", 404), (422, 422), (599, 599), (600, 200), (100, 200), (0, 200),
     (204, 200), (-1, 200), (None, 200), ("x", 200), ([], 200), (True, 200), (1e9, 200), ("9" * 99, 200)],
)  # fmt: skip
async def test_the_status_line_of_a_devices_answer(
    api: Api, lamp: DeviceSocket, owner_key: str, status: Any, line: int
) -> None:
    """An error's own, else 200; the body is the device's in any case."""
    call = asyncio.ensure_future(api.get(f"{RPC}n", key=owner_key))
    lamp.acknowledge(await lamp.receive(), status=status)
    reply = await call
    assert (reply.status, reply.json["status"]) == (line, status)


async def test_an_answer_without_a_status(
    api: Api, lamp: DeviceSocket, owner_key: str
) -> None:
    """It gets 200, as every reply whose handler set none."""
    call = asyncio.ensure_future(api.get(f"{RPC}n", key=owner_key))
    lamp.send({"nonce": (await lamp.receive())["nonce"], "error": {"code": 422}})
    assert (await call).json["error"] == {"code": 422}
    assert (await call).json["status"] == 200


async def test_answers_to_nothing_are_dropped(
    api: Api,
    cloud: LocalCloud,
    lamp: DeviceSocket,
    owner_key: str,
    socket: DeviceSocket,
) -> None:
    """Wrong nonces, and answers of another connection, disturb nobody."""
    call = asyncio.ensure_future(api.get(f"{RPC}n", key=owner_key))
    push = await lamp.receive()
    async with DeviceSocket(cloud) as stranger:
        stranger.acknowledge(push, stranger=True)
        assert (await stranger.ask("/v1/ping/"))["status"] == 200
    for nonce in (push["nonce"] - 1, "x", None, [], True, -1, 2**70):
        lamp.send({"nonce": nonce, "status": 200, "wrong": True})
    lamp.acknowledge(push)
    assert "wrong" not in (await call).json
    assert "stranger" not in (await call).json


async def test_a_caller_at_the_device_port(
    cloud: LocalCloud, lamp: DeviceSocket, owner_key: str
) -> None:
    """It gets the device's answer with its own nonce, or none where it sent none."""
    async with DeviceSocket(cloud) as caller:
        for nonce in ({"nonce": 7}, {}):
            meta = {"Authorization": f"token {owner_key}"}
            frame = {
                "path": "/v1/device/rpc/",
                "get": {"action": "a"},
                "meta": meta,
                **nonce,
            }
            caller.send(frame)
            push = await lamp.receive()
            assert push["nonce"] != 7
            lamp.acknowledge(push, extra=1)
            answer = await caller.receive()
            assert answer == {
                "deliver_to_device": True,
                "extra": 1,
                "status": 200,
                **nonce,
            }


async def test_a_device_that_calls_itself(lamp: DeviceSocket, master_key: str) -> None:
    """The push comes on the same connection, before the reply."""
    push = await lamp.ask(
        "/v1/device/rpc/", key=master_key, get={"action": "a"}, nonce=1
    )
    assert push["path"] == "/v1/device/rpc/"
    lamp.acknowledge(push)
    assert await lamp.receive() == {
        "deliver_to_device": True,
        "nonce": 1,
        "status": 200,
    }


async def test_a_caller_that_left(
    cloud: LocalCloud, lamp: DeviceSocket, owner_key: str
) -> None:
    """The push is made all the same, and its answer is nobody's."""
    async with DeviceSocket(cloud) as caller:
        meta = {"Authorization": f"token {owner_key}"}
        caller.send({"path": "/v1/device/rpc/", "get": {"action": "a"}, "meta": meta})
        push = await lamp.receive()
    lamp.acknowledge(push)
    assert (await lamp.ask("/v1/ping/"))["status"] == 200


async def test_unanswered_requests_of_one_connection_have_a_limit(
    cloud: LocalCloud, lamp: DeviceSocket, owner_key: str
) -> None:
    """The 65th is refused."""
    async with DeviceSocket(cloud) as caller:
        meta = {"Authorization": f"token {owner_key}"}
        for nonce in range(65):
            frame = {"path": "/v1/device/rpc/", "get": {"action": "a"}, "meta": meta}
            caller.send({**frame, "nonce": nonce})
        answer = await caller.receive()
        assert answer == {
            "message": "too many requests at once",
            "nonce": 64,
            "status": 429,
        }


async def test_many_devices_at_once(api: Api, cloud: LocalCloud, user: Any) -> None:
    """Each call reaches its device, and each answer its caller."""
    devices = [cloud.add_device(f"lamp {number}", user) for number in range(20)]

    async def serve(device: Device) -> None:
        async with DeviceSocket(cloud) as lamp:
            await lamp.identify(device)
            for _ in range(5):
                push = await lamp.receive()
                lamp.acknowledge(push, echo=push["get"]["n"], device=device.id)
            await lamp.ask("/v1/ping/")

    async def call(device: Device, number: int) -> Reply:
        return await api.get(f"{RPC}a&n={number}", key=cloud.owner_key(device))

    serving = [asyncio.ensure_future(serve(device)) for device in devices]
    for device in devices:
        await cloud.wait_online(device)
    calls: list[Awaitable[Reply]] = [
        call(device, number) for device in devices for number in range(5)
    ]
    replies = await asyncio.gather(*calls)
    assert [(reply.json["device"], reply.json["echo"]) for reply in replies] == [
        (device.id, str(number)) for device in devices for number in range(5)
    ]
    await asyncio.gather(*serving)
