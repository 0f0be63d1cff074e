"""Mailboxes: connections that hear what others publish (protocol.md §3.8)."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud, mailboxes
from custom_components.espcloud.local_cloud.api import mbox
from custom_components.espcloud.local_cloud.models import Device, User

from .helpers import Api, DeviceSocket, until

MBOX = "/v1/mbox/"
POINT = "/v1/datastreams/light/datapoint/"
APP = {
    "action": "subscribe",
    "type": "pns_peer",
    "pns_token": "mbox-0123",
    "peer_token": "peer-1",
}


def named(action: str, name: str = "n", **members: Any) -> dict[str, Any]:
    """Return what one asks of a mailbox."""
    return {"action": action, "name": name, **members}


async def say(socket: DeviceSocket, key: str, body: Any) -> Any:
    """Ask something of a mailbox and return the answer."""
    return await socket.ask(MBOX, "POST", key=key, body=body, nonce=9)


async def ok(socket: DeviceSocket, key: str, body: Any) -> Any:
    """Do the same with success."""
    answer = await say(socket, key, body)
    assert (answer["status"], answer["nonce"]) == (200, 9)
    return answer


@pytest.fixture
async def other(cloud: LocalCloud) -> AsyncGenerator[DeviceSocket]:
    """Return another connection."""
    async with DeviceSocket(cloud) as socket:
        yield socket


@pytest.fixture
def second(cloud: LocalCloud, user: User) -> Device:
    """Make another device of the account."""
    return cloud.add_device("second", user)


async def test_two_devices(
    cloud: LocalCloud, lamp: DeviceSocket, other: DeviceSocket, second: Device, master_key: str
) -> None:  # fmt: skip
    """Each hears the other, and not itself, in the frame that the scripts of 2015 read."""
    key = cloud.master_key(second)
    await other.identify(second)
    await ok(lamp, master_key, named("subscribe"))
    await ok(other, key, named("subscribe"))
    answer = await ok(lamp, master_key, named("publish", data="hello"))
    assert answer["peers"] == 1
    line = await other.line()
    assert line == (
        b'{"body": {"data": "hello", "name": "n"}, "method": "POST", "path": "/v1/mbox/"}\n'
    )
    await ok(other, key, named("publish", data={"a": [1, 2.5]}))
    assert (await lamp.receive())["body"]["data"] == {"a": [1, 2.5]}
    await ok(lamp, master_key, named("unsubscribe"))
    assert (await ok(other, key, named("publish", data="")))["peers"] == 0


async def test_who_shares_a_mailbox(
    api: Api, cloud: LocalCloud, socket: DeviceSocket, user: User, user_key: str, device: Device,
    owner_key: str, password_hash: str,
) -> None:  # fmt: skip
    """One account: its apps and the devices that it owns; a guest has those of their own account."""
    guest = cloud.store.add_user("guest@example.org", "guest", password_hash)
    shared = cloud.store.keyring.share_with(device, guest, "shared").token
    guest_key = cloud.store.keyring.add_user_key(guest).token
    nobodys = cloud.master_key(cloud.add_device("nobody's"))
    await ok(socket, user_key, named("subscribe"))
    for key, peers in (
        (user_key, 1),
        (owner_key, 1),
        (cloud.master_key(device), 1),
        (shared, 0),
        (guest_key, 0),
        (nobodys, 0),
    ):
        reply = await api.ok("POST", MBOX, named("publish", data=key), key=key)
        assert reply["peers"] == peers
        if peers:
            assert (await socket.receive())["body"]["data"] == key
    async with DeviceSocket(cloud) as theirs:
        await ok(theirs, shared, named("subscribe"))
        reply = await api.ok("POST", MBOX, named("publish", data=1), key=guest_key)
        assert reply["peers"] == 1


async def test_another_owner(
    api: Api, cloud: LocalCloud, lamp: DeviceSocket, device: Device, user_key: str,
    master_key: str, password_hash: str,
) -> None:  # fmt: skip
    """A device that was sold does not hear the former owner any more."""
    await ok(lamp, master_key, named("subscribe"))
    publish = named("publish", data=1)
    assert (await api.ok("POST", MBOX, publish, key=user_key))["peers"] == 1
    buyer = cloud.store.add_user("buyer@example.org", "buyer", password_hash)
    cloud.store.keyring.set_owner(device, buyer)
    assert (await api.ok("POST", MBOX, publish, key=user_key))["peers"] == 0
    assert not lamp_is_subscribed(cloud)


def lamp_is_subscribed(cloud: LocalCloud) -> bool:
    """Say whether any connection waits for messages."""
    return any(each.is_subscribed for each in cloud._device_server.connections())


async def test_a_key_that_is_revoked(
    api: Api, cloud: LocalCloud, socket: DeviceSocket, user: User, user_key: str
) -> None:
    """It hears nothing any more."""
    other_key = cloud.store.keyring.add_user_key(user).token
    await ok(socket, other_key, named("subscribe"))
    cloud.store.keyring.remove(cloud.store.keyring.keys[other_key])
    reply = await api.ok("POST", MBOX, named("publish", data=1), key=user_key)
    assert reply["peers"] == 0


async def test_a_connection_that_ends(
    api: Api, cloud: LocalCloud, user_key: str
) -> None:
    """Nothing of it is left."""
    async with DeviceSocket(cloud) as socket:
        await ok(socket, user_key, named("subscribe"))
        await ok(socket, user_key, APP)
        boxes = cloud._device_server._mailboxes
        assert len(boxes._subscribers) == 2
    await until(lambda: not boxes._subscribers and not boxes._topics)
    reply = await api.ok("POST", MBOX, named("publish", data=1), key=user_key)
    assert reply["peers"] == 0


class TestDatastreams:
    """What is stored, for who subscribes to a datastream."""

    async def test_points(
        self, api: Api, socket: DeviceSocket, owner_key: str, device: Device
    ) -> None:
        """Each one as it stands in the datastream; of several, the last."""
        body = {"action": "subscribe", "type": "datastream", "stream": "light"}
        await ok(socket, owner_key, body)
        stored = await api.ok("POST", POINT, {"datapoint": {"x": 1}}, key=owner_key)
        assert await socket.receive() == {
            "body": {
                "data": stored["datapoint"],
                "stream": "light",
                "type": "datastream",
            },
            "method": "POST",
            "path": MBOX,
        }
        points = {"datapoints": [{"x": 2}, {"x": 3}]}
        await api.ok("POST", f"{POINT[:-1]}s/", points, key=owner_key)
        assert (await socket.receive())["body"]["data"]["x"] == 3
        other = "/v1/datastreams/other/datapoint/"
        await api.ok("POST", other, {"datapoint": {"x": 4}}, key=owner_key)
        await ok(socket, owner_key, {**body, "action": "unsubscribe"})
        await api.ok("POST", POINT, {"datapoint": {"x": 5}}, key=owner_key)
        assert (await socket.ask("/v1/ping/"))["message"] == "ping success"


class TestApps:
    """Messages to people."""

    async def test_an_alert(
        self, cloud: LocalCloud, user: User, socket: DeviceSocket, user_key: str
    ) -> None:
        """The app reads body.data.alert."""
        await ok(socket, user_key, APP)
        assert cloud._device_server._mailboxes.alert({user.id, 99}, "hot") == 1
        message = await socket.receive()
        assert message["body"]["data"]["alert"] == "hot"
        assert "status" not in message

    async def test_unregister(
        self, api: Api, cloud: LocalCloud, user: User, socket: DeviceSocket, user_key: str
    ) -> None:  # fmt: skip
        """The app of that name hears nothing any more."""
        await ok(socket, user_key, APP)
        path = "/v1/pns/peer/?action=unregister&pns_token=mbox-0123&peer_token="
        boxes = cloud._device_server._mailboxes
        await api.ok("GET", f"{path}peer-2", key=user_key)
        assert boxes.alert({user.id}, "a") == 1
        await api.ok("GET", f"{path}peer-1", key=user_key)
        assert boxes.alert({user.id}, "b") == 0
        reply = await api.get("/v1/pns/peer/?action=register", key=user_key)
        assert reply.status == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": "subscribe"},
        named("listen"),
        named("subscribe", ""),
        named("subscribe", "x" * 65),
        named("publish"),
        named("publish", data="x" * 4095),
        named("subscribe", type="other"),
        {"action": "subscribe", "type": "datastream", "stream": "a b"},
        {"action": "publish", "type": "datastream", "stream": "light", "data": 1},
        {"action": "subscribe", "type": "datastream"},
        APP,
    ],
)
async def test_what_cannot_be(
    socket: DeviceSocket, owner_key: str, body: dict[str, Any]
) -> None:
    """400, in words."""
    await socket.ask("/v1/device/", key=owner_key)  # who is unknown may say little
    answer = await say(socket, owner_key, body)
    assert answer["status"] == 400
    assert answer["message"]


async def test_keys_of_the_other_kind(socket: DeviceSocket, user_key: str) -> None:
    """A datastream takes a key of its device, messages to an app that of the account."""
    body = {"action": "subscribe", "type": "datastream", "stream": "light"}
    assert (await say(socket, user_key, body))["status"] == 400


async def test_over_http(api: Api, user_key: str) -> None:
    """There is no connection to hear on."""
    for action in ("subscribe", "unsubscribe"):
        reply = await api.post(MBOX, named(action), key=user_key)
        assert reply.status == 400
        assert "on a connection of the device port" in reply.json["message"]


class TestLimits:
    """So much of each."""

    async def test_subscriptions(
        self, cloud: LocalCloud, socket: DeviceSocket, user_key: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:  # fmt: skip
        """Of a connection, and to one mailbox; a second time is none."""
        monkeypatch.setattr(mailboxes, "MAX_SUBSCRIPTIONS", 2)
        monkeypatch.setattr(mailboxes, "MAX_SUBSCRIBERS", 2)
        for name in ("a", "b", "b"):
            await ok(socket, user_key, named("subscribe", name))
        answer = await say(socket, user_key, named("subscribe", "c"))
        assert answer["status"] == 403
        assert answer["message"] == "a connection has at most 2 subscriptions"
        async with AsyncExitStack() as stack:
            for status in (200, 403):
                one = await stack.enter_async_context(DeviceSocket(cloud))
                answer = await say(one, user_key, named("subscribe", "a"))
                assert answer["status"] == status

    async def test_messages(
        self, api: Api, user_key: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of an account in a minute."""
        for _ in range(mbox.MESSAGES):
            await api.ok("POST", MBOX, named("publish", data=1), key=user_key)
        reply = await api.post(MBOX, named("publish", data=1), key=user_key)
        assert reply.status == 429

    async def test_who_does_not_read(
        self, api: Api, cloud: LocalCloud, socket: DeviceSocket, user_key: str
    ) -> None:
        """It gets no more meanwhile."""
        await ok(socket, user_key, named("subscribe"))
        (connection,) = cloud._device_server.connections()
        connection.pause_writing()
        publish = named("publish", data=1)
        assert (await api.ok("POST", MBOX, publish, key=user_key))["peers"] == 0
        connection.resume_writing()
        assert (await api.ok("POST", MBOX, publish, key=user_key))["peers"] == 1

    @pytest.mark.parametrize(
        ("subscribes", "seconds", "stays"),
        [(False, 70, False), (True, 70, True), (True, 100, False)],
    )
    async def test_silence(
        self, cloud: LocalCloud, socket: DeviceSocket, user_key: str,
        subscribes: bool, seconds: float, stays: bool,
    ) -> None:  # fmt: skip
        """An app that waits for messages may be silent as a device may; its pings have no key."""
        await socket.ask("/v1/user/devices/", key=user_key)
        if subscribes:
            await ok(socket, user_key, APP)
        (connection,) = cloud._device_server.connections()
        connection.heard_at -= 1000
        await socket.ask("/v1/ping/")
        if subscribes:
            connection.heard_at -= seconds
        cloud._device_server._drop_overdue()
        assert connection.is_open is stays
