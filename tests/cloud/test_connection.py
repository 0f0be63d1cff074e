"""One connection of a device, against a real cloud and against what is none."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
import json
import socket
import ssl
from typing import Any

import pytest
from pytest_homeassistant_custom_component import plugins
import pytest_socket

from custom_components.espcloud.cloud import (
    AuthenticationError,
    CannotConnectError,
    CloudConnection,
    CloudError,
    CloudTimeoutError,
    ConnectionLostError,
    DevicePushes,
    Endpoint,
    Push,
    PushRefusedError,
    TakenOverError,
    Timing,
    UnexpectedAnswerError,
)
from custom_components.espcloud.cloud.connection import PushHandler
from custom_components.espcloud.cloud.frames import MAX_LINE_BYTES
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device
from tests.common import send_command
from tests.raw_device import RawDevice

from .certificates import Certificates
from .helpers import (
    BSSID,
    BYEBYE,
    CALLER_TOKEN,
    MASTER_KEY,
    Leftovers,
    everything_of,
    push_frame,
    unlimited,
)
from .scripted_server import (
    DEVICE,
    WAIT,
    DeafServer,
    Peer,
    ScriptedServer,
    client_sockets,
)

PATIENT = Timing(connect=WAIT, answer=WAIT)
HASTY = Timing(connect=0.05, answer=0.05, ping_after=0.05)


@asynccontextmanager
async def connected(
    server: ScriptedServer,
    on_push: PushHandler | None = None,
    timing: Timing = PATIENT,
    limits: DevicePushes | None = None,
) -> AsyncGenerator[tuple[CloudConnection, Peer]]:
    """Connect, and hand out both ends; nothing is left behind."""
    leftovers = Leftovers(server.port)
    connection = await CloudConnection.open(server.endpoint, timing, on_push, limits)
    try:
        yield connection, await server.accept()
    finally:
        await connection.close()
        leftovers.check()


def identify(connection: CloudConnection) -> asyncio.Task[Any]:
    """Begin to identify."""
    return asyncio.create_task(connection.identify(MASTER_KEY, BSSID))


async def lost(connection: CloudConnection) -> CloudError:
    """Wait for the connection's end."""
    async with asyncio.timeout(WAIT):
        return await connection.wait_lost()


# Connecting


async def test_nobody_listens() -> None:
    """A port that refuses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = Endpoint("127.0.0.1", free.getsockname()[1])
        with pytest.raises(CannotConnectError, match="ConnectionRefusedError"):
            await CloudConnection.open(endpoint)


async def test_nobody_takes_the_connection() -> None:
    """A machine that drops what it gets."""
    with DeafServer() as deaf:
        leftovers = Leftovers(deaf.port)
        before = deaf.waiting
        with pytest.raises(CloudTimeoutError):
            await CloudConnection.open(deaf.endpoint, HASTY)
        assert deaf.waiting == before
        assert asyncio.all_tasks() == leftovers.tasks


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example", "nowhere.invalid"])
async def test_name_of_nothing(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """A name that cannot be one, or that nobody has."""
    monkeypatch.setattr(socket, "getaddrinfo", plugins._real_getaddrinfo)
    with pytest.raises(CannotConnectError):
        await CloudConnection.open(Endpoint(host, 8000))


async def test_first_address_of_a_name_is_deaf(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address without a way there does not use up the time for the others."""

    def resolve(*_args: Any, **_options: Any) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, server.port))
            for address in ("127.0.0.2", "127.0.0.1")
        ]

    pytest_socket.socket_allow_hosts(["127.0.0.1", "127.0.0.2"])
    # Loopback has no names, so this is where the real thing ends.
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with DeafServer("127.0.0.2", server.port):
        connection = await CloudConnection.open(
            Endpoint("a.cloud", server.port), PATIENT
        )
        peer = await server.accept()
        await connection.close()
        await peer.wait_closed()


@pytest.mark.parametrize("over_tls", [False, True])
async def test_cancelled_at_any_moment(
    server: ScriptedServer, certificates: Certificates, over_tls: bool
) -> None:
    """Given up after one turn of the loop, or two, or three: nothing is left."""
    context = certificates.trusting() if over_tls else None
    endpoint = Endpoint("127.0.0.1", server.port, context)
    leftovers = Leftovers(server.port)
    cancelled = 0
    for turns in range(40):
        opening = asyncio.create_task(CloudConnection.open(endpoint, PATIENT))
        for _ in range(turns):
            await asyncio.sleep(0)
        opening.cancel()
        await asyncio.wait([opening])
        if opening.cancelled():
            cancelled += 1
        else:
            await opening.result().close()
        leftovers.check()
    assert cancelled > 3
    assert (server.connections > 3) or not over_tls


