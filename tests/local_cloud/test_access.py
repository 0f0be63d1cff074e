"""Which key opens which path (protocol.md §2.3); every path with every kind of key."""

import asyncio
import json

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device
from tests.firmware import image

from .helpers import Api, DeviceSocket, firmware_body

USER, MASTER, OWNER, SHARED = "user", "master", "owner", "shared"
ANY_DEVICE = {MASTER, OWNER, SHARED}
POINT = {"datapoint": {"x": 1}}
VERSION = "v1.0.5t45772(a)"
FIRMWARE = firmware_body(VERSION, image.build(1), image.build(2))
PATHS = [
    ("GET", "/v1/user/devices/", None, {USER}),
    ("GET", "/v1/user/devices/?list_by_group=true", None, {USER}),
    ("GET", "/v1/user/devices/groups/", None, {USER}),
    ("POST", "/v1/user/devices/groups/", {"deviceGroups": [{"name": "g"}]}, {USER}),
    ("PUT", "/v1/user/devices/groups/", {"deviceGroups": [{"id": 1}]}, {USER}),
    ("DELETE", "/v1/user/devices/groups/", {"deviceGroups": [{"id": 1}]}, {USER}),
    ("GET", "/v1/products/", None, {USER}),
    ("POST", "/v1/products/", {"products": [{"name": "p"}]}, {USER}),
    ("GET", "/v1/products/1/devices/", None, {USER}),
    ("POST", "/v1/products/1/devices/", {"devices": [{}]}, {USER}),
    ("POST", "/v1/key/authorize/", {"token": "right"}, {USER}),
    ("POST", "/v1/key/share/", {}, {OWNER}),
    ("GET", "/v1/keys/", None, {USER}),
    ("PUT", "/v1/keys/", {"keys": [{"id": 2, "keep": 1}]}, {USER}),
    ("DELETE", "/v1/keys/", {"keys": [{"id": 5}]}, {USER}),
    ("GET", "/v1/device/", None, ANY_DEVICE),
    ("PUT", "/v1/device/", {"device": {"name": "n"}}, {MASTER, OWNER}),
    ("POST", "/v1/device/activate/", {}, {MASTER}),
    ("GET", "/v1/device/rpc/?action=a", None, ANY_DEVICE),
    ("POST", "/v1/device/rpc/?action=a", None, ANY_DEVICE),
    ("GET", "/v1/device/timers/", None, ANY_DEVICE),
    ("POST", "/v1/device/timers/", {"timers": [{"type": "LOOP_PERIOD", "period": "day", "time": 1, "action": "a"}]}, {MASTER, OWNER}),
    ("GET", "/v1/device/rom/", None, ANY_DEVICE),
    ("GET", "/v1/products/1/roms/", None, {USER}),
    ("POST", "/v1/products/1/roms/", FIRMWARE, {USER}),
    ("DELETE", "/v1/products/1/roms/", {"productRoms": [{"version": VERSION}]}, {USER}),
    ("POST", "/v1/products/1/datastreamTmpls/", {"datastreamTmpls": [{"name": "s"}]}, {USER}),
    ("GET", "/v1/products/1/datastreamTmpls/", None, {USER}),
    ("DELETE", "/v1/products/1/datastreamTmpls/", {"datastreamTmpls": [{"id": 1}]}, {USER}),
    ("GET", "/v1/roms/?ptype=45772", None, {USER}),
    ("POST", "/v1/roms/?ptype=45772", FIRMWARE, {USER}),
    ("DELETE", "/v1/roms/?ptype=45772", {"productRoms": [{"version": VERSION}]}, {USER}),
    ("POST", "/v1/messages/", {}, {MASTER, OWNER}),
    ("GET", "/v1/datastreams/s/datapoints/", None, ANY_DEVICE),
    ("POST", "/v1/datastreams/s/datapoints/", {"datapoints": [{"x": 1}]}, ANY_DEVICE),
    ("POST", "/v1/datastreams/s/datapoint/", POINT, ANY_DEVICE),
    ("GET", "/v1/datastreams/t/datapoint/", None, ANY_DEVICE),
    ("POST", "/v1/datastreams/s/datapoint/?deliver_to_device=true", POINT, ANY_DEVICE),
    ("POST", "/v1/key/regenerate/", None, {OWNER}),
    # Last, since the key is gone then.
    ("DELETE", "/v1/key/", None, {USER, OWNER, SHARED}),
]  # fmt: skip


