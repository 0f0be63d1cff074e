"""Owning, sharing and giving up a device (protocol.md §2.3, §2.6)."""

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User

from .helpers import BSSID, TOKEN, Api, DeviceSocket


@pytest.fixture
def orphan(cloud: LocalCloud) -> Device:
    """Return a device that nobody owns."""
    return cloud.add_device("orphan")


async def _activate(
    api: Api, cloud: LocalCloud, device: Device, token: str = TOKEN
) -> dict:
    body = {"encrypt_method": "PLAIN", "bssid": BSSID, "token": token}
    return await api.ok(
        "POST", "/v1/device/activate/", body, key=cloud.master_key(device),
        headers={"Time-Zone": "Epoch"},
    )  # fmt: skip


async def _sign_in(api: Api, email: str) -> str:
    await api.ok("POST", "/v1/user/join/", {"email": email, "password": "p"})
    keys = await api.ok("POST", "/v1/keys/", {"email": email, "password": "p"})
    return keys["keys"][0]["token"]


async def test_activation(api: Api, cloud: LocalCloud, orphan: Device) -> None:
    """The token record is the one of the sample; the token lives ten minutes."""
    reply = await _activate(api, cloud, orphan)
    device, key, token = reply["device"], reply["key"], reply["token"]
    assert (device["activate_status"], device["bssid"]) == (1, BSSID)
    assert device["activated_at"] == device["last_activated_at"] == device["updated"]
    assert (key["token"], key["is_master_key"], key["activate_status"]) == (
        cloud.master_key(orphan), 1, 1,
    )  # fmt: skip
    assert (token["name"], token["scope"], token["token"]) == ("owner shared", 3, TOKEN)
    assert (token["is_owner_key"], token["activate_status"]) == (1, 1)
    assert token["generated_at"] == -62_135_596_800
    assert token["token_expired_at"] == token["created"] + 600
    assert token["expired_at"] == token["created"] + 36_500 * 86_400
    assert (token["delete_after_used"], token["revoke_prekeys_if_ownerkey"]) == (0, 1)


async def test_who_made_it(
    api: Api, cloud: LocalCloud, device: Device, user: User, user_key: str,
    owner_key: str, master_key: str, orphan: Device,
) -> None:  # fmt: skip
    """The creator stands in a master key and in a token; a user key has no name."""
    assert cloud.store.keyring.keys[user_key].name == ""
    activated = await _activate(api, cloud, device)
    assert activated["key"]["user_id"] == activated["token"]["user_id"] == user.id
    share = await api.ok("POST", "/v1/key/share/", key=owner_key)
    assert cloud.store.keyring.tokens[share["token"]].user_id == user.id
    body = {"products": [{"name": "p"}]}
    [product] = (await api.ok("POST", "/v1/products/", body, key=user_key))["products"]
    path = f"/v1/products/{product['id']}/devices/"
    [made] = (await api.ok("POST", path, {"devices": [{}]}, key=user_key))["devices"]
    assert (made["key"]["user_id"], made["key"]["authorized_user_id"]) == (user.id, 0)
    activated = await _activate(api, cloud, orphan)
    assert activated["key"]["user_id"] == activated["token"]["user_id"] == 0
    # A new master key is the same account's, also where the old one was revoked.
    renewed = await api.ok("POST", "/v1/key/regenerate/", key=owner_key)
    assert renewed["key"]["user_id"] == user.id
    cloud.revoke_key(renewed["key"]["token"])
    renewed = await api.ok("POST", "/v1/key/regenerate/", key=owner_key)
    assert renewed["key"]["user_id"] == user.id


@pytest.mark.parametrize("port", ["http", "device"])
async def test_activating_is_no_activity(
    api: Api, cloud: LocalCloud, orphan: Device, socket: DeviceSocket, port: str
) -> None:
    """A device was never active until its first frame after it."""
    path, key = "/v1/device/activate/", cloud.master_key(orphan)
    if port == "http":
        device = (await api.ok("POST", path, {}, key=key))["device"]
    else:
        device = (await socket.ask(path, "POST", key=key, body={}, nonce=1))["device"]
    assert device["last_active"] == "0001-01-01 08:05:57"
    assert (
        device["activated_at"] == device["last_activated_at"] != device["last_active"]
    )
    cloud.store.context.clock = lambda: 1_574_751_416
    answer = await socket.ask("/v1/device/identify", key=key, nonce=2)
    assert answer["device"]["last_active"] == "2019-11-26 14:56:56"