async def test_default_timing(endpoint: Endpoint, master_key: str) -> None:
    """Who names no deadlines has the usual ones."""
    connection = await CloudConnection.open(endpoint)
    device = await connection.identify(master_key, BSSID)
    assert device.activated
    await connection.close()


async def test_socket_options(server: ScriptedServer) -> None:
    """Small frames leave at once, and the system looks after a dead link too."""
    async with connected(server) as (connection, _):
        sock = connection._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


# TLS


def settings_of(context: ssl.SSLContext) -> tuple[object, ...]:
    """Return all that could have been changed about a context."""
    return (
        context.options,
        context.verify_mode,
        context.verify_flags,
        context.check_hostname,
        context.minimum_version,
        context.maximum_version,
        context.cert_store_stats(),
        context.get_ciphers(),
    )


async def test_tls(certificates: Certificates) -> None:
    """A certificate of a private authority that is trusted; the context stays as it was."""
    cloud = LocalCloud(ssl_context=certificates.server())
    await cloud.start()
    context = certificates.trusting()
    before = settings_of(context)
    leftovers = Leftovers(cloud.device_port)
    endpoint = Endpoint(cloud.device_host, cloud.device_port, context)
    try:
        device = cloud.add_device("Desk lamp")
        connection = await CloudConnection.open(endpoint, PATIENT)
        identified = await connection.identify(cloud.master_key(device), BSSID)
        assert identified.id == device.id
        assert cloud.is_online(device)
        await connection.close()
        assert client_sockets(cloud.device_port) == 0
        await cloud.wait_offline(device)
    finally:
        await cloud.close()
    assert asyncio.all_tasks() <= leftovers.tasks
    assert settings_of(context) == before


@pytest.mark.parametrize("refused", ["name", "issuer", "self-signed"])
async def test_tls_not_trusted(certificates: Certificates, refused: str) -> None:
    """Another machine's certificate, an unknown authority's, and nobody's."""
    server_context = {
        "name": lambda: certificates.server("127.0.0.9"),
        "issuer": certificates.server,
        "self-signed": certificates.self_signed_server,
    }[refused]()
    context = (
        ssl.create_default_context() if refused == "issuer" else certificates.trusting()
    )
    async with ScriptedServer(server_context) as server:
        leftovers = Leftovers(server.port)
        with pytest.raises(CannotConnectError, match="certificate is not trusted"):
            await CloudConnection.open(
                Endpoint("127.0.0.1", server.port, context), PATIENT
            )
        leftovers.check_sockets()
        assert server.connections == 0


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x28"],
)
async def test_tls_refused(
    server: ScriptedServer, certificates: Certificates, answer: bytes
) -> None:
    """A port that hangs up, speaks in clear, or wants no TLS of this kind."""
    leftovers = Leftovers(server.port)
    opening = asyncio.create_task(
        CloudConnection.open(
            Endpoint("127.0.0.1", server.port, certificates.trusting()), PATIENT
        )
    )
    peer = await server.accept()
    peer.send(answer)
    peer.close()
    with pytest.raises(CannotConnectError) as caught:
        await opening
    assert type(caught.value) is CannotConnectError
    leftovers.check()


async def test_tls_silence(server: ScriptedServer, certificates: Certificates) -> None:
    """A handshake that nobody answers ends in time, and its own timer with it."""
    leftovers = Leftovers(server.port)
    with pytest.raises(CloudTimeoutError):
        await CloudConnection.open(
            Endpoint("127.0.0.1", server.port, certificates.trusting()), HASTY
        )
    await (await server.accept()).wait_closed()
    leftovers.check()


async def test_tls_peer_that_stops_speaking(certificates: Certificates) -> None:
    """The end is as quick as in clear: no farewell is waited for."""
    context = certificates.trusting()
    async with ScriptedServer(certificates.server()) as server:
        connection = await CloudConnection.open(
            Endpoint("127.0.0.1", server.port, context), PATIENT
        )
        (await server.accept()).stop_reading()
        await connection.close()
        assert client_sockets(server.port) == 0
        assert str(await lost(connection)) == "closed by this side"


# Identifying


async def test_identify(
    endpoint: Endpoint, cloud: LocalCloud, device: Device, master_key: str
) -> None:
    """The device is the cloud's from then on, and until it hangs up."""
    leftovers = Leftovers(endpoint.port)
    connection = await CloudConnection.open(endpoint, PATIENT)
    identified = await connection.identify(master_key, BSSID)
    assert (identified.id, identified.title) == (device.id, "Desk lamp")
    assert cloud.is_online(device)
    await connection.close()
    leftovers.check()
    await cloud.wait_offline(device)


