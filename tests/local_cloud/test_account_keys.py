"""An account's keys: listed, revoked, and what a new password ends."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.keyring import MAX_TOKENS
from custom_components.espcloud.local_cloud.models import Device, User
from fuzz.snapshot import take
from tests.credentials import EMAIL, PASSWORD

from .helpers import TOKEN, Api, DeviceSocket

PATH = "/v1/keys/"
RESET = "/v1/user/resetpassword/"
NEW = {"email": EMAIL, "password": PASSWORD, "new_password": "another"}

type Guest = Callable[[str], Awaitable[tuple[str, str]]]


@pytest.fixture
def guest(cloud: LocalCloud, api: Api, password_hash: str, owner_key: str) -> Guest:
    """Return what makes an account of this name, and shares the device with it."""

    async def make(name: str) -> tuple[str, str]:
        email = f"{name}@example.org"
        user = cloud.store.add_user(email, email, password_hash)
        key = cloud.store.keyring.add_user_key(user).token
        share = await api.ok("POST", "/v1/key/share/", {"name": name}, key=owner_key)
        reply = await api.ok(
            "POST", "/v1/key/authorize/", {"token": share["token"]}, key=key
        )
        return key, reply["key"]["token"]

    return make


async def list_keys(api: Api, key: str) -> list[dict[str, Any]]:
    """Return the keys that an account lists."""
    reply = await api.ok("GET", PATH, key=key)
    assert list(reply) == ["keys", "status"]
    return reply["keys"]


async def is_dead(api: Api, key: str, path: str = "/v1/device/") -> bool:
    """Say whether a key opens nothing."""
    return (await api.get(path, key=key)).status in {403, 500}


# The list


async def test_the_list(
    api: Api,
    cloud: LocalCloud,
    device: Device,
    user: User,
    user_key: str,
    owner_key: str,
    guest: Guest,
) -> None:
    """All that the account has a say in, each as a key of protocol.md §2.4; the texts stay unknown."""
    other = cloud.store.keyring.add_user_key(user)
    friend_key, shared_key = await guest("friend")
    keys = await list_keys(api, user_key)
    kinds = [(key["scope"], key["is_master_key"], key["is_owner_key"]) for key in keys]
    assert kinds == [(1, 0, 0), (1, 0, 0), (3, 1, 0), (3, 0, 1), (3, 0, 0)]
    assert keys[-1]["name"] == "friend"
    assert {key["device_id"] for key in keys[2:]} == {device.id}
    assert [key["token"] for key in keys] == [user_key, "", "", "", ""]
    assert [key["keep"] for key in keys] == [0] * 5
    text = (await api.get(PATH, key=user_key)).text
    secrets = (other.token, owner_key, shared_key, cloud.master_key(device), friend_key)
    assert not [secret for secret in secrets if secret in text]
    # The guest sees what is theirs, and nothing of the owner's.
    theirs = await list_keys(api, friend_key)
    assert [(key["scope"], key["name"]) for key in theirs] == [
        (1, theirs[0]["name"]),
        (3, "friend"),
    ]


# Revoking


async def test_a_user_key_is_revoked(api: Api, cloud: LocalCloud, user: User) -> None:
    """By another one, or by itself; then it opens nothing, and is not listed."""
    mine, stolen = (cloud.store.keyring.add_user_key(user) for _ in range(2))
    body = {"keys": [{"id": stolen.id}, {"id": stolen.id}]}
    await api.ok("POST", f"{PATH}?method=DELETE", body, key=mine.token)
    assert await is_dead(api, stolen.token, PATH)
    assert [key["id"] for key in await list_keys(api, mine.token)] == [mine.id]
    await api.ok("DELETE", "/v1/key/", key=mine.token)
    assert await is_dead(api, mine.token, PATH)
    assert (await api.call("DELETE", "/v1/key/", key=mine.token)).status == 403


async def test_a_guests_key_is_revoked_by_the_owner(
    api: Api, user_key: str, owner_key: str, guest: Guest
) -> None:
    """One guest's alone; it comes back by no token that was used."""
    friend, friends_key = await guest("friend")
    _, neighbours_key = await guest("neighbour")
    share = await api.ok("POST", "/v1/key/share/", key=owner_key)
    number = next(
        key["id"] for key in await list_keys(api, user_key) if key["name"] == "friend"
    )
    body = {"keys": [{"id": number}]}
    await api.ok("DELETE", PATH, body, key=user_key)
    assert await is_dead(api, friends_key)
    await api.ok("GET", "/v1/device/", key=neighbours_key)
    assert (await api.ok("GET", "/v1/user/devices/", key=friend))["devices"] == []
    again = {"token": share["token"]}
    await api.ok("POST", "/v1/key/authorize/", again, key=friend)
    [number] = [
        key["id"] for key in await list_keys(api, user_key) if key["name"] == "shared"
    ]
    await api.ok("DELETE", PATH, {"keys": [{"id": number}]}, key=user_key)
    reply = await api.post("/v1/key/authorize/", again, key=friend)
    assert (reply.status, reply.json["message"]) == (404, "token not exists")


