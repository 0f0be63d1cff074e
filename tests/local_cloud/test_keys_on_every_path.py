"""Every path with every key that does not open it: nothing is read, nothing is changed."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
import json
from typing import Any

from aiohttp import ClientSession
import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from fuzz.populated_cloud import PopulatedCloud
from fuzz.snapshot import take
from tests.firmware import image

from .helpers import Api, DeviceSocket, firmware_body

PLAN = {"type": "LOOP_PERIOD", "period": "day", "time": 1, "action": "a"}
ANY_DEVICE_KEY = {"master", "owner", "shared"}
OPEN = {"anybody"}


@dataclass(frozen=True)
class Path:
    """A path, with a request that does something where the key is right."""

    method: str
    pattern: str
    keys: set[str]
    body: Any = None
    query: str = ""

    @property
    def path(self) -> str:
        """The path of what is mine: the product 1, the datastream s."""
        name = "1" if "products" in self.pattern else "s"
        return self.pattern.replace("*", name)


PATHS = [
    Path("POST", "/v1/user/join/", OPEN, {"email": "mine@example.org", "password": "p"}),
    Path("POST", "/v1/user/login/", OPEN, {"email": "mine@example.org", "password": "p"}),
    Path("POST", "/v1/user/find/", OPEN, {"email": "nobody@example.org"}),
    Path("POST", "/v1/keys/", OPEN, {"email": "mine@example.org", "password": "p"}),
    Path("POST", "/v1/user/resetpassword/", OPEN, {"email": "mine@example.org", "password": "p", "new_password": "q"}),
    Path("POST", "/v1/user/resetpassword/mail/", OPEN, {"email": "mine@example.org"}),
    Path("GET", "/v1/resource/sms/", OPEN, query="state=login&phone=1"),
    Path("GET", "/v1/keys/", {"user"}),
    Path("PUT", "/v1/keys/", {"user"}, {"keys": [{"id": 1, "keep": 1}]}),
    Path("DELETE", "/v1/keys/", {"user"}, {"keys": [{"id": 1}]}),
    *(Path(method, "/v1/ping/", OPEN) for method in ("GET", "POST", "PUT", "DELETE")),
    Path("GET", "/v1/user/devices/", {"user"}),
    Path("GET", "/v1/user/devices/groups/", {"user"}),
    Path("POST", "/v1/user/devices/groups/", {"user"}, {"deviceGroups": [{"name": "g"}]}),
    Path("PUT", "/v1/user/devices/groups/", {"user"}, {"deviceGroups": [{"id": 1, "name": "g"}]}),
    Path("DELETE", "/v1/user/devices/groups/", {"user"}, {"deviceGroups": [{"id": 1}]}),
    Path("GET", "/v1/products/", {"user"}),
    Path("POST", "/v1/products/", {"user"}, {"products": [{"name": "p"}]}),
    Path("GET", "/v1/products/*/devices/", {"user"}),
    Path("POST", "/v1/products/*/devices/", {"user"}, {"devices": [{}]}),
    Path("POST", "/v1/key/authorize/", {"user"}, {"token": "no such token"}),
    Path("POST", "/v1/key/share/", {"owner"}, {}),
    Path("POST", "/v1/key/regenerate/", {"owner"}),
    Path("DELETE", "/v1/key/", {"user", "owner", "shared"}),
    Path("POST", "/v1/users/join/", OPEN, {"email": "mine@example.org", "password": "p"}),
    Path("GET", "/v1/user/devicekeys/", {"user"}),
    Path("POST", "/v1/device/deployed/", {"user"}, {"product": {"name": "p"}, "device": {}, "datastreamTmpls": [{"name": "t"}]}),
    Path("GET", "/v1/device/debugs/", {"master", "owner"}),
    Path("POST", "/v1/device/debugs/", {"master", "owner"}, {"debugs": [{"type": 1, "errno": 2, "message": "m"}]}),
    Path("GET", "/v1/device/", ANY_DEVICE_KEY),
    Path("PUT", "/v1/device/", {"master", "owner"}, {"device": {"name": "n", "metadata": "m"}}),
    Path("POST", "/v1/device/activate/", {"master"}, {"token": "x" * 40}),
    Path("GET", "/v1/device/identify/", {"master"}),
    Path("POST", "/v1/device/identify/", {"master"}),
    Path("GET", "/v1/device/rpc/", ANY_DEVICE_KEY, query="deliver_to_device=true&action=a"),
    Path("POST", "/v1/device/rpc/", ANY_DEVICE_KEY, query="deliver_to_device=true&action=a"),
    Path("GET", "/v1/device/timers/", ANY_DEVICE_KEY),
    Path("POST", "/v1/device/timers/", {"master", "owner"}, {"timers": [PLAN]}),
    Path("PUT", "/v1/device/timers/", {"master", "owner"}, {"timers": [{"id": 1, **PLAN}]}),
    Path("DELETE", "/v1/device/timers/", {"master", "owner"}, {"timers": [{"id": 1}]}),
    Path("GET", "/v1/device/rom/", ANY_DEVICE_KEY),
    *(
        Path(method, path, {"user"}, body, query)
        for path, query in (("/v1/products/*/roms/", ""), ("/v1/roms/", "ptype=1"))
        for method, body in (
            ("GET", None),
            ("POST", firmware_body("v1.0.0t1(a)", image.build(1, 40), image.build(2, 40))),
            ("DELETE", {"productRoms": [{"version": "v1.0.0t1(a)"}]}),
        )
    ),
    Path("GET", "/v1/products/*/datastreamTmpls/", {"user"}),
    Path("POST", "/v1/products/*/datastreamTmpls/", {"user"}, {"datastreamTmpls": [{"name": "t"}]}),
    Path("DELETE", "/v1/products/*/datastreamTmpls/", {"user"}, {"datastreamTmpls": [{"id": 1}]}),
    Path("GET", "/v1/trigger/", ANY_DEVICE_KEY),
    Path("POST", "/v1/trigger/", {"master", "owner"}, {"trigger": {"name": "t", "compare_type": 1, "threshold_value": 1}}),
    Path("PUT", "/v1/trigger/", {"master", "owner"}, {"trigger": {"id": 1, "name": "u"}}),
    Path("DELETE", "/v1/trigger/", {"master", "owner"}, {"trigger": {"id": 1}}),
    Path("POST", "/v1/mbox/", {"user", *ANY_DEVICE_KEY}, {"action": "publish", "name": "n", "data": 1}),
    Path("GET", "/v1/pns/peer/", {"user"}, query="action=unregister&peer_token=p"),
    Path("POST", "/v1/messages/", {"master", "owner"}, {"rom_version": "v"}, "action=device_upgrade_success"),
    Path("GET", "/v1/datastreams/*/datapoint/", ANY_DEVICE_KEY),
    Path("POST", "/v1/datastreams/*/datapoint/", ANY_DEVICE_KEY, {"datapoint": {"x": 1}}),
    Path("GET", "/v1/datastreams/*/datapoints/", ANY_DEVICE_KEY),
    Path("POST", "/v1/datastreams/*/datapoints/", ANY_DEVICE_KEY, {"datapoints": [{"x": 1}]}),
]  # fmt: skip
"""All but `/v1/device/quit/`, which ends the caller's own connection and answers nothing."""