async def test_identify_activates(
    endpoint: Endpoint, cloud: LocalCloud, device: Device, master_key: str
) -> None:
    """A device that the cloud calls not activated is, over the same connection."""
    assert device.activate_status == 0
    connection = await CloudConnection.open(endpoint, PATIENT)
    identified = await connection.identify(master_key, BSSID)
    assert identified.activated
    assert device.activate_status == 1
    assert device.bssid == BSSID
    assert cloud.connection_count(device) == 1
    await connection.close()


async def test_requests_on_the_wire(server: ScriptedServer) -> None:
    """What is sent, and a fresh one-time token for every activation."""
    async with connected(server) as (connection, peer):
        tokens = set()
        nonces = []
        for _ in range(2):
            identifying = identify(connection)
            first = await peer.answer({"device": {**DEVICE, "activate_status": 0}})
            activate = await peer.answer({"token": {}})
            second = await peer.identify()
            await identifying
            for request in (first, second):
                assert request["path"] == "/v1/device/identify"
                assert request["method"] == "GET"
                assert "body" not in request
            assert activate["path"] == "/v1/device/activate/"
            assert activate["method"] == "POST"
            assert activate["body"]["encrypt_method"] == "PLAIN"
            assert activate["body"]["bssid"] == BSSID
            tokens.add(activate["body"]["token"])
            for request in (first, activate, second):
                assert request["meta"] == {"Authorization": f"token {MASTER_KEY}"}
                assert 0 < request["nonce"] < 2**31
                nonces.append(request["nonce"])
        assert len(tokens) == 2
        assert len(set(nonces)) == 6


async def test_identify_with_an_unknown_key(endpoint: Endpoint) -> None:
    """The real cloud's words."""
    connection = await CloudConnection.open(endpoint, PATIENT)
    with pytest.raises(AuthenticationError) as caught:
        await connection.identify(MASTER_KEY, BSSID)
    assert MASTER_KEY not in everything_of(caught.value)
    await connection.close()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": 404, "message": "what is that?"}, AuthenticationError),
        ({"status": 500, "message": "devicekey not exists"}, AuthenticationError),
        ({"status": "403"}, AuthenticationError),
        ({"status": 401}, AuthenticationError),
        ({"status": 500, "message": "Oops"}, UnexpectedAnswerError),
        ({"status": 429}, UnexpectedAnswerError),
        ({"status": None}, UnexpectedAnswerError),
        ({"status": "fine"}, UnexpectedAnswerError),
        ({"device": None}, UnexpectedAnswerError),
        ({"device": {"id": "301"}}, UnexpectedAnswerError),
        ({}, UnexpectedAnswerError),
    ],
)
@pytest.mark.parametrize("at_activation", [False, True])
async def test_identify_answered_with(
    server: ScriptedServer,
    answer: dict[str, Any],
    expected: type[CloudError],
    at_activation: bool,
) -> None:
    """Every answer that does not help, at each of the steps."""
    async with connected(server) as (connection, peer):
        identifying = identify(connection)
        if at_activation:
            await peer.answer({"device": {**DEVICE, "activate_status": 0}})
        await peer.answer(answer)
        if at_activation and answer.get("status", 200) == 200:
            await peer.answer(answer)
        with pytest.raises(CloudError) as caught:
            await identifying
        assert type(caught.value) is expected
        assert MASTER_KEY not in everything_of(caught.value)


async def test_identify_in_silence(server: ScriptedServer) -> None:
    """No answer within the time; a late one disturbs nothing."""
    timing = Timing(connect=WAIT, answer=0.05)
    pushes: asyncio.Queue[Push] = asyncio.Queue()
    async with connected(server, pushes.put_nowait, timing) as (connection, peer):
        with pytest.raises(CloudTimeoutError) as caught:
            await identify(connection)
        assert MASTER_KEY not in everything_of(caught.value)
        await peer.answer({"device": DEVICE})
        peer.send(push_frame())
        await pushes.get()
        assert (await peer.receive())["status"] == 200


async def test_answers_that_are_not_the_answer(server: ScriptedServer) -> None:
    """Only a frame with the request's own nonce, and without a path, is one."""
    async with connected(server) as (connection, peer):
        identifying = identify(connection)
        nonce = (await peer.receive())["nonce"]
        assert nonce == 1
        wrong = {"status": 404}
        peer.send(
            wrong,
            {**wrong, "nonce": nonce + 1},
            {**wrong, "nonce": str(nonce)},
            {**wrong, "nonce": float(nonce)},
            {**wrong, "nonce": True},
            {**wrong, "nonce": None},
            {**wrong, "nonce": [nonce]},
            {**wrong, "nonce": nonce, "path": "/v1/device/identify"},
            {"message": ["close"], "status": 200},
            {"device": DEVICE, "nonce": nonce, "status": 200},
            {**wrong, "nonce": nonce},
        )
        assert (await identifying).id == 301