async def test_what_is_not_revoked(
    api: Api, cloud: LocalCloud, user_key: str, master_key: str, guest: Guest
) -> None:
    """A master key, what does not exist, and what is somebody else's: none of the others goes."""
    friend, friends_key = await guest("friend")
    keyring = cloud.store.keyring
    mine = keyring.keys[user_key]
    before = take(cloud.store)
    for key, number, status in (
        (user_key, keyring.keys[master_key].id, 403),
        (user_key, 999, 404),
        (user_key, 0, 404),
        (user_key, keyring.keys[friend].id, 404),
        (friend, mine.id, 404),
        (friend, keyring.keys[master_key].id, 404),
    ):
        own = keyring.keys[key].id
        body = {"keys": [{"id": own}, {"id": number}]}
        for method in ("DELETE", "PUT"):
            reply = await api.call(method, PATH, body, key=key)
            assert reply.status == (status if method == "DELETE" else reply.status)
            assert reply.status != 200
    assert take(cloud.store) == before
    await api.ok("GET", "/v1/device/", key=friends_key)


async def test_a_master_key_is_replaced(
    api: Api,
    cloud: LocalCloud,
    device: Device,
    lamp: DeviceSocket,
    owner_key: str,
    user_key: str,
    master_key: str,
) -> None:
    """Who is connected with the old one is no longer, and tokens made with it are worth nothing."""
    await api.ok("POST", "/v1/device/activate/", {"token": TOKEN}, key=master_key)
    reply = await api.ok("POST", "/v1/key/regenerate/", key=owner_key)
    key = reply["key"]
    assert (key["is_master_key"], key["device_id"]) == (1, device.id)
    assert key["token"] == cloud.master_key(device) != master_key
    assert await lamp.ended() == b""
    assert await is_dead(api, master_key)
    reply = await api.post("/v1/key/authorize/", {"token": TOKEN}, key=user_key)
    assert reply.status == 404
    await api.ok("GET", "/v1/device/", key=owner_key)
    async with DeviceSocket(cloud) as again:
        await again.identify(device)
    cloud.revoke_key(cloud.master_key(device))
    await api.ok("POST", "/v1/key/regenerate/", key=owner_key)
    await api.ok("GET", "/v1/device/", key=cloud.master_key(device))


# One-time tokens


async def test_a_share_token_admits_one_guest(
    api: Api, cloud: LocalCloud, password_hash: str, owner_key: str, user_key: str
) -> None:
    """The first who comes; again, where the answer was lost. The owner does not use it up."""
    keyring = cloud.store.keyring
    first, second = (
        keyring.add_user_key(cloud.store.add_user(name, name, password_hash)).token
        for name in ("first@example.org", "second@example.org")
    )
    share = await api.ok("POST", "/v1/key/share/", key=owner_key)
    body = {"token": share["token"]}
    await api.ok("POST", "/v1/key/authorize/", body, key=user_key)
    got = await api.ok("POST", "/v1/key/authorize/", body, key=first)
    assert (await api.post("/v1/key/authorize/", body, key=second)).status == 404
    again = await api.ok("POST", "/v1/key/authorize/", body, key=first)
    assert again["key"]["token"] == got["key"]["token"]
    assert (await api.ok("GET", "/v1/user/devices/", key=second))["devices"] == []


async def test_a_former_owners_share_token_dies_with_the_sale(
    api: Api, cloud: LocalCloud, device: Device, password_hash: str, owner_key: str
) -> None:
    """Else they would let themselves in by it."""
    share = await api.ok("POST", "/v1/key/share/", key=owner_key)
    buyer, crony = (
        cloud.store.add_user(name, name, password_hash) for name in ("b@b", "c@c")
    )
    cloud.store.keyring.set_owner(device, buyer)
    key = cloud.store.keyring.add_user_key(crony).token
    body = {"token": share["token"]}
    assert (await api.post("/v1/key/authorize/", body, key=key)).status == 404


async def test_a_device_has_so_many_tokens(
    api: Api, cloud: LocalCloud, user_key: str, owner_key: str
) -> None:
    """The oldest goes, so that nobody fills the memory with them."""
    first, second, *_ = [
        (await api.ok("POST", "/v1/key/share/", key=owner_key))["token"]
        for _ in range(MAX_TOKENS + 1)
    ]
    assert len(cloud.store.keyring.tokens) == MAX_TOKENS
    for token, status in ((first, 404), (second, 200)):
        reply = await api.post("/v1/key/authorize/", {"token": token}, key=user_key)
        assert reply.status == status