MINE = {"account", "device", "activity", "keys", "tokens", "masters", "people"}
NO_KEYS = ("none", "unknown", "revoked", "expired", "token", "share", "old token")
FOREIGN = {"other": "user", "theirs": "owner", "plug": "master"}
"""Good keys of somebody else, and which of mine each is the like of."""


@pytest.fixture
async def populated() -> AsyncGenerator[PopulatedCloud]:
    """Serve a cloud with everything in it, and three more keys that open nothing."""
    populated = PopulatedCloud()
    context, keyring = populated.cloud.store.context, populated.cloud.store.keyring
    mine = populated.cloud.store.users[1]
    revoked, expired = keyring.add_user_key(mine), keyring.add_user_key(mine)
    keyring.remove(revoked)
    expired.expired_at = context.now() - 1
    now = context.now()
    context.clock = lambda: now - 601
    old = keyring.add_token(populated.for_sale, "o" * 40, "sale", is_owner_key=1)
    context.clock = lambda: now
    populated.keys |= {
        "unknown": "0" * 40,
        "revoked": revoked.token,
        "expired": expired.token,
        "old token": old.token,
    }
    await populated.cloud.start()
    yield populated
    await populated.cloud.close()


@pytest.fixture
def cloud(populated: PopulatedCloud) -> LocalCloud:
    """Return the populated cloud."""
    return populated.cloud


def secrets(populated: PopulatedCloud, own: str) -> set[str]:
    """Return what only I may read, but for the key that was presented."""
    keys = {
        key.token
        for key in populated.cloud.store.keyring.keys.values()
        if key.user_id == 1
        or key.device_id in (populated.device.id, populated.for_sale.id)
    }
    mine = {
        "of mine",
        "by mine",
        "mine@example.org",
        "a_mine",
        "trigger of mine",
        "t" * 40,
        "s" * 40,
    }
    return (keys | mine) - {own}