async def test_answer_in_pieces(server: ScriptedServer) -> None:
    """An answer need not come in one segment, nor alone."""
    async with connected(server) as (connection, peer):
        identifying = identify(connection)
        nonce = (await peer.receive())["nonce"]
        answer = json.dumps({"device": DEVICE, "nonce": nonce}).encode()
        for piece in (b"\r\n", answer[:20], answer[20:], b"\r", b"\n{}"):
            peer.send(piece)
            await asyncio.sleep(0)
        assert (await identifying).id == 301


@pytest.mark.parametrize(
    ("broken_by", "text"),
    [
        (Peer.close, "the cloud closed the connection"),
        (Peer.reset, "the connection broke (ConnectionResetError)"),
    ],
)
async def test_connection_that_ends_while_identifying(
    server: ScriptedServer, broken_by: Callable[[Peer], None], text: str
) -> None:
    """It is known at once, and so it is to whoever asks again."""
    async with connected(server) as (connection, peer):
        identifying = identify(connection)
        await peer.receive()
        broken_by(peer)
        for attempt in (lambda: identifying, lambda: identify(connection)):
            with pytest.raises(ConnectionLostError) as caught:
                await attempt()
            assert str(caught.value) == text
            assert MASTER_KEY not in everything_of(caught.value)
        assert str(await lost(connection)) == text


@pytest.mark.parametrize(
    "noise",
    [
        b"\0\1\2\3\n",
        b"\x16\x03\x01\0\xa5\n",
        b"x" * (MAX_LINE_BYTES + 1),
        b'{"a": "' + b"x" * MAX_LINE_BYTES + b'"}\n',
    ],
    ids=["zeros", "TLS", "endless", "too long"],
)
async def test_noise_while_identifying(server: ScriptedServer, noise: bytes) -> None:
    """What is not this protocol at all ends the connection."""
    async with connected(server) as (connection, peer):
        identifying = identify(connection)
        await peer.receive()
        peer.send(noise)
        with pytest.raises(UnexpectedAnswerError):
            await identifying
        assert type(await lost(connection)) is UnexpectedAnswerError
        await peer.wait_closed()


async def test_html_while_identifying(server: ScriptedServer) -> None:
    """A web server on this port: its lines are no frames, and then it hangs up."""
    async with connected(server) as (connection, peer):
        identifying = identify(connection)
        await peer.receive()
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n<html>\r\n<h1>Bad</h1>\r\n")
        peer.close()
        with pytest.raises(ConnectionLostError):
            await identifying
        assert connection.bad_lines == 3


async def test_cancelled_identify_leaves_the_connection(
    server: ScriptedServer,
) -> None:
    """Who gives up waiting can ask again; the connection ends before the answers do."""
    async with connected(server) as (connection, peer):
        impatient = identify(connection)
        await peer.receive()
        impatient.cancel()
        await asyncio.wait([impatient])
        identifying = identify(connection)
        await peer.identify()
        assert (await identifying).id == 301
        assert connection._requests._answers == {}
        assert MASTER_KEY not in repr(connection)


async def test_identify_given_up_in_the_turn_of_the_end(
    server: ScriptedServer,
) -> None:
    """Nobody is told twice."""
    async with connected(server) as (connection, peer):
        impatient = identify(connection)
        await peer.receive()
        impatient.cancel()
        await connection.close()
        assert impatient.cancelled()


async def test_answer_and_end_at_once(server: ScriptedServer) -> None:
    """An answer that came before the end counts."""
    async with connected(server) as (connection, peer):
        identifying = identify(connection)
        nonce = (await peer.receive())["nonce"]
        peer.send({"device": DEVICE, "nonce": nonce}, BYEBYE)
        assert (await identifying).id == 301
        assert isinstance(await lost(connection), TakenOverError)


async def test_pushes_right_behind_the_answer(server: ScriptedServer) -> None:
    """Who identifies learns of it before the device is commanded; order stays order."""
    seen: list[str | None] = []

    async def identify_and_note() -> None:
        await connection.identify(MASTER_KEY, BSSID)
        seen.append("identified")

    def handle(push: Push) -> None:
        seen.append(push.action)

    async with connected(server, handle) as (connection, peer):
        identifying = asyncio.create_task(identify_and_note())
        nonce = (await peer.receive())["nonce"]
        peer.send(
            {"device": DEVICE, "nonce": nonce},
            push_frame(1, get={"action": "first"}),
            push_frame(2, get={"action": "second"}),
        )
        await identifying
        assert [(await peer.receive())["nonce"] for _ in range(2)] == [1, 2]
        assert seen == ["identified", "first", "second"]


