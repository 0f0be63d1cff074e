"""The HTTP API, against a real cloud and against what is none."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
import gzip
import ssl
import time
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
from hypothesis import HealthCheck, given, settings
import orjson
import pytest
from yarl import URL

from custom_components.espcloud.cloud import (
    AuthenticationError,
    CannotConnectError,
    CloudClient,
    CloudError,
    CloudTimeoutError,
    CommandRejectedError,
    DeviceBusyError,
    DeviceOfflineError,
    LoopPeriod,
    LoopTimer,
    NoTlsError,
    RateLimitedError,
    RequestRefusedError,
    UnexpectedAnswerError,
    UnknownAccountError,
    UntrustedCertificateError,
    http_transport,
    is_key,
    new_token,
)
from custom_components.espcloud.cloud.http_transport import (
    MAX_ANSWER_BYTES,
    MAX_ANSWER_NESTS,
    MOST_DEVICES,
)
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from tests.credentials import EMAIL, PASSWORD
from tests.raw_device import RawDevice

from .certificates import Certificates
from .helpers import (
    BSSID,
    CALLER_TOKEN,
    MASTER_KEY,
    USER_KEY,
    Leftovers,
    altered,
    ask,
    everything_of,
)
from .scripted_server import (
    DEVICE,
    DeafServer,
    Peer,
    ScriptedServer,
    client_sockets,
    http_answer,
)

UNKNOWN_KEY = "0" * 40
DAILY = LoopTimer(1, LoopPeriod.DAY, "on_switch", 5)

type Call = Callable[[CloudClient], Awaitable[Any]]

CALLS: dict[str, Call] = {
    "create_user_key": lambda client: client.create_user_key(EMAIL, PASSWORD),
    "list_devices": lambda client: client.list_devices(USER_KEY),
    "get_device": lambda client: client.owner.get_device(MASTER_KEY),
    "activate": lambda client: client.activate(MASTER_KEY, BSSID, CALLER_TOKEN),
    "authorize": lambda client: client.authorize(USER_KEY, CALLER_TOKEN),
    "ping": lambda client: client.ping(),
    "list_products": lambda client: client.list_products(USER_KEY),
    "create_product": lambda client: client.create_product(USER_KEY, "Lamp", 45772),
    "list_product_devices": lambda client: client.list_product_devices(USER_KEY, 3),
    "create_product_device": lambda client: client.create_product_device(
        USER_KEY, 3, "Hall"
    ),
    "list_templates": lambda client: client.list_templates(USER_KEY),
    "read_live": lambda client: client.owner.read_live(USER_KEY, "light"),
    "write_live": lambda client: client.owner.write_live(USER_KEY, "light", {"x": 1}),
    "call": lambda client: client.owner.call(USER_KEY, "LED_ON", {"level": "7"}),
    "history": lambda client: client.owner.history(USER_KEY, "light", start=0, end=9),
    "rename": lambda client: client.owner.rename(USER_KEY, "Hall"),
    "share": lambda client: client.owner.share(USER_KEY),
    "list_timers": lambda client: client.owner.list_timers(USER_KEY),
    "add_timer": lambda client: client.owner.add_timer(USER_KEY, DAILY),
    "change_timer": lambda client: client.owner.change_timer(USER_KEY, DAILY),
    "delete_timer": lambda client: client.owner.delete_timer(USER_KEY, 5),
    "list_roms": lambda client: client.owner.list_roms(USER_KEY),
}
"""Every call but `delete_key`, to which a refused key is a success."""

QUESTIONS = {
    "list_devices",
    "get_device",
    "ping",
    "list_products",
    "list_product_devices",
    "list_templates",
    "read_live",
    "history",
    "list_timers",
    "list_roms",
}
"""The calls that change nothing."""


# The real cloud


@pytest.mark.usefixtures("user")
async def test_sign_in(client: CloudClient, user: User, secrets: list[str]) -> None:
    """The right password gives a key that works."""
    key = await client.create_user_key(EMAIL, PASSWORD)
    secrets.append(key.token)
    assert key.user_id == user.id
    assert is_key(key.token)
    assert await client.list_devices(key.token) == []


@pytest.mark.usefixtures("user")
async def test_sign_in_refused(client: CloudClient) -> None:
    """A wrong password is told from an unknown e-mail, and neither is repeated."""
    with pytest.raises(AuthenticationError) as wrong:
        await client.create_user_key(EMAIL, PASSWORD + "!")
    assert not isinstance(wrong.value, UnknownAccountError)
    with pytest.raises(UnknownAccountError) as unknown:
        await client.create_user_key("nobody@example.org", PASSWORD)
    for error in (wrong.value, unknown.value):
        assert PASSWORD not in everything_of(error)


async def test_devices_of_an_account(
    client: CloudClient, device: Device, owner_key: str
) -> None:
    """They come with the keys that command them."""
    key = await client.create_user_key(EMAIL, PASSWORD)
    (owned,) = await client.list_devices(key.token)
    assert owned.device.id == device.id
    assert owned.device.title == "Desk lamp"
    assert owned.owner_key == owner_key


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.list_devices(UNKNOWN_KEY),
        lambda client: client.owner.get_device(UNKNOWN_KEY),
        lambda client: client.activate(UNKNOWN_KEY, BSSID, new_token()),
        lambda client: client.authorize(UNKNOWN_KEY, new_token()),
        lambda client: client.owner.call(UNKNOWN_KEY, "LED_ON", {}),
    ],
)
async def test_unknown_key(client: CloudClient, call: Call) -> None:
    """Every call with a key says so where the key is refused, and does not show it."""
    with pytest.raises(AuthenticationError) as caught:
        await call(client)
    assert UNKNOWN_KEY not in everything_of(caught.value)


@pytest.mark.usefixtures("user")
async def test_device_is_bound(
    client: CloudClient, cloud: LocalCloud, secrets: list[str]
) -> None:
    """Activated with a token, the device is the account's that shows the token."""
    master_key = cloud.master_key(cloud.add_device("New lamp"))
    token = new_token()
    secrets += [master_key, token]
    assert not (await client.owner.get_device(master_key)).activated
    key = await client.create_user_key(EMAIL, PASSWORD)
    device = await client.activate(master_key, BSSID, token)
    assert device.activated
    await client.authorize(key.token, token)
    (owned,) = await client.list_devices(key.token)
    assert owned.device.id == device.id
    assert (await client.owner.get_device(master_key)).activated