class Caller:
    """Somebody on one of the ports."""

    def __init__(
        self, populated: PopulatedCloud, port: str, session: ClientSession
    ) -> None:
        """Call at `port`."""
        self._cloud = populated.cloud
        self._port = port
        self._api = Api(populated.cloud, session)

    async def call(self, path: Path, key: str) -> tuple[int, str]:
        """Return the status of the answer, and the answer."""
        if self._port == "http":
            where = f"{path.path}?{path.query}"
            reply = await self._api.call(path.method, where, path.body, key=key)
            return reply.status, reply.text
        get = dict(pair.split("=") for pair in path.query.split("&") if pair)
        async with DeviceSocket(self._cloud) as socket:
            answer = await socket.ask(
                path.path, path.method, key=key, get=get, body=path.body or {}, nonce=1
            )
        return answer["status"], json.dumps(answer)


@pytest.fixture(params=["http", "device"])
async def caller(
    request: pytest.FixtureRequest, populated: PopulatedCloud
) -> AsyncGenerator[Caller]:
    """Call on each port."""
    async with ClientSession() as session:
        yield Caller(populated, request.param, session)


def test_the_table_has_every_path() -> None:
    """A path that is added needs its line here."""
    handlers = PopulatedCloud().cloud._router._handlers
    there = {
        (method, f"/{'/'.join(segments)}/")
        for segments, by_method in handlers.items()
        for method in by_method
    }
    told = {(path.method, path.pattern) for path in PATHS}
    assert {each for each in there - told if each[1] != "/v1/device/quit/"} == set()
    assert told <= there


@pytest.mark.parametrize("kind", ["user", "owner", "shared", "master", *NO_KEYS])
async def test_a_key_that_does_not_open_a_path(
    populated: PopulatedCloud, caller: Caller, kind: str
) -> None:
    """It is refused before anything else is looked at."""
    key = populated.keys.get(kind, "")
    tried = 0
    for path in PATHS:
        if kind in path.keys:
            continue
        before = take(populated.cloud.store)
        status, text = await caller.call(path, key)
        if path.keys is not OPEN:
            assert status in {401, 403, 404, 500}, (path, text)
            tried += 1
        assert take(populated.cloud.store) == before, path
        assert not [each for each in secrets(populated, key) if each in text], path
        assert not populated.cloud.is_online(populated.device)
    assert tried > 10


@pytest.mark.parametrize("kind", FOREIGN)
async def test_a_key_of_somebody_else(
    populated: PopulatedCloud, caller: Caller, kind: str
) -> None:
    """It works, for what is theirs; mine stays as it was."""
    before = populated.areas()
    opened = 0
    for path in PATHS:
        status, text = await caller.call(path, populated.keys[kind])
        if FOREIGN[kind] not in path.keys and path.keys is not OPEN:
            assert status in {401, 403, 404, 500}, (path, text)
        opened += status == 200
        after = populated.areas()
        assert not [area for area in MINE if before[area] != after[area]], path
        assert not [each for each in secrets(populated, "") if each in text], path
        assert not populated.cloud.is_online(populated.device)
    assert opened > 5


@pytest.mark.parametrize("kind", ["user", "owner", "shared", "master"])
async def test_a_key_that_opens_a_path(populated: PopulatedCloud, kind: str) -> None:
    """Else all of the above would prove nothing: each key is good for what it is for."""
    async with ClientSession() as session:
        caller = Caller(populated, "http", session)
        opened = [
            path
            for path in PATHS
            if kind in path.keys
            and path.pattern != "/v1/key/"
            and (await caller.call(path, populated.keys[kind]))[0] == 200
        ]
    assert len(opened) > 5


async def test_a_one_time_token_is_no_key_and_ends(populated: PopulatedCloud) -> None:
    """Presented in time it gives the device away, afterwards it is worth nothing."""
    async with ClientSession() as session:
        api = Api(populated.cloud, session)
        before = take(populated.cloud.store)["keys"]
        late = await api.post(
            "/v1/key/authorize/",
            {"token": populated.keys["old token"]},
            key=populated.keys["other"],
        )
        assert late.status == 404
        assert take(populated.cloud.store)["keys"] == before
        await api.ok(
            "POST",
            "/v1/key/authorize/",
            {"token": populated.keys["token"]},
            key=populated.keys["other"],
        )
        assert take(populated.cloud.store)["keys"] != before
