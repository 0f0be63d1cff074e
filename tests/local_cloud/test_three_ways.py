"""One router, three ways in: HTTP, a frame at the device port, and a call within the process.

Every case is asked all three ways, each of a cloud of its own, and the answers are the same. Where
the device port differs, the case says how and why.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import json
import re
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientSession
import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.errors import ApiError
from custom_components.espcloud.local_cloud.lists import SLICE
from fuzz.populated_cloud import PopulatedCloud

from .helpers import WAIT, Api, DeviceSocket

NOW = 1_436_324_774
PLAN = {"type": "LOOP_PERIOD", "period": "day", "time": 1, "action": "a"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A request, its key by the name that it has in the populated cloud."""

    method: str = "GET"
    path: str
    key: str | None = None
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None
    status: int = 200
    on_device_port: dict[str, Any] = field(default_factory=dict)
    """Members of the answer that are others on the device port."""


POINT = {"datapoint": {"x": 1, "y": "text"}}
STREAM = "/v1/datastreams/s/datapoint/"
NO_KEY = {"message": "key not exists"}
"""Firmware takes the word `device` for something else (protocol.md §3.9, 2 and 3)."""
NO_OBJECT = {"message": "body must be an object"}
"""There the body is a member of the frame, which is JSON already."""

CASES = {
    "ping": Case(path="/v1/ping/"),
    "any method pings": Case(method="PUT", path="/v1/ping"),
    "a doubled slash": Case(path="//v1/ping/"),
    "a device": Case(path="/v1/device/", key="owner"),
    "no key": Case(path="/v1/device/", status=401),
    "a blank key": Case(path="/v1/device/", key="blank", status=401),
    "an unknown key": Case(
        path="/v1/device/", key="unknown", status=500, on_device_port=NO_KEY
    ),
    "an unknown key of an account": Case(
        path="/v1/keys/", key="unknown", status=403
    ),
    "another kind of key": Case(path="/v1/device/", key="user", status=403),
    "a shared key that must not": Case(
        method="PUT", path="/v1/device/", key="shared", status=403,
        body={"device": {"name": "n"}},
    ),
    "an unknown path": Case(path="/v1/nothing/", key="user", status=404),
    "no path": Case(path="/", status=404),
    "a query within the path": Case(path="/v1/ping/%3Fa=b", status=404),
    "another method": Case(method="DELETE", path="/v1/device/", key="owner", status=405),
    "a changed name": Case(
        method="PUT", path="/v1/device/", key="owner",
        body={"device": {"name": 'Lamp "台灯"', "metadata": "m"}},
    ),
    "a missing member": Case(method="PUT", path="/v1/device/", key="owner", status=400,
        on_device_port={"message": "peer must be an object"}),
    "a member of another type": Case(
        method="PUT", path="/v1/device/", key="owner", body={"device": {"name": 1}}, status=400,
    ),
    "POST means PUT": Case(
        method="POST", path="/v1/device/", key="owner", query={"method": "put"},
        body={"device": {"name": "n"}},
    ),
    "GET means GET": Case(path="/v1/device/", key="owner", query={"method": "PUT"}),
    "a datapoint": Case(method="POST", path=STREAM, key="owner", body=POINT),
    "the latest datapoint": Case(path=STREAM, key="shared"),
    "no datapoint": Case(path="/v1/datastreams/t/datapoint/", key="owner", status=404),
    "a datapoint without x": Case(
        method="POST", path=STREAM, key="owner", body={"datapoint": {}}, status=400
    ),
    "datapoints": Case(
        method="POST", path="/v1/datastreams/s/datapoints/", key="master",
        body={"datapoints": [{"x": 1, "at": "2015-07-08 11:06:14"}, {"x": {"red": 2}}]},
    ),
    "history": Case(path="/v1/datastreams/s/datapoints/", key="owner", query={"row_count": "1"}),
    "no number of rows": Case(
        path="/v1/datastreams/s/datapoints/", key="owner", query={"offset": "-1"}, status=400
    ),
    "a command to a device that is away": Case(
        path="/v1/device/rpc/", key="owner", status=404,
        query={"deliver_to_device": "true", "action": "LED_ON"},
    ),
    "a datapoint for a device that is away": Case(
        method="POST", path=STREAM, key="owner", body=POINT, status=404,
        query={"deliver_to_device": "true"},
    ),
    "a command without action": Case(path="/v1/device/rpc/", key="owner", status=400),
    "an upgrade that is not there": Case(
        path="/v1/device/rpc/", key="owner", status=404,
        query={"action": "sys_upgrade", "version": "v2"},
    ),
    "timers": Case(path="/v1/device/timers/", key="owner"),
    "a timer": Case(
        method="POST", path="/v1/device/timers/", key="owner", body={"timers": [PLAN]}
    ),
    "devices": Case(path="/v1/user/devices/", key="user"),
    "devices by group": Case(path="/v1/user/devices/", key="user", query={"list_by_group": "true"}),
    "a page of products": Case(
        path="/v1/products/", key="user", query={"offset": "0", "row_count": "1"}
    ),
    "a new product": Case(
        method="POST", path="/v1/products/", key="user", body={"products": [{"name": "p"}]}
    ),
    "devices of somebody else's product": Case(
        path="/v1/products/2/devices/", key="user", status=404
    ),
    "keys": Case(path="/v1/keys/", key="user"),
    "a new account": Case(
        method="POST", path="/v1/user/join/", body={"email": "new@example.org", "password": "p"}
    ),
    "an account that is there": Case(
        method="POST", path="/v1/user/join/", status=409,
        body={"email": "mine@example.org", "password": "p"},
    ),
    "a sign-in": Case(
        method="POST", path="/v1/user/login/", body={"email": "mine@example.org", "password": "p"}
    ),
    "a wrong password": Case(
        method="POST", path="/v1/user/login/", status=403,
        body={"email": "mine@example.org", "password": "wrong"},
    ),
    "a share": Case(method="POST", path="/v1/key/share/", key="owner", body={}),
    "an owner by a token": Case(
        method="POST", path="/v1/key/authorize/", key="other", body={"token": "t" * 40}
    ),
    "activation": Case(
        method="POST", path="/v1/device/activate/", key="master",
        body={"encrypt_method": "PLAIN", "token": "x" * 40, "bssid": "b", "rom_version": "v"},
    ),
    "activation with a secret": Case(
        method="POST", path="/v1/device/activate/", key="master", status=400,
        body={"encrypt_method": "MD5"},
    ),
    "a body that is no object": Case(
        method="PUT", path="/v1/device/", key="owner", body=[1], status=400,
        on_device_port=NO_OBJECT,
    ),
    "a body that nests too deeply": Case(
        method="PUT", path="/v1/device/", key="owner", body={"a": json.loads("[" * 40 + "]" * 40)},
        status=400, on_device_port={"message": "malformed frame"},
    ),
}  # fmt: skip