async def test_activating_again(api: Api, cloud: LocalCloud, orphan: Device) -> None:
    """Allowed; the first time stays, the rest changes, and there is a new token."""
    cloud.store.context.clock = lambda: 1000
    first = await _activate(api, cloud, orphan)
    cloud.store.context.clock = lambda: 2000
    body = {"bssid": "b2", "token": "t2", "rom_version": "v2"}
    second = await api.ok(
        "POST", "/v1/device/activate/", body, key=cloud.master_key(orphan),
        headers={"Time-Zone": "Epoch"},
    )  # fmt: skip
    device = second["device"]
    assert device["activated_at"] == 1000
    assert device["last_activated_at"] == device["updated"] == 2000
    assert (device["bssid"], device["rom_version"]) == ("b2", "v2")
    assert second["token"]["id"] > first["token"]["id"]


@pytest.mark.parametrize("token", [":token", "", " "])
async def test_activation_checks_nothing(
    api: Api, cloud: LocalCloud, orphan: Device, user_key: str, token: str
) -> None:
    """Any bssid and token is echoed, yet a blank token makes nobody an owner."""
    body = {"bssid": ":bssid", "token": token}
    reply = await api.ok(
        "POST", "/v1/device/activate/", body, key=cloud.master_key(orphan)
    )
    assert (reply["device"]["bssid"], reply["token"]["token"]) == (":bssid", token)
    reply = await api.post("/v1/key/authorize/", {"token": token}, key=user_key)
    assert reply.status == (200 if token.strip() else 404)


async def test_activation_with_another_encryption(
    api: Api, cloud: LocalCloud, orphan: Device
) -> None:
    """The other methods' algorithms are unknown."""
    body = {"encrypt_method": "MD5-NONCE", "token": TOKEN}
    reply = await api.post("/v1/device/activate/", body, key=cloud.master_key(orphan))
    assert reply.status == 400
    assert cloud.store.devices[orphan.id].activate_status == 0


async def test_authorize_makes_an_owner(
    api: Api, cloud: LocalCloud, orphan: Device, user: User, user_key: str
) -> None:
    """The app asks until the device has activated."""
    path = "/v1/key/authorize/?query_devices_mesh=true"
    assert (await api.post(path, {"token": TOKEN}, key=user_key)).status == 404
    assert cloud.owner_key(orphan) is None
    await _activate(api, cloud, orphan)
    reply = await api.ok("POST", path, {"token": TOKEN}, key=user_key)
    assert list(reply) == ["device", "key", "status"]
    assert reply["device"]["bssid"] == BSSID
    key = reply["key"]
    assert (key["is_owner_key"], key["is_master_key"]) == (1, 0)
    assert (key["device_id"], key["authorized_user_id"]) == (orphan.id, user.id)
    assert key["token"] == cloud.owner_key(orphan)
    devices = (await api.ok("GET", "/v1/user/devices/", key=user_key))["devices"]
    assert [device["key"]["token"] for device in devices] == [key["token"]]


async def test_a_token_dies_after_ten_minutes(
    api: Api, cloud: LocalCloud, orphan: Device, user_key: str
) -> None:
    """And not before."""
    created = (await _activate(api, cloud, orphan))["token"]["created"]
    cloud.store.context.clock = lambda: created + 599
    await api.ok("POST", "/v1/key/authorize/", {"token": TOKEN}, key=user_key)
    cloud.store.context.clock = lambda: created + 600
    reply = await api.post("/v1/key/authorize/", {"token": TOKEN}, key=user_key)
    assert (reply.status, reply.json["message"]) == (404, "token not exists")
    assert not cloud.store.keyring.tokens


