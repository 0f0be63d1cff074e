"""Accounts and sign-in (protocol.md §2.2, §2.4)."""

import asyncio
import hashlib
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import User
from tests.credentials import EMAIL, PASSWORD

from .helpers import Api, DeviceSocket

SIGN_IN = {"email": EMAIL, "password": PASSWORD}


async def test_join_then_sign_in(api: Api) -> None:
    """A new account works at once."""
    account = {"username": "new", "email": "new@example.org", "password": "p"}
    assert await api.ok("POST", "/v1/user/join/", account) == {"status": 200}
    reply = await api.ok("POST", "/v1/user/login/", {**account, "remember": 1})
    assert list(reply) == ["key", "status", "user"]
    user = reply["user"]
    assert (user["username"], user["email"]) == ("new", "new@example.org")
    assert "password_hash" not in user
    await api.ok("GET", "/v1/user/devices/", key=reply["key"]["token"])


async def test_join_refuses_what_exists(api: Api, user: User) -> None:
    """409 for the e-mail or the user name, in whatever case; either could sign in as the other."""
    for account in (
        {"email": EMAIL.upper(), "password": "p"},
        {"email": "b@example.org", "username": EMAIL, "password": "p"},
    ):
        assert (await api.post("/v1/user/join/", account)).status == 409


async def test_joining_twice_at_once_makes_one_account(
    api: Api, cloud: LocalCloud
) -> None:
    """Hashing takes a while, in which the other one is not there yet."""
    account = {"email": "new@example.org", "password": "p"}
    replies = await asyncio.gather(
        *(api.post("/v1/user/join/", account) for _ in range(3))
    )
    assert sorted(reply.status for reply in replies) == [200, 409, 409]
    assert len(cloud.store.users) == 1


@pytest.mark.parametrize(
    "account",
    [
        {},
        {"email": "a@example.org"},
        {"password": "p"},
        {"email": "no address", "password": "p"},
        {"email": "a b@example.org", "password": "p"},
        {"email": "a@example.org", "password": ""},
        {"email": "a@example.org", "password": "p" * 1025},
        {"email": f"{'a' * 300}@example.org", "password": "p"},
    ],
)
async def test_join_refuses_a_bad_format(
    api: Api, cloud: LocalCloud, account: dict[str, Any]
) -> None:
    """400, and nothing is made."""
    assert (await api.post("/v1/user/join/", account)).status == 400
    assert not cloud.store.users


async def test_find(api: Api, user: User) -> None:
    """200 is taken, 404 is free."""
    for body, status in (
        ({"email": EMAIL}, 200),
        ({"email": EMAIL.title()}, 200),
        ({"username": EMAIL}, 200),
        ({"email": "x@example.org"}, 404),
        ({"username": "x"}, 404),
        ({}, 400),
    ):
        assert (await api.post("/v1/user/find/", body)).status == status


@pytest.mark.parametrize("path", ["/v1/user/login/", "/v1/keys/"])
async def test_sign_in_refusals(api: Api, user: User, path: str) -> None:
    """403 for a wrong password, 404 for who is not registered."""
    reply = await api.post(path, {**SIGN_IN, "password": "wrong"})
    assert (reply.status, reply.json) == (
        403,
        {"message": "wrong password", "status": 403},
    )
    reply = await api.post(path, {**SIGN_IN, "email": "x@example.org"})
    assert (reply.status, reply.json) == (
        404,
        {"message": "user not registered", "status": 404},
    )
    for password in ("", PASSWORD.upper(), PASSWORD + " ", "\ud800"):
        assert (await api.post(path, {**SIGN_IN, "password": password})).status == 403


async def test_keys_of_all_times(api: Api, user: User) -> None:
    """The form of 2019, that of 2014, and the e-mail in another case."""
    for body in (
        {**SIGN_IN, "scope": "user"},
        SIGN_IN,
        {**SIGN_IN, "email": f" {EMAIL.upper()} "},
        {"Authorization": {"username": EMAIL, "password": PASSWORD}},
    ):
        reply = await api.ok("POST", "/v1/keys/", body)
        assert list(reply) == ["keys", "status"]
        [key] = reply["keys"]
        assert (key["scope"], key["level"], key["user_id"]) == (1, 0, user.id)
    assert (await api.post("/v1/keys/", {**SIGN_IN, "scope": "device"})).status == 400


async def test_keys_over_the_device_port(socket: DeviceSocket, user: User) -> None:
    """Hashing does not hold up the connection: a ping is answered before."""
    socket.send({"path": "/v1/keys/", "method": "POST", "body": SIGN_IN, "nonce": 1})
    socket.send({"path": "/v1/ping/", "nonce": 2})
    assert (await socket.receive())["nonce"] == 2
    answer = await socket.receive()
    assert (answer["nonce"], answer["status"], len(answer["keys"])) == (1, 200, 1)
    answer = await socket.ask(
        "/v1/keys/", "POST", body={**SIGN_IN, "password": "wrong"}, nonce=3
    )
    assert answer == {"message": "wrong password", "nonce": 3, "status": 403}


async def test_passwords_are_hashed(cloud: LocalCloud, user: User) -> None:
    """Twice the same password is not twice the same hash."""
    other = await cloud.add_account("other@example.org", PASSWORD)
    assert PASSWORD not in user.password_hash
    assert user.password_hash != other.password_hash


async def test_a_hash_is_expensive(user: User) -> None:
    """As much as OWASP asks of scrypt at 16 MiB: its cost is part of the hash, and was paid."""
    name, log2_n, r, p, salt, digest = user.password_hash.split("$")
    assert (name, log2_n, r, p) == ("scrypt", "14", "8", "1")
    assert len(bytes.fromhex(salt)) == 16
    assert bytes.fromhex(digest) == hashlib.scrypt(
        PASSWORD.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1, dklen=32
    )