type Ask = Callable[[Case], Awaitable[Any]]


class World:
    """A cloud with people in it, in which the time stands still."""

    def __init__(self) -> None:
        """Make it."""
        populated = PopulatedCloud(clock=lambda: NOW)
        self.cloud: LocalCloud = populated.cloud
        self.device = populated.device
        self.keys = populated.keys | {"unknown": "0" * 40, "blank": " "}
        self.cloud._accounts._passwords.matches = self._matches  # type: ignore[method-assign]  # nothing is hashed here

    @asynccontextmanager
    async def ways(self) -> AsyncGenerator[dict[str, Ask]]:
        """Serve it, and ask it whichever way."""
        await self.cloud.start()
        try:
            async with ClientSession() as session, DeviceSocket(self.cloud) as socket:
                self._api, self._socket = Api(self.cloud, session), socket
                yield {
                    "http": self._over_http,
                    "device port": self._on_device_port,
                    "in process": self._in_process,
                }
        finally:
            await self.cloud.close()

    async def _over_http(self, case: Case) -> Any:
        query = f"?{urlencode(case.query)}" if case.query else ""
        reply = await self._api.call(
            case.method, case.path + query, case.body, key=self._key(case)
        )
        assert reply.status == reply.json["status"]
        return reply.json

    async def _on_device_port(self, case: Case) -> Any:
        members = {} if case.body is None else {"body": case.body}
        answer = await self._socket.ask(
            case.path,
            case.method,
            key=self._key(case) or "",
            get=case.query,
            nonce=7,
            **members,
        )
        if answer.get("message") != "malformed frame":
            assert answer.pop("nonce") == 7
        return answer

    async def _in_process(self, case: Case) -> Any:
        return await self.cloud.call(
            case.method, case.path, self._key(case), case.query, case.body
        )

    def _key(self, case: Case) -> str | None:
        return self.keys[case.key] if case.key else None

    @staticmethod
    async def _matches(password: str, stored: str) -> bool:
        return password == "p"