async def test_rpc_to_a_device_that_is_away(
    client: CloudClient, owner_key: str
) -> None:
    """The cloud has no connection to it."""
    with pytest.raises(DeviceOfflineError):
        await client.owner.call(owner_key, "LED_ON", {})


async def test_rpc_that_nobody_answers(web: aiohttp.ClientSession) -> None:
    """The device is connected and does not acknowledge."""
    cloud = LocalCloud(delivery_timeout=0.05)
    await cloud.start()
    try:
        user = await cloud.add_account(EMAIL, PASSWORD)
        device = cloud.add_device("Desk lamp", user)
        owner_key = cloud.owner_key(device)
        assert owner_key is not None
        async with RawDevice(cloud, cloud.master_key(device)):
            with pytest.raises(DeviceBusyError):
                await CloudClient.over_http(web, cloud.http_url).owner.call(
                    owner_key, "LED_ON", {}
                )
    finally:
        await cloud.close()


ODD_PARAMETERS = {
    "key": "k",
    "action": "no action",
    "self": "s",
    "deliver_to_device": "false",
    "parameters": "p",
    "method": "DELETE",
    "a&b=c": "1&action=x",
    "plus": "+ and space",
    "percent": "100%",
    "slash": "/?#;:@!$'()*,[]",
    "空": "格 ☃ é",
    "control": "\t\r\n\0",
    "empty": "",
    "quotes": "\"\\'",
}


