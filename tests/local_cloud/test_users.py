"""Accounts and sign-in (protocol.md §2.2, §2.4)."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from local_cloud import LocalCloud
from local_cloud.errors import ApiError
from local_cloud.models import User
from local_cloud.rate_limits import (
    ACCOUNTS_IN_ALL,
    ACCOUNTS_PER_PEER,
    FAILURES_PER_EMAIL,
    FAILURES_PER_PAIR,
    FAILURES_PER_PEER,
    SIGN_IN_WINDOW,
    FailedSignIns,
    NewAccounts,
)
from tests.conftest import EMAIL, PASSWORD

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


async def test_guessing_is_stopped(api: Api, user: User) -> None:
    """After ten failures even the right password is refused for a while."""
    wrong = {**SIGN_IN, "password": "wrong"}
    for _ in range(FAILURES_PER_PAIR):
        assert (await api.post("/v1/keys/", wrong)).status == 403
    reply = await api.post("/v1/keys/", SIGN_IN)
    assert reply.status == reply.json["status"] == 429
    assert "too many failed sign-ins" in reply.json["message"]
    assert (await api.post("/v1/user/login/", SIGN_IN)).status == 429


async def test_guessing_all_at_once_is_stopped_too(api: Api, user: User) -> None:
    """No more guesses are told right or wrong than one after the other."""
    wrong = {**SIGN_IN, "password": "wrong"}
    guesses = [api.post("/v1/keys/", wrong) for _ in range(30)]
    statuses = [reply.status for reply in await asyncio.gather(*guesses)]
    assert statuses.count(403) == FAILURES_PER_PAIR
    assert statuses.count(429) == 20


async def test_a_success_forgives(api: Api, user: User) -> None:
    """Somebody who mistypes now and then is never locked out."""
    for _ in range(2):
        for _ in range(FAILURES_PER_PAIR - 1):
            await api.post("/v1/keys/", {**SIGN_IN, "password": "wrong"})
        await api.ok("POST", "/v1/keys/", SIGN_IN)


async def test_many_sign_ins_at_once(api: Api, user: User) -> None:
    """They succeed up to a number, beyond which they are refused and not queued."""
    sign_ins = [api.post("/v1/keys/", SIGN_IN) for _ in range(80)]
    statuses = [reply.status for reply in await asyncio.gather(*sign_ins)]
    assert statuses.count(200) >= 64
    assert set(statuses) <= {200, 429}


@pytest.mark.parametrize(
    ("names", "limit"),
    [
        (lambda number: ("peer", "email"), FAILURES_PER_PAIR),
        (lambda number: ("peer", f"email {number}"), FAILURES_PER_PEER),
        (lambda number: (f"peer {number}", "email"), FAILURES_PER_EMAIL),
    ],
)
def test_limits_per_pair_peer_and_email(
    names: Callable[[int], tuple[str, str]], limit: int
) -> None:
    """Neither more e-mails nor more addresses buy more guesses; time does."""
    now = 0.0
    failed = FailedSignIns(lambda: now)
    for number in range(limit):
        failed.check(*names(number))
        failed.add(*names(number))
    with pytest.raises(ApiError, match="in 301 seconds"):
        failed.check(*names(limit))
    failed.check("another peer", "another email")
    now = SIGN_IN_WINDOW - 1
    with pytest.raises(ApiError, match="in 2 seconds"):
        failed.check(*names(limit))
    now = SIGN_IN_WINDOW
    failed.check(*names(limit))


def test_failures_are_forgotten_by_themselves() -> None:
    """Whoever makes up e-mails does not fill the memory."""
    now = 0.0
    failed = FailedSignIns(lambda: now)
    for number in range(20_000):
        failed.add(f"peer {number}", f"email {number}")
    assert len(failed._counters) <= 30_003
    now = SIGN_IN_WINDOW
    failed.add("peer", "email")
    assert len(failed._counters) == 3


async def test_making_accounts_is_limited(api: Api, cloud: LocalCloud) -> None:
    """A stranger makes some in an hour; what is refused for another reason does not count."""
    for number in range(ACCOUNTS_PER_PEER):
        account = {"email": f"{number}@example.org", "password": "p"}
        assert (await api.post("/v1/user/join/", account)).status == 200
        assert (await api.post("/v1/user/join/", account)).status == 409
    account = {"email": "more@example.org", "password": "p"}
    reply = await api.post("/v1/user/join/", account)
    assert reply.status == reply.json["status"] == 429
    assert "too many new accounts" in reply.json["message"]
    assert len(cloud.store.users) == ACCOUNTS_PER_PEER
    # Whoever runs the cloud is no stranger.
    await cloud.add_account("more@example.org", "p")


@pytest.mark.parametrize(
    ("peer", "limit"),
    [
        (lambda number: "peer", ACCOUNTS_PER_PEER),
        (lambda number: f"peer {number}", ACCOUNTS_IN_ALL),
    ],
)
def test_limits_of_new_accounts(peer: Callable[[int], str], limit: int) -> None:
    """More addresses do not buy more accounts; time does."""
    now = 0.0
    joined = NewAccounts(lambda: now)
    for number in range(limit):
        joined.add(peer(number))
    with pytest.raises(ApiError, match="in 3601 seconds"):
        joined.add(peer(limit))
    now = 3600.0
    joined.add(peer(limit))