async def test_pushes_behind_the_answer_and_the_end(server: ScriptedServer) -> None:
    """What came before the end is done, what waits behind it is not."""
    actions: list[str | None] = []

    def handle(push: Push) -> None:
        actions.append(push.action)

    async with connected(server, handle) as (connection, peer):
        identifying = identify(connection)
        nonce = (await peer.receive())["nonce"]
        answer = {"device": DEVICE, "nonce": nonce}
        peer.send(answer, push_frame(), BYEBYE, push_frame())
        await identifying
        assert isinstance(await lost(connection), TakenOverError)
        assert actions == ["LED_ON"]


async def test_taken_over(
    endpoint: Endpoint, cloud: LocalCloud, master_key: str
) -> None:
    """The real cloud says good-bye to the older of two connections."""
    connection = await CloudConnection.open(endpoint, PATIENT)
    await connection.identify(master_key, BSSID)
    async with RawDevice(cloud, master_key):
        assert isinstance(await lost(connection), TakenOverError)
    await connection.close()


# Pushes


async def test_command_through_the_real_cloud(
    endpoint: Endpoint, cloud: LocalCloud, device: Device, master_key: str
) -> None:
    """What the handler returns reaches the caller, with the acknowledgement."""

    def handle(push: Push) -> dict[str, Any]:
        return {"steps": push.parameters["count"], "status": 0, "nonce": 0}

    connection = await CloudConnection.open(endpoint, PATIENT, handle)
    await connection.identify(master_key, BSSID)
    answer = await send_command(cloud, device, "emulate_steps", count="3")
    assert answer["status"] == 200
    assert answer["deliver_to_device"] is True
    assert answer["steps"] == "3"
    assert answer["nonce"] != 0
    await connection.close()


@pytest.mark.parametrize("handled", [True, False])
async def test_acknowledgement(server: ScriptedServer, handled: bool) -> None:
    """A push is acknowledged whether or not there is anybody to handle it."""
    pushes: list[Push] = []
    handler = pushes.append if handled else None
    async with connected(server, handler) as (_, peer):
        peer.send(push_frame(912639262, unknown="member", more=[1, {"x": None}]))
        assert await peer.receive() == {
            "status": 200,
            "nonce": 912639262,
            "deliver_to_device": True,
        }
    assert len(pushes) == handled


async def test_acknowledgement_is_sent_after_handling(server: ScriptedServer) -> None:
    """The caller hears of a command that is done."""
    seen: list[bool] = []

    async with connected(server, lambda _: seen.append(True)) as (_, peer):
        peer.send(push_frame())
        await peer.receive()
        assert seen == [True]


def failing(_push: Push) -> None:
    """Fail."""
    raise RuntimeError("a defect of ours")


def nested(depth: int) -> list[Any]:
    """Return lists in lists."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "handler",
    [
        failing,
        lambda _: {"a set": {1}},
        lambda _: {5: "a name that is no text"},
        lambda _: {"deep": nested(900)},
        lambda _: 17,
    ],
)
async def test_handler_that_fails(
    server: ScriptedServer, handler: PushHandler, log: list[str]
) -> None:
    """The caller is told, the log has it once, and the connection stays."""
    async with connected(server, handler) as (connection, peer):
        for nonce in (1, 2):
            peer.send(push_frame(nonce))
            assert await peer.receive() == {
                "status": 500,
                "nonce": nonce,
                "deliver_to_device": True,
            }
        identifying = identify(connection)
        await peer.identify()
        await identifying
    complaints = [text for text in log if "Handling a pushed rpc failed" in text]
    assert len(complaints) == 2
    assert all("Traceback" in text for text in complaints)


async def test_handler_that_refuses(server: ScriptedServer, log: list[str]) -> None:
    """The caller gets the handler's status, and nothing is wrong."""

    def refuse(_push: Push) -> None:
        raise PushRefusedError(503)

    async with connected(server, refuse) as (_, peer):
        peer.send(push_frame(1))
        assert await peer.receive() == {
            "status": 503,
            "nonce": 1,
            "deliver_to_device": True,
        }
    assert not [text for text in log if "Traceback" in text]


async def test_deep_body_is_handed_back(server: ScriptedServer) -> None:
    """A caller cannot end the connection with a body that is too deep to repeat."""
    async with connected(server, lambda push: push.body) as (_, peer):
        body = {"datapoint": nested(500)}
        peer.send(push_frame(1, method="POST", body=body), push_frame(2))
        assert (await peer.receive())["status"] == 500
        assert (await peer.receive())["status"] == 200