# A new password


async def test_a_new_password_ends_what_the_old_one_opened(
    api: Api, cloud: LocalCloud, device: Device, user_key: str, owner_key: str,
    master_key: str, guest: Guest,
) -> None:  # fmt: skip
    """User keys are gone, the owner key has another text; guests and the device stay."""
    _, friends_key = await guest("friend")
    reply = await api.ok("POST", RESET, NEW)
    assert list(reply) == ["key", "status", "user"]
    assert await is_dead(api, user_key, PATH)
    assert await is_dead(api, owner_key)
    new_key = reply["key"]["token"]
    [listed] = (await api.ok("GET", "/v1/user/devices/", key=new_key))["devices"]
    assert listed["key"]["token"] == cloud.owner_key(device) != owner_key
    for key in (master_key, friends_key, listed["key"]["token"]):
        await api.ok("GET", "/v1/device/", key=key)
    assert (await api.post("/v1/keys/", {**NEW, "password": PASSWORD})).status == 403
    await api.ok("POST", "/v1/keys/", {**NEW, "password": "another"})


@pytest.mark.parametrize(("keep_devices", "stays"), [(None, 1), (1, 1), (0, 0)])
async def test_a_key_that_is_to_be_kept(
    api: Api,
    cloud: LocalCloud,
    user: User,
    user_key: str,
    owner_key: str,
    keep_devices: int | None,
    stays: int,
) -> None:
    """It outlives the password, unless whoever replaces that wants none to."""
    other = cloud.owner_key(cloud.add_device("other", user))
    number = cloud.store.keyring.keys[owner_key].id
    body = {"keys": [{"id": number, "keep": 1}]}
    reply = await api.ok("POST", f"{PATH}?method=PUT", body, key=user_key)
    assert [(key["id"], key["keep"]) for key in reply["keys"]] == [(number, 1)]
    setting = {} if keep_devices is None else {"keep_devices": keep_devices}
    reply = await api.ok("POST", RESET, {**NEW, **setting})
    assert await is_dead(api, owner_key) == (not stays)
    assert await is_dead(api, str(other))
    assert await is_dead(api, user_key, PATH)
    listed = await api.ok("GET", "/v1/user/devices/", key=reply["key"]["token"])
    assert [each["name"] for each in listed["devices"]] == ["Desk lamp", "other"]


async def test_what_cannot_be_kept(
    api: Api, cloud: LocalCloud, user_key: str, master_key: str, guest: Guest
) -> None:
    """A user key, a master key, and what somebody else holds."""
    _, friends_key = await guest("friend")
    for text in (user_key, master_key, friends_key):
        body = {"keys": [{"id": cloud.store.keyring.keys[text].id, "keep": 1}]}
        assert (await api.call("PUT", PATH, body, key=user_key)).status == 400


async def test_a_new_password_needs_the_old_one(
    api: Api, cloud: LocalCloud, user_key: str
) -> None:
    """A user key does not replace it: it may be stolen."""
    before = take(cloud.store)
    for change, status in (
        ({"password": "wrong"}, 403), ({"email": "nobody@example.org"}, 404),
        ({"new_password": ""}, 400), ({"new_password": "n" * 1025}, 400), ({"new_password": None}, 400),
    ):  # fmt: skip
        reply = await api.post(RESET, {**NEW, **change}, key=user_key)
        assert reply.status == status
    assert take(cloud.store) == before


async def test_two_new_passwords_at_once(api: Api, cloud: LocalCloud) -> None:
    """One of them comes first, and the old password is wrong from then on."""
    await cloud.add_account(EMAIL, PASSWORD)
    replies = await asyncio.gather(
        *(api.post(RESET, {**NEW, "new_password": name}) for name in ("one", "two"))
    )
    assert sorted(reply.status for reply in replies) == [200, 403]
    won = replies[1].status == 200
    body = {"email": EMAIL, "password": "two" if won else "one"}
    await api.ok("POST", "/v1/keys/", body)


async def test_who_runs_the_cloud_replaces_a_password(
    api: Api, cloud: LocalCloud, user: User, user_key: str, owner_key: str
) -> None:
    """The same one again ends nothing."""
    await cloud.set_password(user, PASSWORD)
    await api.ok("GET", PATH, key=user_key)
    cloud._known.note(user.id, "127.0.0.5")
    await cloud.set_password(user, "another")
    assert await is_dead(api, user_key, PATH)
    assert await is_dead(api, owner_key)
    assert not cloud._known.has(user.id, "127.0.0.5")
