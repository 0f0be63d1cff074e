"""Guessing passwords and making accounts, from one address and from many."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import override

from aiohttp import ClientSession, TCPConnector
import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.addresses import (
    KNOWN_FOR,
    MAX_KNOWN,
    KnownAddresses,
    network_of,
)
from custom_components.espcloud.local_cloud.errors import ApiError
from custom_components.espcloud.local_cloud.models import User
from custom_components.espcloud.local_cloud.passwords import Passwords, hashes_at_once
from custom_components.espcloud.local_cloud.rate_limits import (
    ACCOUNTS_IN_ALL,
    ACCOUNTS_PER_ADDRESS,
    FAILURES_PER_ACCOUNT,
    FAILURES_PER_ADDRESS,
    FAILURES_PER_PAIR,
    MAX_REMEMBERED,
    SIGN_IN_WINDOW,
    Attempt,
    FailedSignIns,
    NewAccounts,
)
from tests.credentials import EMAIL, PASSWORD

from .helpers import Api, DeviceSocket, until

SIGN_IN = {"email": EMAIL, "password": PASSWORD}
WRONG = {**SIGN_IN, "password": "wrong"}


class HeldPasswords(Passwords):
    """Looks passwords up in place of hashing them, when it is let; counts how often."""

    def __init__(self) -> None:
        """Begin letting."""
        self.looks = 0
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    @override
    async def hash(self, password: str) -> str:
        return password

    @override
    async def matches(self, password: str, stored: str) -> bool:
        self.looks += 1
        await self.may_go_on.wait()
        return password == PASSWORD


@pytest.fixture
def passwords(cloud: LocalCloud) -> HeldPasswords:
    """Spare the cloud the hashing."""
    cloud._accounts._passwords = passwords = HeldPasswords()
    return passwords


@pytest.fixture
def clock(cloud: LocalCloud) -> Callable[[float], None]:
    """Return what sets the clock of the limits."""
    now = 0.0

    def read() -> float:
        return now

    def put(seconds: float) -> None:
        nonlocal now
        now = seconds

    known = KnownAddresses(read)
    cloud._accounts._known = known
    cloud._accounts._failed = FailedSignIns(read, known)
    return put


@asynccontextmanager
async def at(cloud: LocalCloud, address: str) -> AsyncGenerator[Api]:
    """Call from another address of this machine."""
    connector = TCPConnector(limit=0, local_addr=(address, 0))
    async with ClientSession(connector=connector) as session:
        yield Api(cloud, session)


async def guess(cloud: LocalCloud, peer: str, email: str = EMAIL) -> int:
    """Try a wrong password and return the status."""
    try:
        await cloud._accounts.sign_in(email, "wrong", peer)
    except ApiError as error:
        return error.status
    return 200


# Hashing


async def test_80_sign_ins_at_once_disturb_nobody(
    cloud: LocalCloud, user: User, passwords: HeldPasswords
) -> None:
    """While one person's wait, another gets in at once, and a file is saved."""
    await cloud.add_account("other@example.org", "p")
    passwords.may_go_on.clear()
    async with at(cloud, "127.0.0.2") as greedy, at(cloud, "127.0.0.3") as other:
        sign_ins = [
            asyncio.ensure_future(greedy.post("/v1/keys/", SIGN_IN)) for _ in range(80)
        ]
        await until(lambda: len(cloud._accounts._hashing) >= 60)
        looks = passwords.looks
        mine = asyncio.ensure_future(
            other.post("/v1/keys/", {**SIGN_IN, "email": "other@example.org"})
        )
        await until(lambda: len(cloud._accounts._hashing) >= 61)
        order: list[str] = []
        mine.add_done_callback(lambda _: order.append("other"))
        for sign_in in sign_ins:
            sign_in.add_done_callback(lambda _: order.append("greedy"))
        passwords.may_go_on.set()
        assert (await mine).status == 200
        assert order.count("greedy") < 80 - 40
        statuses = [reply.status for reply in await asyncio.gather(*sign_ins)]
    assert statuses.count(200) >= 64
    assert set(statuses) <= {200, 429}
    assert looks <= 4


async def test_hashing_and_saving_have_workers_of_their_own(cloud: LocalCloud) -> None:
    """However many hashes are under way, the state is saved."""
    assert cloud._hashing is not cloud._database._writer
    assert cloud._accounts._passwords._workers is cloud._hashing