async def test_rpc_parameters_arrive_as_they_are(
    client: CloudClient, cloud: LocalCloud, master_key: str, owner_key: str
) -> None:
    """Whatever they are called and hold; none replaces the action."""
    async with RawDevice(cloud, master_key) as lamp:
        call = asyncio.create_task(
            client.owner.call(owner_key, "LED & ON", ODD_PARAMETERS)
        )
        push = await lamp.receive()
        acknowledgement = {
            "status": 200,
            "nonce": push["nonce"],
            "deliver_to_device": True,
            "level": 7,
        }
        lamp.send(acknowledgement)
        answer = await call
    assert push["path"] == "/v1/device/rpc/"
    expected = {**ODD_PARAMETERS, "action": "LED & ON"}
    del expected["deliver_to_device"]
    assert push["get"] == expected
    assert answer.items() >= acknowledgement.items()


@pytest.mark.parametrize("status", [403, 422, 500, "409"])
async def test_rpc_that_the_device_rejects(
    client: CloudClient,
    cloud: LocalCloud,
    master_key: str,
    owner_key: str,
    status: int | str,
) -> None:
    """The device's own words are not the cloud's: its 403 says nothing of the key."""
    async with RawDevice(cloud, master_key) as lamp:
        call = asyncio.create_task(client.owner.call(owner_key, "LED_ON", {}))
        push = await lamp.receive()
        lamp.send(
            {
                "status": status,
                "nonce": push["nonce"],
                "deliver_to_device": True,
                "message": "busy, disconnected, devicekey not exists",
            }
        )
        with pytest.raises(CommandRejectedError) as caught:
            await call
    assert caught.value.status == int(status)
    assert str(caught.value) == f"the device answered with status {int(status)}"


async def test_ping(client: CloudClient, cloud: LocalCloud) -> None:
    """The cloud is there and tells the time, and then it is not."""
    before = int(time.time())
    assert before <= await client.ping() <= time.time()
    await cloud.close()
    with pytest.raises(CannotConnectError):
        await client.ping()


async def test_tls(web: aiohttp.ClientSession, certificates: Certificates) -> None:
    """A cloud with a certificate of a private authority; anybody else is refused."""
    cloud = LocalCloud(ssl_context=certificates.server())
    await cloud.start()
    try:
        connector = aiohttp.TCPConnector(ssl=certificates.trusting(), force_close=True)
        async with aiohttp.ClientSession(connector=connector) as trusting:
            await CloudClient.over_http(trusting, cloud.http_url).ping()
        for call in CALLS.values():
            with pytest.raises(UntrustedCertificateError):
                await call(CloudClient.over_http(web, cloud.http_url))
    finally:
        await cloud.close()


# The request


@pytest.mark.parametrize(
    ("name", "first_line", "key"),
    [
        ("create_user_key", "POST /v1/keys/ ", None),
        (
            "list_devices",
            "GET /v1/user/devices/?list_by_group=true&query_devices_mesh=true ",
            USER_KEY,
        ),
        ("get_device", "GET /v1/device/?query_device_mesh=true ", MASTER_KEY),
        ("activate", "POST /v1/device/activate/ ", MASTER_KEY),
        ("authorize", "POST /v1/key/authorize/ ", USER_KEY),
        (
            "call",
            "GET /v1/device/rpc/?level=7&deliver_to_device=true&action=LED_ON ",
            USER_KEY,
        ),
        ("ping", "GET /v1/ping/ ", None),
        ("list_templates", "GET /v1/user/devices/ ", USER_KEY),
        (
            "read_live",
            "GET /v1/datastreams/light/datapoint/?deliver_to_device=true ",
            USER_KEY,
        ),
        (
            "write_live",
            "POST /v1/datastreams/light/datapoint/?deliver_to_device=true ",
            USER_KEY,
        ),
        (
            "history",
            (
                "GET /v1/datastreams/light/datapoints/?offset=0&row_count=1000"
                "&start=1970-01-01T00:00:00%2B00:00&end=1970-01-01T00:00:09%2B00:00 "
            ),
            USER_KEY,
        ),
        ("rename", "POST /v1/device/?method=PUT ", USER_KEY),
        ("share", "POST /v1/key/share/ ", USER_KEY),
        ("list_timers", "GET /v1/device/timers/?is_humanize_format=true ", USER_KEY),
        (
            "add_timer",
            "POST /v1/device/timers/?deliver_to_device=true&is_humanize_format=true ",
            USER_KEY,
        ),
        (
            "change_timer",
            (
                "POST /v1/device/timers/?deliver_to_device=true&is_humanize_format=true"
                "&method=PUT "
            ),
            USER_KEY,
        ),
        (
            "delete_timer",
            (
                "POST /v1/device/timers/?deliver_to_device=true&is_humanize_format=true"
                "&method=DELETE "
            ),
            USER_KEY,
        ),
        ("list_roms", "GET /v1/device/rom/ ", USER_KEY),
    ],
)
async def test_request(
    stranger: CloudClient,
    server: ScriptedServer,
    name: str,
    first_line: str,
    key: str | None,
) -> None:
    """The key travels in a header and nowhere else; times are asked for in seconds."""
    _, head = await ask(server, CALLS[name](stranger), http_answer({}))
    assert head.startswith(first_line)
    lines = head.split("\r\n")
    assert "Time-Zone: Epoch" in lines
    authorizations = [line for line in lines if line.startswith("Authorization")]
    assert authorizations == ([f"Authorization: token {key}"] if key else [])