@pytest.mark.parametrize(
    ("members", "nonce"),
    [
        ({"get": []}, 5),
        ({"body": "text"}, 5),
        ({"method": 7}, 5),
        ({"path": None}, 5),
        ({"nonce": None}, None),
        ({"nonce": "5"}, None),
        ({"nonce": True}, None),
        ({"nonce": nested(500)}, None),
    ],
)
async def test_malformed_push(
    server: ScriptedServer, members: dict[str, Any], nonce: int | None
) -> None:
    """It is refused, with its nonce where it has one; nobody else hears of it."""
    pushes: list[Push] = []
    async with connected(server, pushes.append) as (_, peer):
        peer.send(push_frame(**{"nonce": 5, **members}))
        assert await peer.receive() == {
            "status": 400,
            "nonce": nonce,
            "deliver_to_device": True,
        }
    assert pushes == []


@pytest.mark.parametrize(
    "frame",
    [
        {"deliver_to_device": True, "nonce": 5, "status": 200},
        {"get": {"deliver_to_device": "true"}, "nonce": 5},
        {"nonce": 5, "status": 200},
        {},
    ],
)
async def test_frame_that_is_no_push(
    server: ScriptedServer, frame: dict[str, Any]
) -> None:
    """Nothing else is handled or acknowledged."""
    pushes: list[Push] = []
    async with connected(server, pushes.append) as (_, peer):
        peer.send(frame, push_frame(7))
        assert (await peer.receive())["nonce"] == 7
    assert len(pushes) == 1


GATEWAY_PUSH = {
    "nonce": 717171,
    "body": {},
    "get": {"action": "LED_ON", "deliver_to_device": "true"},
    "meta": {"Authorization": f"token {CALLER_TOKEN}"},
    "path": "/v1/device/rpc/",
    "method": "GET",
}
"""A push as the reference gateway makes it (protocol.md §3.4)."""


@pytest.mark.parametrize(
    ("frame", "parameters"),
    [
        (GATEWAY_PUSH, {"action": "LED_ON"}),
        (push_frame(717171, deliver_to_device=False), {"action": "LED_ON"}),
        ({"path": "/v1/device/timers/", "nonce": 717171}, {}),
    ],
    ids=["gateway", "marked false", "bare"],
)
async def test_push_without_the_mark(
    server: ScriptedServer, frame: dict[str, Any], parameters: dict[str, str]
) -> None:
    """What makes a push is its path; the gateway's mark is no parameter of the action."""
    pushes: list[Push] = []
    async with connected(server, pushes.append) as (_, peer):
        peer.send(frame)
        assert await peer.receive() == {
            "status": 200,
            "nonce": 717171,
            "deliver_to_device": True,
        }
    (push,) = pushes
    assert push.parameters == parameters


async def test_push_with_the_nonce_of_a_request(server: ScriptedServer) -> None:
    """It answers nothing: an answer has no path, and a push with one is no answer."""
    pushes: list[Push] = []
    async with connected(server, pushes.append) as (connection, peer):
        identifying = identify(connection)
        nonce = (await peer.receive())["nonce"]
        peer.send({**GATEWAY_PUSH, "nonce": nonce}, {"device": DEVICE, "nonce": nonce})
        assert (await peer.receive())["nonce"] == nonce
        assert (await identifying).id == 301
    assert len(pushes) == 1


async def test_many_pushes_in_one_segment(server: ScriptedServer) -> None:
    """All are handled, and acknowledged in their order; the bad line among them is skipped."""
    pushes: list[Push] = []
    async with connected(server, pushes.append) as (connection, peer):
        frames = [push_frame(nonce, get={"action": str(nonce)}) for nonce in range(200)]
        peer.send(*frames[:100], b"\n", b"not JSON\n", *frames[100:])
        acknowledgements = [await peer.receive() for _ in frames]
        assert [each["nonce"] for each in acknowledgements] == list(range(200))
        assert {each["status"] for each in acknowledgements} == {200}
        assert [push.action for push in pushes] == [str(n) for n in range(200)]
        assert connection.bad_lines == 1


async def test_pushes_in_pieces(server: ScriptedServer) -> None:
    """However they are cut, also within a character."""
    pushes: list[Push] = []
    async with connected(server, pushes.append) as (_, peer):
        text = b"".join(
            json.dumps(
                push_frame(nonce, get={"action": "开灯"}), ensure_ascii=False
            ).encode()
            + b"\r\n"
            for nonce in range(3)
        )
        for start in range(0, len(text), 7):
            await peer.send_all(text[start : start + 7])
        assert [(await peer.receive())["nonce"] for _ in range(3)] == [0, 1, 2]
    assert [push.action for push in pushes] == ["开灯"] * 3


async def test_push_before_the_answer(server: ScriptedServer) -> None:
    """Commands do not wait for the identify that is under way."""
    pushes: list[Push] = []
    async with connected(server, pushes.append) as (connection, peer):
        identifying = identify(connection)
        nonce = (await peer.receive())["nonce"]
        # The cloud chooses its own nonces, and may choose one of ours.
        peer.send(push_frame(nonce))
        assert (await peer.receive())["nonce"] == nonce
        peer.send({"device": DEVICE, "nonce": nonce})
        assert (await identifying).id == 301
    assert len(pushes) == 1