async def test_a_new_owner_revokes_the_former_one(
    api: Api, cloud: LocalCloud, device: Device, owner_key: str
) -> None:
    """Its owner key, and what it shared, are gone; the master key stays."""
    share = (
        await api.ok("POST", "/v1/key/share/", {"scope": "device"}, key=owner_key)
    )["token"]
    friend = await _sign_in(api, "friend@example.org")
    shared = await api.ok("POST", "/v1/key/authorize/", {"token": share}, key=friend)
    buyer = await _sign_in(api, "buyer@example.org")
    await _activate(api, cloud, device)
    bought = await api.ok("POST", "/v1/key/authorize/", {"token": TOKEN}, key=buyer)
    for key in (owner_key, shared["key"]["token"]):
        assert (await api.get("/v1/device/", key=key)).status == 500
    for key in (bought["key"]["token"], cloud.master_key(device)):
        await api.ok("GET", "/v1/device/", key=key)
    assert (await api.ok("GET", "/v1/user/devices/", key=friend))["devices"] == []


async def test_the_same_owner_again_keeps_the_shares(
    api: Api, cloud: LocalCloud, device: Device, user_key: str, owner_key: str
) -> None:
    """A device that was set up again gets a new owner key, and its friends keep theirs."""
    share = (await api.ok("POST", "/v1/key/share/", {}, key=owner_key))["token"]
    friend = await _sign_in(api, "friend@example.org")
    shared = await api.ok("POST", "/v1/key/authorize/", {"token": share}, key=friend)
    await _activate(api, cloud, device)
    again = await api.ok("POST", "/v1/key/authorize/", {"token": TOKEN}, key=user_key)
    assert (await api.get("/v1/device/", key=owner_key)).status == 500
    await api.ok("GET", "/v1/device/", key=again["key"]["token"])
    await api.ok("GET", "/v1/device/", key=shared["key"]["token"])


async def test_sharing(
    api: Api, cloud: LocalCloud, device: Device, user_key: str, owner_key: str
) -> None:
    """A share token gives a key that is not the owner's."""
    body = {"scope": "device", "name": "for a friend"}
    reply = await api.post("/v1/key/share/", body, key=owner_key)
    token = reply.json["token"]
    assert reply.text == (
        f'{{"message": "shared token", "result": "success", "status": 200, "token": "{token}"}}'
    )
    assert len(token) == 40
    friend = await _sign_in(api, "friend@example.org")
    key = (await api.ok("POST", "/v1/key/authorize/", {"token": token}, key=friend))[
        "key"
    ]
    assert (key["is_owner_key"], key["name"], key["device_id"]) == (
        0,
        "for a friend",
        device.id,
    )
    again = (await api.ok("POST", "/v1/key/authorize/", {"token": token}, key=friend))[
        "key"
    ]
    assert again["token"] == key["token"]
    # The owner who tries it out keeps the better key.
    own = (await api.ok("POST", "/v1/key/authorize/", {"token": token}, key=user_key))[
        "key"
    ]
    assert own["token"] == owner_key
    assert (
        await api.post("/v1/key/share/", {"scope": "user"}, key=owner_key)
    ).status == 400


async def test_who_got_a_share_and_becomes_owner(
    api: Api, cloud: LocalCloud, device: Device, owner_key: str
) -> None:
    """The better key takes the place of the other."""
    share = (await api.ok("POST", "/v1/key/share/", {}, key=owner_key))["token"]
    friend = await _sign_in(api, "friend@example.org")
    shared = await api.ok("POST", "/v1/key/authorize/", {"token": share}, key=friend)
    await _activate(api, cloud, device)
    await api.ok("POST", "/v1/key/authorize/", {"token": TOKEN}, key=friend)
    devices = (await api.ok("GET", "/v1/user/devices/", key=friend))["devices"]
    assert [one["key"]["token"] for one in devices] == [cloud.owner_key(device)]
    assert (await api.get("/v1/device/", key=shared["key"]["token"])).status == 500


async def test_deleting_a_key(
    api: Api, cloud: LocalCloud, user_key: str, owner_key: str, master_key: str
) -> None:
    """200 once, 403 from then on, which apps take for "already gone"; a master key stays."""
    await api.ok("DELETE", "/v1/key/", key=owner_key)
    assert (await api.call("DELETE", "/v1/key/", key=owner_key)).status == 403
    assert (await api.ok("GET", "/v1/user/devices/", key=user_key))["devices"] == []
    assert (await api.call("DELETE", "/v1/key/", key=master_key)).status == 403
    await api.ok("GET", "/v1/device/", key=master_key)
    assert (await api.call("DELETE", "/v1/key/")).status == 401
    assert cloud.owner_key(cloud.store.devices[1]) is None