async def test_path_of_the_url_is_not_used(
    web: aiohttp.ClientSession, server: ScriptedServer
) -> None:
    """Only the origin counts."""
    client = CloudClient.over_http(web, f"{server.url}/some/page?query#fragment")
    _, head = await ask(server, client.ping(), http_answer({}))
    assert head.startswith("GET /v1/ping/ ")


async def test_rpc_parameters_on_the_wire(
    stranger: CloudClient, server: ScriptedServer
) -> None:
    """Encoded once, and nothing in a value can become a parameter of its own."""
    values = {**ODD_PARAMETERS, "escaped": "%2B %26 %25", "plus": "+ %2B"}
    call = stranger.owner.call(USER_KEY, "LED & ON", values)
    _, head = await ask(server, call, http_answer({}))
    query = head.split(" ", 2)[1].partition("?")[2]
    assert query.isascii()
    assert "Cookie" not in head
    sent = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
    expected = {**values, "action": "LED & ON", "deliver_to_device": "true"}
    assert sorted(sent) == sorted(expected.items())


# Answers of a kind


@pytest.mark.parametrize("status", [200, "200"])
@pytest.mark.parametrize("line", ["200 OK", "500 Oops", "302 Found", "404 Not Found"])
async def test_status_of_the_json_counts(
    stranger: CloudClient, server: ScriptedServer, status: int | str, line: str
) -> None:
    """Success is the JSON's, whatever the status line says."""
    answer = http_answer({"status": status, "device": DEVICE}, line)
    device, _ = await ask(server, stranger.owner.get_device(MASTER_KEY), answer)
    assert device.id == 301