async def test_pushes_behind_answers_keep_their_order(server: ScriptedServer) -> None:
    """Who waits for an answer goes first, and no later push overtakes an earlier one."""
    happened: list[object] = []

    async def identify_and_note(number: int) -> None:
        await connection.identify(MASTER_KEY, BSSID)
        happened.append(f"identified {number}")

    async with connected(
        server, lambda push: happened.append(push.nonce), limits=unlimited()
    ) as (connection, peer):
        identifying = [asyncio.create_task(identify_and_note(each)) for each in (1, 2)]
        nonces = [(await peer.receive())["nonce"] for _ in identifying]
        answers = [{"device": DEVICE, "nonce": nonce} for nonce in nonces]
        # More than is read at once, so that the next part comes while the first waits.
        later = range(12, 3000)
        peer.send(push_frame(11), *answers, *(push_frame(each) for each in later))
        # Two frames of it are the pings that follow.
        frames = [await peer.receive() for _ in (11, *later, "ping", "ping")]
        acknowledged = [frame["nonce"] for frame in frames if "path" not in frame]
        assert acknowledged == [11, *later]
        await asyncio.gather(*identifying)
    assert happened == [11, "identified 1", "identified 2", *later]


async def test_push_behind_an_answer_that_was_enough(server: ScriptedServer) -> None:
    """Whoever wanted the answer alone hangs up; the push is not carried out."""
    pushes: list[Push] = []

    async def identify_and_close() -> None:
        await connection.identify(MASTER_KEY, BSSID)
        await connection.close()

    async with connected(server, pushes.append) as (connection, peer):
        identifying = asyncio.create_task(identify_and_close())
        nonce = (await peer.receive())["nonce"]
        peer.send({"device": DEVICE, "nonce": nonce}, push_frame())
        await identifying
        assert await peer.wait_closed() == b""
    assert pushes == []


async def test_push_behind_the_farewell(server: ScriptedServer) -> None:
    """What comes after the end is not carried out: nobody would be told."""
    pushes: list[Push] = []
    async with connected(server, pushes.append) as (connection, peer):
        peer.send(push_frame(1), BYEBYE, push_frame(2))
        assert isinstance(await lost(connection), TakenOverError)
        await peer.wait_closed()
    assert [push.nonce for push in pushes] == [1]


async def test_token_of_the_caller_is_dropped(
    server: ScriptedServer, log: list[str]
) -> None:
    """It reaches neither the handler nor, when that fails, the log."""
    pushes: list[Push] = []

    def handle(push: Push) -> None:
        pushes.append(push)
        raise RuntimeError(f"cannot handle {push}")

    async with connected(server, handle) as (connection, peer):
        peer.send(push_frame(), push_frame(get=[]))
        assert CALLER_TOKEN not in str(await peer.receive())
        assert CALLER_TOKEN not in str(await peer.receive())
        assert CALLER_TOKEN not in repr(connection)
    (push,) = pushes
    assert "cannot handle" in "".join(log)
    shown = [repr(push)] + [str(getattr(push, name)) for name in Push.__slots__]
    assert not [text for text in shown if CALLER_TOKEN in text]


async def test_peer_that_reads_nothing(server: ScriptedServer) -> None:
    """Its pushes are left unread before they fill the memory, and then it counts as silent."""
    handled = 0

    def handle(_push: Push) -> dict[str, str]:
        nonlocal handled
        handled += 1
        return {"a long answer": "x" * 10_000}

    timing = Timing(connect=WAIT, answer=0.1, ping_after=0.1)
    async with connected(server, handle, timing, unlimited()) as (connection, peer):
        peer.stop_reading()
        segment = json.dumps(push_frame()).encode() + b"\n"
        ended = asyncio.ensure_future(lost(connection))
        sending = asyncio.ensure_future(peer.send_all(segment * 20_000))
        assert isinstance(await ended, CloudTimeoutError)
        await asyncio.wait([sending])
        assert isinstance(sending.exception(), ConnectionError)
        assert handled < 10_000


async def test_peer_that_reads_late(server: ScriptedServer) -> None:
    """Once it reads, everything goes on, and nothing was lost."""

    def handle(_push: Push) -> dict[str, str]:
        return {"a long answer": "x" * 10_000}

    async with connected(server, handle, limits=unlimited()) as (connection, peer):
        count = 2000
        peer.stop_reading()
        peer.send(*(push_frame(nonce) for nonce in range(count)))
        async with asyncio.timeout(WAIT):
            while connection._transport.is_reading():  # noqa: ASYNC110 - no event says
                await asyncio.sleep(0)
        peer.resume_reading()
        nonces = [(await peer.receive())["nonce"] for _ in range(count)]
        assert nonces == list(range(count))
        assert connection._transport.is_reading()