@pytest.fixture
async def keys(
    api: Api,
    cloud: LocalCloud,
    device: Device,
    user_key: str,
    master_key: str,
    owner_key: str,
) -> dict[str, str]:
    """Return a key of each kind, with things for all paths to work on."""
    share = (await api.ok("POST", "/v1/key/share/", {}, key=owner_key))["token"]
    friend = {"email": "friend@example.org", "password": "p"}
    await api.ok("POST", "/v1/user/join/", friend)
    friend_key = (await api.ok("POST", "/v1/keys/", friend))["keys"][0]["token"]
    shared = await api.ok(
        "POST", "/v1/key/authorize/", {"token": share}, key=friend_key
    )
    body = {"datapoint": {"x": 1}}
    await api.ok("POST", "/v1/datastreams/t/datapoint/", body, key=master_key)
    await api.ok(
        "POST",
        "/v1/user/devices/groups/",
        {"deviceGroups": [{"name": "g"}]},
        key=user_key,
    )
    await api.ok("POST", "/v1/products/", {"products": [{"name": "p"}]}, key=user_key)
    orphan = cloud.add_device("orphan")
    cloud.store.keyring.add_token(orphan, "right", "owner shared", is_owner_key=1)
    return {
        USER: user_key,
        MASTER: master_key,
        OWNER: owner_key,
        SHARED: shared["key"]["token"],
    }


@pytest.mark.parametrize("kind", [USER, MASTER, OWNER, SHARED])
async def test_a_key_opens_its_paths_and_no_other(
    api: Api, keys: dict[str, str], lamp: DeviceSocket, kind: str
) -> None:
    """What a key does not open is 403, whatever else is wrong."""
    acknowledging = asyncio.ensure_future(_acknowledge(lamp))
    for method, path, body, kinds in PATHS:
        reply = await api.call(method, path, body, key=keys[kind])
        if kind in kinds:
            assert reply.status == 200, (method, path, reply.text)
        else:
            message = f"a key of the kind {kind} does not work here"
            expected = (403, {"message": message, "status": 403})
            assert (reply.status, reply.json) == expected, (method, path)
    acknowledging.cancel()


async def _acknowledge(lamp: DeviceSocket) -> None:
    while True:
        lamp.acknowledge(json.loads(await lamp.reader.readline()))


async def test_no_key_and_an_unknown_key(api: Api, cloud: LocalCloud) -> None:
    """401 without one; 500 on a device's path, 403 on an account's."""
    for method, path, body, kinds in PATHS:
        reply = await api.call(method, path, body)
        assert (reply.status, reply.json["status"]) == (401, 401), path
        reply = await api.call(method, path, body, key="0" * 40)
        if path == "/v1/key/":
            assert reply.status == 403
        elif USER in kinds:
            assert reply.text == '{"message": "userkey not exists", "status": 403}'
        else:
            assert reply.text == '{"message": "devicekey not exists", "status": 500}'
            assert reply.status == 500


@pytest.mark.parametrize("kind", [USER, OWNER, SHARED])
async def test_identify_takes_the_master_key_alone(
    cloud: LocalCloud,
    device: Device,
    keys: dict[str, str],
    socket: DeviceSocket,
    kind: str,
) -> None:
    """An app's key does not make a connection the device's."""
    answer = await socket.ask("/v1/device/identify", key=keys[kind], nonce=67)
    assert (answer["status"], answer["nonce"]) == (403, 67)
    assert not cloud.is_online(device)