async def test_status_of_the_line_counts_where_the_json_has_none(
    stranger: CloudClient, server: ScriptedServer
) -> None:
    """As the cloud's own apps read it."""
    answer = http_answer({"epoch": 5})
    outcome, _ = await ask(server, stranger.ping(), answer)
    assert outcome == 5
    outcome, _ = await ask(server, stranger.ping(), http_answer({}, "404 Not Found"))
    assert type(outcome) is RequestRefusedError
    assert outcome.status == 404
    assert str(outcome) == "status 404"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (http_answer({"status": 401}), AuthenticationError),
        (http_answer({"status": 403}, "403 Forbidden"), AuthenticationError),
        (
            http_answer({"status": 500, "message": "devicekey not exists"}),
            AuthenticationError,
        ),
        (http_answer({"status": 429}), RateLimitedError),
        (http_answer({}, "429 Too Many Requests"), RateLimitedError),
        (http_answer(b"<h1>Slow down", "429 Too Many Requests"), RateLimitedError),
        (http_answer(b"<h1>Bad Gateway", "502 Bad Gateway"), CannotConnectError),
        (http_answer(b"", "503 Service Unavailable"), CannotConnectError),
        (http_answer(b"<h1>Time-out", "504 Gateway Time-out"), CannotConnectError),
        (http_answer({"status": 500, "message": "Oops"}), RequestRefusedError),
        (http_answer({"status": 201}), RequestRefusedError),
        (http_answer({"status": None}), UnexpectedAnswerError),
        (http_answer({"status": True}), UnexpectedAnswerError),
        (http_answer({"status": "OK"}), UnexpectedAnswerError),
        (http_answer(b"<!DOCTYPE html><p>Welcome"), UnexpectedAnswerError),
        (http_answer(b"<h1>Oops", "500 Oops"), UnexpectedAnswerError),
        (
            http_answer(b"<p>Sign in", "302 Found", "Location: http://127.0.0.1:1/"),
            UnexpectedAnswerError,
        ),
        (
            http_answer(b"", "307 Moved", "Location: http://127.0.0.1:1/"),
            UnexpectedAnswerError,
        ),
        (http_answer(b'{"status": 200, "mess'), UnexpectedAnswerError),
        (http_answer(b'{"status": 200}', length=1000), UnexpectedAnswerError),
        (http_answer(b""), UnexpectedAnswerError),
        (http_answer(b"[]"), UnexpectedAnswerError),
        (http_answer(b"null"), UnexpectedAnswerError),
        (http_answer(b'"text"'), UnexpectedAnswerError),
        (http_answer(b'{"status": 200, "\xff": 1}'), UnexpectedAnswerError),
        (http_answer(b"[" * 5000), UnexpectedAnswerError),
        (http_answer(b"\0\1\2"), UnexpectedAnswerError),
        (
            http_answer(b"{}", "200 OK", "Content-Encoding: gzip"),
            UnexpectedAnswerError,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
            UnexpectedAnswerError,
        ),
        (b"HTTP/1.1 two hundred\r\n\r\n", UnexpectedAnswerError),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", UnexpectedAnswerError),
        (
            b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
            UnexpectedAnswerError,
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n", UnexpectedAnswerError),
        (b"\x15\x03\x01\x00\x02\x02\x46", UnexpectedAnswerError),
    ],
)
async def test_answer_that_is_no_success(
    stranger: CloudClient,
    server: ScriptedServer,
    answer: bytes,
    expected: type[CloudError],
) -> None:
    """One kind of error for each, on every path; and no key in all that it carries."""
    for name, call in CALLS.items():
        outcome, _ = await ask(server, call(stranger), answer)
        assert type(outcome) is expected, name
        shown = everything_of(outcome)
        for secret in (USER_KEY, MASTER_KEY, CALLER_TOKEN, PASSWORD):
            assert secret not in shown
    assert server.connections == len(CALLS)


@pytest.mark.parametrize(
    "part",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        # aiohttp's error shows the part of a head that came, and servers may echo.
        f"HTTP/1.1 200 OK\r\nX-Key: {USER_KEY} {MASTER_KEY}\r\nX: ".encode(),
    ],
    ids=["nothing", "part of a head", "part of a head with keys"],
)
@pytest.mark.parametrize("broken_by", [Peer.close, Peer.reset])
async def test_connection_that_breaks_before_the_answer(
    stranger: CloudClient,
    server: ScriptedServer,
    part: bytes,
    broken_by: Callable[[Peer], None],
) -> None:
    """A question may be asked again, a command may not: it may have been carried out."""
    for name, call in CALLS.items():
        task = asyncio.ensure_future(call(stranger))
        attempts = 2 if name in QUESTIONS else 1
        for _ in range(attempts):
            peer = await server.accept()
            await peer.receive_head()
            peer.send(part)
            broken_by(peer)
        with pytest.raises(CannotConnectError) as caught:
            await task
        assert type(caught.value) is CannotConnectError
        shown = everything_of(caught.value)
        for secret in (USER_KEY, MASTER_KEY, CALLER_TOKEN, PASSWORD):
            assert secret not in shown
    assert server.connections == len(CALLS) + len(QUESTIONS)