# Pings


async def test_ping_after_idle(server: ScriptedServer) -> None:
    """A ping goes out when nothing has come for so long, hardly before."""
    timing = Timing(connect=WAIT, answer=WAIT, ping_after=0.1)
    loop = asyncio.get_running_loop()
    async with connected(server, timing=timing) as (_, peer):
        for _ in range(3):
            await asyncio.sleep(0.05)
            spoken = loop.time()
            peer.send(b"\n")
        assert await peer.receive() == {"path": "/v1/ping/", "method": "POST"}
        assert loop.time() - spoken >= 0.095
        peer.send(b"\n")


async def test_pong_keeps_it_alive(server: ScriptedServer) -> None:
    """As long as pings are answered the connection stays; then it is dead soon."""
    timing = Timing(connect=WAIT, answer=0.2, ping_after=0.02)
    pong = {"message": "ping success", "epoch": 1574751416, "status": 200}
    loop = asyncio.get_running_loop()
    async with connected(server, timing=timing) as (connection, peer):
        for _ in range(4):
            ping = await peer.receive()
            assert ping["path"] == "/v1/ping/"
            peer.send(pong)
        await peer.receive()
        asked = loop.time()
        reason = await lost(connection)
        assert type(reason) is CloudTimeoutError
        assert str(reason) == "the cloud fell silent"
        assert loop.time() - asked >= 0.2 - 0.05
        assert await peer.wait_closed() == b""


async def test_real_pong(
    endpoint: Endpoint, cloud: LocalCloud, device: Device, master_key: str
) -> None:
    """The real cloud answers pings, so an idle connection stays."""
    timing = Timing(connect=WAIT, answer=0.5, ping_after=0.02)
    connection = await CloudConnection.open(endpoint, timing)
    await connection.identify(master_key, BSSID)
    ended = asyncio.ensure_future(connection.wait_lost())
    await asyncio.wait([ended], timeout=0.8)
    assert not ended.done()
    assert cloud.is_online(device)
    await connection.close()
    assert isinstance(await ended, ConnectionLostError)


async def test_silence_has_an_end(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the usual deadlines: asked after 25 seconds, lost 10 later, or a second sooner."""
    asked: list[float] = []

    class Watched(CloudConnection):
        def _ping(self) -> None:
            asked.append(passed)
            super()._ping()

    # The time passes when told, however busy the machine is.
    loop, passed = asyncio.get_running_loop(), 0.0
    began = loop.time()
    monkeypatch.setattr(loop, "time", lambda: began + passed)
    connection = await Watched.open(server.endpoint)
    peer = await server.accept()
    reason = asyncio.ensure_future(connection.wait_lost())
    while not reason.done() and passed < 100:
        passed += 0.1
        for _ in range(5):
            await asyncio.sleep(0)
    assert str(reason.result()) == "the cloud fell silent"
    assert 34 < passed < 35.2
    (ping,) = asked
    assert 24 < ping < 25.2
    assert b"ping" in await peer.wait_closed()


async def test_dead_from_the_start(server: ScriptedServer) -> None:
    """Silence is noticed without anybody waiting for an answer."""
    async with connected(server, timing=HASTY) as (connection, peer):
        assert str(await lost(connection)) == "the cloud fell silent"
        assert b"ping" in await peer.wait_closed()


# The end


async def test_half_closed(server: ScriptedServer) -> None:
    """A cloud that will say no more is gone."""
    async with connected(server) as (connection, peer):
        peer.write_eof()
        assert str(await lost(connection)) == "the cloud closed the connection"
        await peer.wait_closed()


async def test_close_twice_and_after_a_loss(server: ScriptedServer) -> None:
    """Closing is always allowed, and the first reason is the one that counts."""
    async with connected(server) as (connection, peer):
        peer.send(BYEBYE)
        reason = await lost(connection)
        await asyncio.gather(connection.close(), connection.close())
        assert await lost(connection) is reason
        assert isinstance(reason, TakenOverError)


async def test_close_ends_a_request(server: ScriptedServer) -> None:
    """Whoever waits for an answer is told."""
    async with connected(server) as (connection, peer):
        identifying = identify(connection)
        await peer.receive()
        await connection.close()
        with pytest.raises(ConnectionLostError, match="closed by this side"):
            await identifying


async def test_waiting_for_the_end_can_be_given_up(server: ScriptedServer) -> None:
    """The connection does not end because somebody stops watching it."""
    async with connected(server) as (connection, peer):
        watching = asyncio.create_task(connection.wait_lost())
        await asyncio.sleep(0)
        watching.cancel()
        await asyncio.wait([watching])
        peer.send(BYEBYE)
        assert isinstance(await lost(connection), TakenOverError)