# Guessing


async def test_guessing_is_stopped(api: Api, user: User) -> None:
    """After ten failures even the right password is refused for a while."""
    for _ in range(FAILURES_PER_PAIR):
        assert (await api.post("/v1/keys/", WRONG)).status == 403
    reply = await api.post("/v1/keys/", SIGN_IN)
    assert reply.status == reply.json["status"] == 429
    assert "too many failed sign-ins" in reply.json["message"]
    assert (await api.post("/v1/user/login/", SIGN_IN)).status == 429


async def test_guessing_all_at_once_is_stopped_too(api: Api, user: User) -> None:
    """No more guesses are told right or wrong than one after the other."""
    guesses = [api.post("/v1/keys/", WRONG) for _ in range(30)]
    statuses = [reply.status for reply in await asyncio.gather(*guesses)]
    assert statuses.count(403) == FAILURES_PER_PAIR
    assert statuses.count(429) == 20


async def test_guesses_that_wait_when_it_is_stopped_cost_nothing(
    cloud: LocalCloud, user: User, passwords: HeldPasswords
) -> None:
    """Else whoever guesses keeps others waiting with what they are not told."""
    passwords.may_go_on.clear()
    guesses = [asyncio.ensure_future(guess(cloud, "peer")) for _ in range(60)]
    await until(lambda: passwords.looks > 0)
    passwords.may_go_on.set()
    await asyncio.gather(*guesses)
    assert passwords.looks < FAILURES_PER_PAIR + hashes_at_once()


async def test_a_guess_that_was_under_way_learns_nothing(
    cloud: LocalCloud, user: User, passwords: HeldPasswords
) -> None:
    """Even a right one, where the limit was reached meanwhile."""
    passwords.may_go_on.clear()
    right = asyncio.ensure_future(cloud._accounts.sign_in(EMAIL, PASSWORD, "peer"))
    await until(lambda: passwords.looks == 1)
    for _ in range(FAILURES_PER_PAIR):
        cloud._accounts._failed.add(Attempt(user, "peer"))
    passwords.may_go_on.set()
    with pytest.raises(ApiError, match="too many failed"):
        await right


async def test_a_password_that_was_replaced_meanwhile_is_wrong(
    cloud: LocalCloud, user: User, passwords: HeldPasswords
) -> None:
    """Else somebody would get in with the old one after all."""
    passwords.may_go_on.clear()
    old = asyncio.ensure_future(cloud._accounts.sign_in(EMAIL, PASSWORD, "peer"))
    await until(lambda: passwords.looks == 1)
    user.password_hash = "new"
    passwords.may_go_on.set()
    with pytest.raises(ApiError, match="wrong password"):
        await old


async def test_a_success_forgives(
    api: Api, user: User, passwords: HeldPasswords
) -> None:
    """Somebody who mistypes now and then is never locked out."""
    for _ in range(8):
        for _ in range(FAILURES_PER_PAIR - 1):
            assert (await api.post("/v1/keys/", WRONG)).status == 403
        await api.ok("POST", "/v1/keys/", SIGN_IN)


async def test_guesses_from_many_addresses_stay_within_50_in_5_minutes(
    cloud: LocalCloud,
    user: User,
    passwords: HeldPasswords,
    clock: Callable[[float], None],
) -> None:
    """In any five minutes, whenever they begin; a password is not even looked at beyond that."""
    told: list[int] = []
    for second in range(0, 1200, 4):
        clock(second)
        guesses = [await guess(cloud, f"10.0.{second}.{number}") for number in range(5)]
        told += [second] * guesses.count(403)
    assert len(told) == passwords.looks == 4 * FAILURES_PER_ACCOUNT
    for start in told:
        window = [time for time in told if start <= time < start + SIGN_IN_WINDOW]
        assert len(window) <= FAILURES_PER_ACCOUNT