@pytest.mark.parametrize("status", [400, 404])
async def test_unknown_account(
    stranger: CloudClient, server: ScriptedServer, status: int
) -> None:
    """A malformed e-mail is one that no account has."""
    call = stranger.create_user_key(EMAIL, PASSWORD)
    outcome, _ = await ask(server, call, http_answer({"status": status}))
    assert isinstance(outcome, UnknownAccountError)


@pytest.mark.parametrize(
    "name",
    [
        "create_user_key",
        "list_devices",
        "get_device",
        "activate",
        "list_templates",
        "history",
        "share",
        "list_timers",
        "list_roms",
        "ping",
    ],
)
async def test_answer_without_what_was_asked_for(
    stranger: CloudClient, server: ScriptedServer, name: str
) -> None:
    """A success that holds nothing."""
    outcome, _ = await ask(server, CALLS[name](stranger), http_answer({"status": 200}))
    assert type(outcome) is UnexpectedAnswerError


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {"status": 404, "message": "remote peer is disconnected"},
            DeviceOfflineError,
        ),
        (
            {
                "status": 500,
                "message": "remote device is busy or some errors occured",
                "nonce": 5,
            },
            DeviceBusyError,
        ),
        ({"status": 500, "message": 5}, RequestRefusedError),
        ({"status": 404, "deliver_to_device": 1}, RequestRefusedError),
        ({"status": 404, "deliver_to_device": True}, CommandRejectedError),
        # What a hotel's web site says to everything is no acknowledgement.
        ({"status": 200, "message": "welcome"}, UnexpectedAnswerError),
        ({"status": 200, "deliver_to_device": "true"}, UnexpectedAnswerError),
        ({}, UnexpectedAnswerError),
    ],
)
async def test_rpc_errors(
    stranger: CloudClient,
    server: ScriptedServer,
    answer: dict[str, Any],
    expected: type[CloudError],
) -> None:
    """What became of a command."""
    call = stranger.owner.call(USER_KEY, "LED_ON", {})
    outcome, _ = await ask(server, call, http_answer(answer))
    assert type(outcome) is expected


async def test_success_may_use_any_words(
    stranger: CloudClient, server: ScriptedServer
) -> None:
    """An acknowledgement is one, though it says that the lamp is not busy any more."""
    answer = {
        "status": 200,
        "deliver_to_device": True,
        "message": "not busy, not disconnected",
    }
    call = stranger.owner.call(USER_KEY, "LED_ON", {})
    outcome, _ = await ask(server, call, http_answer(answer))
    assert outcome == answer


async def test_compressed_answer(stranger: CloudClient, server: ScriptedServer) -> None:
    """A proxy may compress."""
    body = gzip.compress(b'{"status": 200, "epoch": 1574751416}')
    answer = http_answer(body, "200 OK", "Content-Encoding: gzip")
    outcome, _ = await ask(server, stranger.ping(), answer)
    assert outcome == 1574751416


async def test_rpc_with_an_owner_key_from_a_strange_cloud(
    stranger: CloudClient, server: ScriptedServer
) -> None:
    """A key that would break the header out is not taken over from the list."""
    answer = {
        "devices": [{**DEVICE, "key": {"token": f"{USER_KEY}\r\nCookie: stolen"}}]
    }
    (owned,), _ = await ask(
        server, stranger.list_devices(USER_KEY), http_answer(answer)
    )
    assert owned.owner_key == ""