def without_chance(answer: Any) -> Any:
    """Return an answer with the keys and serials taken out that are drawn anew each time."""
    text = re.sub(r'"[0-9a-f]{40}"', '"a key"', json.dumps(answer))
    text = re.sub(r'("name": "device-name-)[0-9a-f]{8}"', r'\1"', text)
    return json.loads(re.sub(r'("serial": )"[0-9a-f]{8}"', r'\1"a serial"', text))


@pytest.mark.parametrize("name", CASES)
async def test_same_answer_all_three_ways(name: str) -> None:
    """Success or refusal, the three say the same, member by member and in the same order."""
    case = CASES[name]
    answers = {}
    for way in ("http", "device port", "in process"):
        world = World()
        async with world.ways() as ways:
            answers[way] = without_chance(await ways[way](case))
    assert answers["http"]["status"] == case.status, answers
    assert json.dumps(answers["in process"]) == json.dumps(answers["http"])
    expected = answers["http"] | case.on_device_port
    assert json.dumps(answers["device port"]) == json.dumps(expected)


async def test_what_a_device_is_pushed_and_answers() -> None:
    """It gets the same frame whichever way its owner asked, and its own answer goes back."""
    case = Case(
        method="POST",
        path="/v1/device/rpc/",
        key="owner",
        query={"deliver_to_device": "true", "action": "SET", "level": "3"},
        body={"a": [1]},
    )
    seen = []
    for way in ("http", "device port", "in process"):
        world = World()
        async with world.ways() as ways, DeviceSocket(world.cloud) as lamp:
            await lamp.identify(world.device)
            asking = asyncio.ensure_future(ways[way](case))
            push = await lamp.receive()
            assert push["meta"]["Authorization"] == f"token {world.keys['owner']}"
            lamp.acknowledge(push, level=3)
            async with asyncio.timeout(WAIT):
                answer = await asking
            assert answer.pop("nonce", None) in (None, push.pop("nonce"))
            seen.append((without_chance(push | {"meta": {}}), answer))
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][1] == {"deliver_to_device": True, "level": 3, "status": 200}


async def test_a_long_list() -> None:
    """Whole over HTTP and within the process; a page of it at the device port."""
    case = Case(path="/v1/user/devices/", key="user")
    answers = {}
    for way in ("http", "device port", "in process"):
        world = World()
        user = world.cloud.store.users[1]
        for number in range(2 * SLICE):
            world.cloud.add_device(f"lamp {number}", user)
        async with world.ways() as ways:
            answers[way] = without_chance(await ways[way](case))
    assert len(answers["http"]["devices"]) == 2 * SLICE + 1
    assert answers["in process"] == answers["http"]
    assert answers["device port"]["devices"] == answers["http"]["devices"][:SLICE]


@pytest.mark.parametrize(
    "path",
    ["/v1/device/identify/", "/v1/device/quit/"],
)
async def test_a_session_is_the_device_ports_alone(path: str) -> None:
    """What is no connection cannot be a device's, and does not end one."""
    world = World()
    async with world.ways() as ways, DeviceSocket(world.cloud) as lamp:
        await lamp.identify(world.device)
        case = Case(path=path, key="master")
        for way in ("http", "in process"):
            assert (await ways[way](case))["message"] == "what is that?"
        assert world.cloud.is_online(world.device)