async def test_the_owner_at_an_address_of_their_own_still_gets_in(
    cloud: LocalCloud, user: User, passwords: HeldPasswords
) -> None:
    """While strangers have used up their guesses, at the ports themselves."""
    async with at(cloud, "127.0.0.2") as owner:
        await owner.ok("POST", "/v1/keys/", SIGN_IN)
        for number in range(6):
            async with at(cloud, f"127.0.1.{number}") as stranger:
                for _ in range(FAILURES_PER_PAIR):
                    await stranger.post("/v1/keys/", WRONG)
        async with at(cloud, "127.0.2.1") as stranger:
            assert (await stranger.post("/v1/keys/", SIGN_IN)).status == 429
        assert passwords.looks == 1 + FAILURES_PER_ACCOUNT
        await owner.ok("POST", "/v1/keys/", SIGN_IN)
        # They may mistype, too, and have no more guesses than anybody at one address.
        for _ in range(FAILURES_PER_PAIR):
            assert (await owner.post("/v1/keys/", WRONG)).status == 403
        assert (await owner.post("/v1/keys/", SIGN_IN)).status == 429


async def test_an_owner_with_a_key_gets_in_from_anywhere(
    cloud: LocalCloud, user: User, user_key: str, passwords: HeldPasswords
) -> None:
    """A user key that comes along has an allowance of its own; another account's has not."""
    other = await cloud.add_account("other@example.org", "p")
    foreign = cloud.store.keyring.add_user_key(other).token
    owner_key = cloud.owner_key(cloud.add_device("lamp", user))
    for number in range(FAILURES_PER_ACCOUNT):
        assert await guess(cloud, f"10.0.0.{number}") == 403
    async with at(cloud, "127.0.0.9") as anywhere:
        for key in (None, foreign, owner_key, "0" * 40):
            assert (await anywhere.post("/v1/keys/", SIGN_IN, key=key)).status == 429
        for _ in range(FAILURES_PER_PAIR):
            assert (await anywhere.post("/v1/keys/", WRONG, key=user_key)).status == 403
        reply = await anywhere.post("/v1/keys/", SIGN_IN, key=user_key)
        assert reply.status == 429
        cloud._accounts._failed._of_owner.clear()
        await anywhere.ok("POST", "/v1/keys/", SIGN_IN, key=user_key)


@pytest.mark.parametrize("port", ["http", "device"])
async def test_an_address_where_a_user_key_works_is_known(
    cloud: LocalCloud, user: User, user_key: str, passwords: HeldPasswords, port: str
) -> None:
    """Home Assistant's, for one; on either port."""
    if port == "http":
        async with at(cloud, "127.0.0.1") as owner:
            await owner.ok("GET", "/v1/user/devices/", key=user_key)
    else:
        async with DeviceSocket(cloud) as owner_socket:
            await owner_socket.ask("/v1/user/devices/", key=user_key)
    for number in range(FAILURES_PER_ACCOUNT):
        await guess(cloud, f"10.0.0.{number}")
    await cloud._accounts.sign_in(EMAIL, PASSWORD, "127.0.0.1")
    with pytest.raises(ApiError):
        await cloud._accounts.sign_in(EMAIL, PASSWORD, "127.0.0.8")


async def test_made_up_names_push_no_count_out(
    cloud: LocalCloud, user: User, passwords: HeldPasswords
) -> None:
    """300 addresses and 30,000 e-mails later, the account has had its 50."""
    for number in range(FAILURES_PER_ACCOUNT):
        assert await guess(cloud, f"10.0.0.{number}") == 403
    for number in range(30_000):
        await guess(cloud, f"10.1.{number % 300}", f"{number}@example.org")
    failed = cloud._accounts._failed
    for number in range(2 * MAX_REMEMBERED):
        failed.add(Attempt(None, f"peer {number}"))
        failed.add(Attempt(replace(user, id=1000 + number), f"peer {number}"))
    assert await guess(cloud, "10.0.0.99") == 429
    assert passwords.looks == FAILURES_PER_ACCOUNT
    assert len(failed._of_address) <= MAX_REMEMBERED
    assert len(failed._of_pair) <= MAX_REMEMBERED


async def test_one_address_tries_no_password_everywhere(
    cloud: LocalCloud, passwords: HeldPasswords
) -> None:
    """Whatever the accounts, and whether they exist."""
    emails = [f"{number}@example.org" for number in range(FAILURES_PER_ADDRESS)]
    for email in emails[::2]:
        await cloud.add_account(email, "p")
    statuses = [await guess(cloud, "peer", email) for email in emails]
    assert statuses == [403, 404] * 25
    assert await guess(cloud, "peer", emails[0]) == 429
    assert await guess(cloud, "another peer", emails[0]) == 403