@settings(
    max_examples=40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(answer=altered({"status": 500, "message": "busy", "deliver_to_device": True}))
async def test_rpc_answered_with_anything(
    stranger: CloudClient, server: ScriptedServer, answer: dict[str, Any]
) -> None:
    """Any JSON in any field is an answer or one of the errors."""
    call = stranger.owner.call(USER_KEY, "LED_ON", {})
    outcome, _ = await ask(server, call, http_answer(answer))
    assert isinstance(outcome, CloudError) or outcome == answer


# Answers that take too long


async def test_endless_answer(
    stranger: CloudClient, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that never ends is given up, and the connection with it."""
    monkeypatch.setattr(http_transport, "MAX_ANSWER_BYTES", 100_000)
    task = asyncio.create_task(stranger.ping())
    peer = await server.accept()
    await peer.receive_head()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    with suppress(ConnectionError):
        while not task.done():
            await peer.send_all(b'{"a": "' + b"x" * 65536)
    with pytest.raises(UnexpectedAnswerError, match="endless"):
        await task
    await peer.wait_closed()


async def test_answer_of_the_greatest_length(
    stranger: CloudClient, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit itself is allowed."""
    monkeypatch.setattr(http_transport, "MAX_ANSWER_BYTES", 100)
    body = b'{"status": 200, "epoch": 1574751416}'.ljust(100)
    outcome, _ = await ask(server, stranger.ping(), http_answer(body))
    assert outcome == 1574751416
    outcome, _ = await ask(server, stranger.ping(), http_answer(body + b" "))
    assert isinstance(outcome, UnexpectedAnswerError)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the lengths of what is parsed."""
    parsed: list[int] = []
    loads = orjson.loads

    def note(text: bytes) -> Any:
        parsed.append(len(text))
        return loads(text)

    monkeypatch.setattr(http_transport.orjson, "loads", note)
    return parsed


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"[" + b"[]," * (8 * 1024 * 1024 // 3) + b"0]", "endless"),
        (b"[" + b"[]," * (MAX_ANSWER_BYTES // 3 - 1) + b"0]", "too many parts"),
        (
            b"[" + b"{},[]," * (MAX_ANSWER_NESTS // 2) + b"0]",
            "too many parts",
        ),
        (b'{"x": [' + b"[]," * (MAX_ANSWER_NESTS - 1) + b"0]}", "too many parts"),
    ],
    ids=["8 MiB", "within the bytes", "both kinds", "one too many"],
)
async def test_answer_that_would_take_long_to_parse_is_not_parsed(
    stranger: CloudClient,
    server: ScriptedServer,
    parsed: list[int],
    body: bytes,
    refusal: str,
) -> None:
    """The loop would stand still meanwhile; parsing elsewhere would hold the GIL."""
    outcome, _ = await ask(server, stranger.ping(), http_answer(body))
    assert isinstance(outcome, UnexpectedAnswerError)
    assert refusal in str(outcome)
    assert parsed == []


async def test_answer_with_as_many_parts_as_there_may_be(
    stranger: CloudClient, server: ScriptedServer
) -> None:
    """The limit itself is allowed."""
    parts = b",".join([b"[]"] * (MAX_ANSWER_NESTS - 2))
    body = b'{"epoch": 1574751416, "x": [' + parts + b"]}"
    outcome, _ = await ask(server, stranger.ping(), http_answer(body))
    assert outcome == 1574751416


async def test_list_of_2000_devices_is_within_the_limits(
    client: CloudClient, cloud: LocalCloud, user: User, web: aiohttp.ClientSession
) -> None:
    """They are measured by it: a real one has half the bytes, and half the parts."""
    user_key = (await client.create_user_key(EMAIL, PASSWORD)).token
    for number in range(MOST_DEVICES):
        device = cloud.add_device(
            f"A lamp with a name of 40 characters {number:4}", user
        )
        device.bssid = "18:fe:34:00:00:01"
        device.rom_version = device.latest_rom_version = "v1.0.5t45772(a)"
    assert len(await client.list_devices(user_key)) == MOST_DEVICES
    async with web.get(
        f"{cloud.http_url}/v1/user/devices/",
        headers={"Authorization": f"token {user_key}"},
    ) as response:
        text = await response.read()
    parts = text.count(b"[") + text.count(b"{")
    assert 1.5 * len(text) < MAX_ANSWER_BYTES < 2.5 * len(text)
    assert 2 * parts < MAX_ANSWER_NESTS < 3 * parts


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every call give up soon."""
    monkeypatch.setattr(
        http_transport, "REQUEST_TIMEOUT", aiohttp.ClientTimeout(total=0.1)
    )


@pytest.mark.parametrize("over_tls", [False, True])
@pytest.mark.parametrize("given_up_by", ["deadline", "caller"])
async def test_command_that_is_given_up_is_withdrawn(
    web: aiohttp.ClientSession,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    over_tls: bool,
    given_up_by: str,
) -> None:
    """By a reset: after an orderly end the system would go on sending what is left of it."""
    if given_up_by == "deadline":
        timeout = aiohttp.ClientTimeout(total=1)
        monkeypatch.setattr(http_transport, "REQUEST_TIMEOUT", timeout)
    context = certificates.server() if over_tls else None
    async with ScriptedServer(context) as server:
        if over_tls:
            web.connector._ssl = certificates.trusting()  # type: ignore[union-attr]  # it has one
        url = server.url.replace("http:", "https:") if over_tls else server.url
        command = asyncio.create_task(
            CloudClient.over_http(web, url).owner.call(USER_KEY, "ON", {})
        )
        peer = await server.accept()
        await peer.receive_head()
        peer.stop_reading()
        if given_up_by == "caller":
            command.cancel()
        await asyncio.wait([command])
        if given_up_by == "deadline":
            assert isinstance(command.exception(), CloudTimeoutError)
        else:
            assert command.cancelled()
        assert await peer.wait_reset()
        assert client_sockets(server.port) == 0


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "part", [b"", b"HTTP/1.1 200 OK\r\n", http_answer(b'{"status":', length=100)]
)
async def test_silence(
    stranger: CloudClient, server: ScriptedServer, part: bytes
) -> None:
    """Whether before, within or after the head: it takes too long."""
    leftovers = Leftovers(server.port)
    task = asyncio.create_task(stranger.owner.get_device(MASTER_KEY))
    peer = await server.accept()
    peer.send(part)
    with pytest.raises(CloudTimeoutError) as caught:
        await task
    assert MASTER_KEY not in everything_of(caught.value)
    await peer.wait_closed()
    leftovers.check()


@pytest.mark.usefixtures("impatient")
async def test_nobody_takes_the_connection(web: aiohttp.ClientSession) -> None:
    """A machine that drops what it gets."""
    with DeafServer() as deaf, pytest.raises(CloudTimeoutError):
        await CloudClient.over_http(web, f"http://127.0.0.1:{deaf.port}").ping()


@pytest.mark.parametrize("url", ["http:///", "ftp://127.0.0.1/", "somewhere", ""])
async def test_url_of_nothing(web: aiohttp.ClientSession, url: str) -> None:
    """There is no way there."""
    with pytest.raises(CannotConnectError):
        await CloudClient.over_http(web, url).ping()


async def test_cancelled_call_leaves_nothing(
    stranger: CloudClient, server: ScriptedServer
) -> None:
    """Whoever gives up a call gives up its connection."""
    task = asyncio.create_task(stranger.ping())
    peer = await server.accept()
    await peer.receive_head()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await peer.wait_closed()
    assert client_sockets(URL(server.url).port or 0) == 0


async def test_tls_context_is_not_changed(certificates: Certificates) -> None:
    """The session's context may be shared with others."""
    context = certificates.trusting()
    before = (context.options, context.verify_mode, context.cert_store_stats())
    cloud = LocalCloud(ssl_context=certificates.server())
    await cloud.start()
    try:
        connector = aiohttp.TCPConnector(ssl=context, force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session:
            await CloudClient.over_http(session, cloud.http_url).ping()
    finally:
        await cloud.close()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert (context.options, context.verify_mode, context.cert_store_stats()) == before


async def test_tls_to_a_port_without(
    web: aiohttp.ClientSession, cloud: LocalCloud
) -> None:
    """It is told apart from a server that is not there: `http` is all it takes."""
    client = CloudClient.over_http(web, cloud.http_url.replace("http", "https"))
    with pytest.raises(NoTlsError):
        await client.ping()