class TestInProcess:
    """What concerns the call within the process alone."""

    @pytest.mark.parametrize(
        "arguments",
        [
            (None, "/v1/ping/"),
            ("GET", b"/v1/ping/"),
            ("GET", "/v1/ping/", 1),
            ("GET", "/v1/ping/", None, {"a": 1}),
            ("GET", "/v1/ping/", None, {1: "a"}),
            ("GET", "/v1/ping/", None, "a=b"),
            ("GET", "/v1/ping/", None, None, [1]),
            ("GET", "/v1/ping/", None, None, "text"),
            ("GET", "/v1/ping/", None, None, {"a": b"bytes"}),
            ("GET", "/v1/ping/", None, None, {"a": float("nan")}),
        ],
    )
    async def test_wrong_types(self, cloud: LocalCloud, arguments: tuple[Any]) -> None:
        """They are answered, and raise nothing."""
        assert (await cloud.call(*arguments))["status"] == 400

    async def test_a_body_that_contains_itself(self, cloud: LocalCloud) -> None:
        """It has no end."""
        body: dict[str, Any] = {}
        body["body"] = body
        assert (await cloud.call("GET", "/v1/ping/", body=body))["status"] == 400

    async def test_a_large_body(self, cloud: LocalCloud) -> None:
        """It may have any length, as far as it has not too many values."""
        answer = await cloud.call("GET", "/v1/ping/", body={"a": "x" * (2 << 20)})
        assert answer["status"] == 200
        answer = await cloud.call("GET", "/v1/ping/", body={"a": [0] * 60_000})
        assert answer == {"message": "the body has too many values", "status": 413}

    async def test_a_mistake_of_ours(
        self, cloud: LocalCloud, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It is an answer as well, and logged."""
        cloud._router._handlers["v1", "ping"]["GET"] = lambda request: {}["no"]
        answer = await cloud.call("GET", "/v1/ping/")
        assert answer == {"message": "internal error", "status": 500}
        assert "A call within the process failed" in caplog.text

    async def test_the_answer_is_the_callers_own(
        self, cloud: LocalCloud, owner_key: str
    ) -> None:
        """Changing it, or the body afterwards, changes nothing in the cloud."""
        plan: dict[str, Any] = {**PLAN, "weekdays": {"a": 1}}
        path = "/v1/device/timers/"
        body = {"timers": [plan]}
        answer = await cloud.call("POST", path, owner_key, body=body)
        plan["action"] = "other"
        answer["timers"][0]["action"] = "other"
        (timer,) = (await cloud.call("GET", path, owner_key))["timers"]
        assert timer["action"] == "a"

    async def test_while_the_cloud_does_not_run(self) -> None:
        """Nothing would come of it."""
        cloud = LocalCloud()
        assert (await cloud.call("GET", "/v1/ping/"))["status"] == 503
        await cloud.start()
        assert (await cloud.call("GET", "/v1/ping/"))["status"] == 200
        await cloud.close()
        assert (await cloud.call("GET", "/v1/ping/"))["status"] == 503

    async def test_strangers_do_not_lock_it_out(self) -> None:
        """Nor does it use up what strangers have: its failures are its own."""
        world = World()
        sign_in = Case(
            method="POST",
            path="/v1/user/login/",
            body={"email": "mine@example.org", "password": "wrong"},
        )
        async with world.ways() as ways:
            for guess in range(60):
                peer = f"192.0.2.{guess // 10}"
                with pytest.raises(ApiError) as refusal:
                    await world.cloud._accounts.sign_in("mine", "wrong", peer)
            assert refusal.value.status == 429
            statuses = [(await ways["in process"](sign_in))["status"] for _ in range(9)]
            assert statuses == [403] * 9
            right = {"email": "mine@example.org", "password": "p"}
            answer = await world.cloud.call("POST", "/v1/user/login/", body=right)
            assert answer["status"] == 200

    async def test_accounts_made_here_are_no_strangers(self) -> None:
        """They are as many as its caller wants, and leave strangers their own."""
        world = World()
        async with world.ways() as ways:
            for number in range(25):
                body = {"email": f"new{number}@example.org", "password": "p"}
                answer = await world.cloud.call("POST", "/v1/user/join/", body=body)
                assert answer["status"] == 200
            assert (await ways["http"](CASES["a new account"]))["status"] == 200

    async def test_addresses_that_an_account_knows(self, cloud: LocalCloud) -> None:
        """A call here pushes none of them out."""
        world = World()
        async with world.ways():
            await world.cloud.call("GET", "/v1/keys/", world.keys["user"])
        assert not world.cloud._known._used