async def test_an_ipv6_household_is_one_address(
    cloud: LocalCloud, user: User, passwords: HeldPasswords
) -> None:
    """The /64 counts; an IPv4 address is the same in either notation."""
    for number in range(FAILURES_PER_PAIR):
        assert await guess(cloud, f"2001:db8::{number:x}:1") == 403
    assert await guess(cloud, "2001:db8::ffff:ffff:ffff:ffff") == 429
    assert await guess(cloud, "2001:db8:0:1::1") == 403
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("") == ""


def test_known_addresses() -> None:
    """Sixteen of an account, for thirty days after their last use."""
    now = 0.0
    known = KnownAddresses(lambda: now)
    known.note(1, "first")
    for number in range(MAX_KNOWN):
        known.note(1, f"10.0.0.{number}")
        known.note(1, "10.0.0.0")
    assert not known.has(1, "first")
    assert known.has(1, "10.0.0.0")
    assert not known.has(2, "10.0.0.0")
    now = KNOWN_FOR - 1
    known.note(1, "10.0.0.1")
    now = KNOWN_FOR
    assert not known.has(1, "10.0.0.0")
    assert known.has(1, "10.0.0.1")
    known.forget(1)
    assert not known.has(1, "10.0.0.1")


@pytest.mark.parametrize(
    ("attempts", "limit"),
    [
        (lambda user, other: (Attempt(user, "p") for _ in count()), FAILURES_PER_PAIR),
        (
            lambda user, other: (Attempt(None, "p") for _ in count()),
            FAILURES_PER_ADDRESS,
        ),
        (
            lambda user, other: (Attempt(user, f"p{number}") for number in count()),
            FAILURES_PER_ACCOUNT,
        ),
    ],
)
def test_time_forgives(
    user: User, attempts: Callable[[User, User], object], limit: int
) -> None:
    """Five minutes after the first of the failures there is one guess more."""
    now = 0.0
    failed = FailedSignIns(lambda: now, KnownAddresses(lambda: now))
    tries = iter(attempts(user, user))  # type: ignore[call-overload]  # any iterator
    for _ in range(limit):
        attempt = next(tries)
        failed.check(attempt)
        failed.add(attempt)
        now += 1
    attempt = next(tries)
    with pytest.raises(ApiError, match=f"in {301 - limit} seconds"):
        failed.check(attempt)
    now = SIGN_IN_WINDOW - 1
    with pytest.raises(ApiError, match="in 2 seconds"):
        failed.check(attempt)
    now = SIGN_IN_WINDOW
    failed.check(attempt)
    failed.add(attempt)
    with pytest.raises(ApiError, match="in 2 seconds"):
        failed.check(attempt)


def test_failures_are_forgotten_by_themselves() -> None:
    """Nothing is kept of addresses that do not come back."""
    now = 0.0
    failed = FailedSignIns(lambda: now, KnownAddresses(lambda: now))
    for number in range(500):
        failed.add(Attempt(None, f"peer {number}"))
    assert len(failed._of_address) == 500
    now = SIGN_IN_WINDOW
    failed.add(Attempt(None, "peer"))
    assert len(failed._of_address) == 1


# New accounts


async def test_making_accounts_is_limited(
    api: Api, cloud: LocalCloud, passwords: HeldPasswords
) -> None:
    """A stranger makes some in an hour; what is refused for another reason does not count."""
    for number in range(ACCOUNTS_PER_ADDRESS):
        account = {"email": f"{number}@example.org", "password": "p"}
        assert (await api.post("/v1/user/join/", account)).status == 200
        assert (await api.post("/v1/user/join/", account)).status == 409
    account = {"email": "more@example.org", "password": "p"}
    reply = await api.post("/v1/user/join/", account)
    assert reply.status == reply.json["status"] == 429
    assert "too many new accounts" in reply.json["message"]
    assert len(cloud.store.users) == ACCOUNTS_PER_ADDRESS
    # Whoever runs the cloud is no stranger.
    await cloud.add_account("more@example.org", "p")


@pytest.mark.parametrize(
    ("peer", "limit"),
    [
        (lambda number: f"2001:db8::{number:x}", ACCOUNTS_PER_ADDRESS),
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
