"""What peers do that mean no good, or know no better."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
import gc
import json
import logging
import os
from pathlib import Path
import threading

from aiohttp import ClientError
import pytest

from custom_components.espcloud.local_cloud import Limits, LocalCloud, frame_reader
from custom_components.espcloud.local_cloud.models import Device, User
from custom_components.espcloud.local_cloud.standing import Standing
from tests.credentials import EMAIL, PASSWORD

from .helpers import Api, DeviceSocket, until

PING = b'{"path": "/v1/ping/"}\n'
IMPATIENT = Limits(
    unidentified=0.3,
    silent=0.6,
    unread=0.3,
    write_buffer=32 << 10,
    http_body=0.3,
    http_request=0.6,
    http_keep_alive=0.3,
    sweep=0.05,
)


@pytest.fixture
def limits() -> Limits:
    """Return the limits of this test's cloud."""
    return IMPATIENT


@pytest.fixture
async def cloud(limits: Limits) -> AsyncGenerator[LocalCloud]:
    """Run a cloud with these limits."""
    cloud = LocalCloud(limits=limits)
    await cloud.start()
    yield cloud
    await cloud.close()


async def _http(
    cloud: LocalCloud, data: bytes
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = cloud.http_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    return reader, writer


async def _seconds(ended: AsyncGenerator[bytes] | object) -> float:
    started = asyncio.get_running_loop().time()
    await ended  # type: ignore[misc]  # any awaitable
    return asyncio.get_running_loop().time() - started


# Silence


async def test_a_connection_that_says_nothing(socket: DeviceSocket) -> None:
    """It is ended after its time."""
    assert 0.2 < await _seconds(socket.ended()) < 2


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        (b"", "no frame came"),
        (b'{"path": "/v1/', "no frame came"),
        (PING, "no key"),
        (b'{"path": "/v1/device/", "meta": {"Authorization": "token x"}}\n', "unknown key"),
        (b'{"path": "/v1/user/devices/", "meta": {"Authorization": "token x"}}\n', "unknown key"),
    ],
)  # fmt: skip
async def test_a_log_line_says_whose_connection_ended_and_why(
    socket: DeviceSocket, frames: bytes, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The address, and what was wrong; no key."""
    caplog.set_level(logging.INFO)
    socket.send(frames)
    await socket.ended()
    assert (
        f"Device connection from 127.0.0.1 dropped: silent for 0.3 seconds ({reason})"
        in caplog.messages
    )


async def test_connections_that_never_identify(cloud: LocalCloud) -> None:
    """Bytes that trickle in, noise, and pings without a key or with a made-up one buy no time."""

    async def trickle(data: bytes) -> float:
        async with DeviceSocket(cloud) as socket:
            ending = asyncio.ensure_future(_seconds(socket.ended()))
            while not ending.done():
                socket.send(data)
                await asyncio.sleep(0.05)
            return await ending

    keyed = b'{"path": "/v1/ping/", "meta": {"Authorization": "token x"}}\n'
    lives = await asyncio.gather(*map(trickle, (b"{", b"\n", b"x\n", PING, keyed)))
    assert all(0.2 < life < 2 for life in lives), lives


async def test_a_good_key_buys_time(socket: DeviceSocket, owner_key: str) -> None:
    """An app may use this port too."""
    for _ in range(3):
        await asyncio.sleep(0.2)
        assert (await socket.ask("/v1/device/", key=owner_key))["status"] == 200
    assert 0.2 < await _seconds(socket.ended()) < 2


async def test_a_device_that_falls_silent(
    cloud: LocalCloud,
    device: Device,
    lamp: DeviceSocket,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Pings keep it; without them it is away after its time."""
    for _ in range(3):
        await asyncio.sleep(0.3)
        assert (await lamp.ask("/v1/ping/"))["status"] == 200
    assert cloud.is_online(device)
    caplog.set_level(logging.INFO)
    assert 0.4 < await _seconds(cloud.wait_offline(device)) < 2
    assert (
        "Device connection from 127.0.0.1 dropped: silent for 0.6 seconds (device 1)"
        in caplog.messages
    )


class TestSilence:
    """A cloud with the limits that it has in earnest; time is told it, not waited for."""

    @pytest.fixture
    def limits(self) -> Limits:
        """Return them."""
        return Limits()

    async def test_a_device_that_is_gone_without_a_word(
        self, cloud: LocalCloud, device: Device, lamp: DeviceSocket
    ) -> None:
        """It is known after two of its pings, not long before."""
        server = cloud._device_server
        [connection] = server._connections
        for more in (80, 15.1):
            assert cloud.is_online(device)
            connection.heard_at -= more
            assert server._sweep_timer is not None
            server._sweep_timer.cancel()
            server._sweep()
        # The sweep that finds it comes 5 seconds later at most.
        assert not cloud.is_online(device)
        assert Limits().silent + Limits().sweep <= 100


# Too much


@pytest.mark.parametrize("limits", [Limits()])
async def test_a_line_of_the_limit_and_one_more(
    lamp: DeviceSocket, cloud: LocalCloud
) -> None:
    """1 MiB is taken, one byte more ends the connection."""
    socket = lamp
    frame = b'{"path": "/v1/ping/", "body": {"a": "' + b"a" * ((1 << 20) - 40) + b'"}}'
    assert len(frame) == 1 << 20
    socket.send(frame + b"\n")
    assert (await socket.receive())["status"] == 200
    socket.send(frame + b" ")
    assert await socket.ended() == b""
    async with DeviceSocket(cloud) as other:
        assert (await other.ask("/v1/ping/"))["status"] == 200


async def test_noise_without_newlines(socket: DeviceSocket, cloud: LocalCloud) -> None:
    """It ends with the limit."""
    socket.send(bytes(range(11, 256)) * 5000)
    assert await socket.ended() == b""


class TestBeforeAKey:
    """What a peer may send that has shown no good key."""

    @pytest.fixture
    def limits(self) -> Limits:
        """Return those of a server in earnest."""
        return Limits()

    @pytest.mark.parametrize("end", [b"\n", b""])
    async def test_a_long_line(
        self,
        socket: DeviceSocket,
        end: bytes,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """4 KiB is taken, one byte more is not even parsed."""
        caplog.set_level(logging.INFO)
        frame = b'{"path": "/v1/ping/", "body": {"a": "%s"}}'
        fill = b"a" * ((4 << 10) - len(frame) + 2)
        socket.send(frame % fill + b"\n")
        assert (await socket.receive())["message"] == "ping success"
        monkeypatch.setattr(frame_reader, "decode", None)
        socket.send(frame % (fill + b"a") + end)
        assert await socket.ended() == b""
        assert (
            "Device connection from 127.0.0.1 dropped: a line is too long (no key)"
            in caplog.messages
        )

    async def test_a_long_object_over_short_lines(
        self, socket: DeviceSocket, cloud: LocalCloud, owner_key: str
    ) -> None:
        """It counts as a line; with a good key it may be longer."""
        long = b"{\n" + b'"a": "bcdefgh",\n' * 300 + b'"path": "/v1/ping/"\n}\n'
        await socket.ask("/v1/device/", key=owner_key)
        socket.send(long)
        assert (await socket.receive())["message"] == "ping success"
        async with DeviceSocket(cloud) as stranger:
            stranger.send(long)
            assert await stranger.ended() == b""

    async def test_many_frames(
        self, socket: DeviceSocket, caplog: pytest.LogCaptureFixture
    ) -> None:
        """64 in a minute, whatever they are; the next one ends the connection."""
        caplog.set_level(logging.INFO)
        for number in range(64):
            key = "0" * 40 if number % 2 else ""
            answer = await socket.ask("/v1/device/", key=key)
            assert answer["status"] == (500 if number % 2 else 401)
        socket.send(PING * 5)
        assert await socket.ended() == (
            b'{"message": "too many frames without a key", "status": 429}\n'
        )
        assert (
            "Device connection from 127.0.0.1 dropped: too many frames without a good key "
            "(unknown key)"
        ) in caplog.messages

    def test_many_frames_in_more_than_a_minute(self) -> None:
        """Each minute has as many."""
        standing = Standing(64)
        for minute in (1000, 1061):
            assert all(standing.allows_frame(minute) for _ in range(64))
            assert not standing.allows_frame(minute + 59)

    async def test_a_sensor_shows_its_key(
        self, socket: DeviceSocket, master_key: str
    ) -> None:
        """It never identifies, and may post as much as others."""
        path = "/v1/datastreams/tem_hum/datapoint/"
        for number in range(70):
            body = {"datapoint": {"x": number, "y": 1}}
            answer = await socket.ask(path, "POST", key=master_key, body=body)
            assert answer["status"] == 200
        points = [{"x": number} for number in range(900)]
        path = "/v1/datastreams/tem_hum/datapoints/"
        answer = await socket.ask(
            path, "POST", key=master_key, body={"datapoints": points}
        )
        assert answer["status"] == 200

    async def test_a_key_counts_whatever_it_was_shown_for(
        self, socket: DeviceSocket, owner_key: str
    ) -> None:
        """There is no datapoint yet, but the key is good."""
        answer = await socket.ask("/v1/datastreams/s/datapoint/", key=owner_key)
        assert answer["status"] == 404
        for _ in range(70):
            assert (await socket.ask("/v1/ping/"))["status"] == 200


class TestUnfinishedLines:
    """All unfinished lines together have a limit."""

    @pytest.fixture
    def limits(self) -> Limits:
        """Allow 100 kB."""
        return Limits(partial_lines=100_000)

    async def test_the_longest_goes(
        self, cloud: LocalCloud, owner_key: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The others, and the small ones, stay."""
        async with DeviceSocket(cloud) as long, DeviceSocket(cloud) as short:
            for socket in (long, short):
                await socket.ask("/v1/device/", key=owner_key)
            long.send(b"x" * 60_000)
            short.send(b'{"path": "/v1/ping/", "body": {"x": "')
            await asyncio.sleep(0.05)
            async with DeviceSocket(cloud) as third:
                await third.ask("/v1/device/", key=owner_key)
                third.send(b"x" * 50_000)
                assert await long.ended() == b""
                short.send(b'"}}\n')
                assert (await short.receive())["status"] == 200
                third.send(b"\n")
                assert (await third.receive())["status"] == 400
        assert (
            "Device connection from 127.0.0.1 dropped: too many unfinished lines "
            "(good key, not identified)"
        ) in caplog.messages
        async with DeviceSocket(cloud) as again:
            await again.ask("/v1/device/", key=owner_key)
            again.send(b"x" * 99_000)
            again.send(b"\n")
            assert (await again.receive())["status"] == 400


async def test_a_peer_that_does_not_read(
    cloud: LocalCloud, device: Device, socket: DeviceSocket, owner_key: str
) -> None:
    """Its requests are taken no more, and it is dropped; nothing piles up."""
    for number in range(500):
        cloud.store.streams.add(device, "s", {"x": "x" * 60, "y": number}, 0)
    await cloud.flush()
    frame = {
        "path": "/v1/datastreams/s/datapoints/",
        "meta": {"Authorization": f"token {owner_key}"},
        "get": {"row_count": 500},
    }
    socket.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's can
    [connection] = cloud._device_server._connections
    for _ in range(20_000):
        socket.send(frame)
    written, unread = [], []
    async with asyncio.timeout(5):
        while connection in cloud._device_server._connections:
            unread.append(connection.unread_bytes)
            written.append(connection._transport.get_write_buffer_size())
            await asyncio.sleep(0.02)
    assert 0 < max(written) < 256 << 10
    assert 0 < max(unread) < 1 << 20


async def test_a_peer_that_reads_slowly(
    cloud: LocalCloud, device: Device, socket: DeviceSocket, owner_key: str
) -> None:
    """It gets every answer, in order."""
    for number in range(100):
        cloud.store.streams.add(device, "s", {"x": "x" * 60, "y": number}, 0)
    await cloud.flush()
    meta = {"Authorization": f"token {owner_key}"}
    for nonce in range(300):
        socket.send(
            {"path": "/v1/datastreams/s/datapoints/", "meta": meta, "nonce": nonce}
        )
    for nonce in range(300):
        answer = await socket.receive()
        assert (answer["nonce"], len(answer["datapoints"])) == (nonce, 100)


async def test_a_closing_connection_whose_peer_does_not_read(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket, owner_key: str
) -> None:
    """It does not stay for ever, and the device counts as away at once."""
    for number in range(1000):
        cloud.store.streams.add(device, "s", {"x": "x" * 60, "y": number}, 0)
    await cloud.flush()
    meta = {"Authorization": f"token {owner_key}"}
    frame = {
        "path": "/v1/datastreams/s/datapoints/",
        "meta": meta,
        "get": {"row_count": 1000},
    }
    lamp.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's can
    [connection] = cloud._device_server._connections
    for _ in range(100):
        lamp.send(frame)
    await until(lambda: bool(connection._write_is_full))
    cloud.disconnect(device)
    assert not cloud.is_online(device)
    await until(lambda: connection not in cloud._device_server._connections)


class TestFlood:
    """A connection that sends more than its share."""

    @pytest.fixture
    def limits(self) -> Limits:
        """Drop nobody."""
        return Limits()

    async def test_lines_hold_nobody_up(
        self, cloud: LocalCloud, lamp: DeviceSocket
    ) -> None:
        """Others have their turn between its lines; all of it is answered."""
        socket = lamp
        async with DeviceSocket(cloud) as other:
            socket.send(b"x\n" * 20_000)
            await asyncio.sleep(0)
            slowest = 0.0
            for _ in range(20):
                slowest = max(slowest, await _seconds(other.ask("/v1/ping/")))
        assert slowest < 0.3
        for _ in range(20_000):
            assert (
                await socket.line()
                == b'{"message": "malformed frame", "status": 400}\n'
            )

    async def test_blank_lines_are_free(self, socket: DeviceSocket) -> None:
        """Even very many."""
        socket.send(b"\n" * 500_000 + b"\r\n" * 100 + PING)
        assert (await socket.receive())["message"] == "ping success"


class TestManyConnections:
    """Idle connections cost little."""

    @pytest.fixture
    def limits(self) -> Limits:
        """Sweep often, drop nobody."""
        return Limits(sweep=0.05)

    async def test_300_at_each_port(self, cloud: LocalCloud, api: Api) -> None:
        """Others are answered, and closing ends them all."""
        idle = [await _http(cloud, b"") for _ in range(300)]
        idle += [
            await asyncio.open_connection(cloud.device_host, cloud.device_port)
            for _ in range(300)
        ]
        await asyncio.sleep(0.2)
        assert await _seconds(api.get("/v1/ping/")) < 0.5
        await cloud.close()
        for reader, writer in idle:
            async with asyncio.timeout(5):
                assert await reader.read() == b""
            writer.close()


# The HTTP server


async def test_slow_http_requests(cloud: LocalCloud) -> None:
    """No request, half a head, one that trickles in, or none after the first."""

    async def trickle(data: bytes) -> float:
        reader, writer = await _http(cloud, data)
        ending = asyncio.ensure_future(_seconds(_until_ended(reader)))
        while not ending.done():
            if data.endswith(b": "):
                writer.write(b"x")
            await asyncio.sleep(0.05)
        writer.close()
        return await ending

    head = b"GET /v1/ping/ HTTP/1.1\r\nHost: x\r\n"
    lives = await asyncio.gather(
        *map(trickle, (b"", head, head + b"A: ", head + b"\r\n"))
    )
    assert all(0.2 < life < 2 for life in lives), lives


async def _until_ended(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def test_half_a_body(cloud: LocalCloud) -> None:
    """It is waited for a while; then the request is refused."""
    reader, writer = await _http(
        cloud, b"POST /v1/keys/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    )
    assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    writer.close()


async def test_a_client_that_hangs_up(
    cloud: LocalCloud, caplog: pytest.LogCaptureFixture
) -> None:
    """In the middle of a body: nobody's fault, so nothing is logged."""
    _, writer = await _http(
        cloud, b"POST /v1/keys/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    )
    await until(lambda: bool(cloud._http_server._deadlines))
    writer.transport.abort()
    await until(lambda: not (cloud._http_server._http.connections))  # type: ignore[union-attr]
    assert not [
        record for record in caplog.records if record.levelno >= logging.WARNING
    ]


async def test_a_body_much_too_large(api: Api) -> None:
    """Some of it is read, so that the client sees the answer."""
    assert (await api.post("/v1/user/find/", b" " * (8 << 20))).status == 413
    with suppress(ClientError):
        assert (await api.post("/v1/user/find/", b" " * (20 << 20))).status == 413
    assert (await api.get("/v1/ping/")).status == 200


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET http:// HTTP/1.1\r\n\r\n",
        b"GET /v1/ping/ HTTP/1.1\r\nA: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /v1/ping/ HTTP/1.1\r\n" + b"A: x\r\n" * 1000 + b"\r\n",
        b"GET /v1/ping/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /v1/keys/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /v1/ping/ HTTP/1.1\r\nHost: x\r\nAuthorization: token a\x00b\r\n\r\n",
    ],
)
async def test_http_noise(
    cloud: LocalCloud, caplog: pytest.LogCaptureFixture, data: bytes
) -> None:
    """It gets a 400 or an end; others are answered, and nothing of it is logged."""
    reader, writer = await _http(cloud, data)
    answer = await _until_ended(reader)
    # Without a version aiohttp takes the line for HTTP/0.9, which asks for nothing that there is.
    assert answer[:12] in {b"", b"HTTP/1.1 400", b"HTTP/1.0 400", b"HTTP/0.9 404"}, (
        answer
    )
    writer.close()
    reader, writer = await _http(cloud, b"GET /v1/ping/ HTTP/1.0\r\n\r\n")
    assert b"ping success" in await reader.read()
    writer.close()
    assert not [
        record for record in caplog.records if record.levelno >= logging.WARNING
    ]


async def test_tricks_with_paths_and_headers(api: Api, owner_key: str) -> None:
    """They find nothing."""
    for path in ("/v1/%2e%2e/v1/device/", "/v1/device%00/", "/v1/device/%0d%0a", "/%2Fv1/ping/x",
                 "/v1/device/?" + "a=1&" * 1500, "/v1/device/;x", "/v1/DEVICE/", "/v1/device/?%ff=%fe"):  # fmt: skip
        reply = await api.get(path, key=owner_key)
        assert reply.status in {200, 404}
        assert (reply.status == 200) == path.startswith("/v1/device/?")
    headers = {"X-Forwarded-For": "1.2.3.4", "X-HTTP-Method-Override": "DELETE"}
    await api.ok(
        "POST",
        "/v1/device/?method=PUT",
        {"device": {"name": "n"}},
        key=owner_key,
        headers=headers,
    )
    await api.ok("GET", "/v1/device/", key=owner_key)


async def test_an_http_client_that_does_not_read(
    cloud: LocalCloud, device: Device, owner_key: str
) -> None:
    """It is dropped, though its next request is there already."""
    for number in range(1000):
        cloud.store.streams.add(device, "s", {"x": "x" * 60, "y": number}, 0)
    await cloud.flush()
    request = (
        b"GET /v1/datastreams/s/datapoints/?row_count=1000 HTTP/1.1\r\nHost: x\r\n"
        b"Authorization: token %s\r\n\r\n" % owner_key.encode()
    )
    _, writer = await _http(cloud, request * 200)
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's can
    http = cloud._http_server._http
    assert http is not None
    await until(lambda: bool(http.connections))
    await until(lambda: not http.connections)
    await until(lambda: not cloud._http_server._deadlines)
    writer.close()


# Our own mistakes


@pytest.mark.parametrize("limits", [Limits()])
async def test_a_bug_costs_one_request(
    api: Api, cloud: LocalCloud, socket: DeviceSocket, owner_key: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """500 on both ports, a traceback in the log, and no key in it."""

    def broken() -> float:
        raise ZeroDivisionError

    cloud.store.context.clock = broken
    reply = await api.get("/v1/ping/", key=owner_key)
    assert (reply.status, reply.json) == (
        500,
        {"message": "internal error", "status": 500},
    )
    answer = await socket.ask("/v1/ping/", key=owner_key, nonce=4)
    assert answer == {"message": "internal error", "nonce": 4, "status": 500}
    answer = await socket.ask(
        "/v1/user/join/",
        "POST",
        body={"email": "x@example.org", "password": "p"},
        nonce=5,
    )
    assert answer == {"message": "internal error", "nonce": 5, "status": 500}
    assert caplog.text.count("ZeroDivisionError") >= 3
    assert owner_key not in caplog.text


@pytest.mark.parametrize("limits", [Limits(silent=0.6, sweep=0.05)])
async def test_nothing_secret_is_logged(
    api: Api,
    cloud: LocalCloud,
    user: User,
    device: Device,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No key, token, password or e-mail, whatever happens."""
    caplog.set_level(logging.DEBUG)
    keys = (await api.ok("POST", "/v1/keys/", {"email": EMAIL, "password": PASSWORD}))[
        "keys"
    ]
    await api.post("/v1/keys/", {"email": EMAIL, "password": "a wrong password"})
    secrets = [keys[0]["token"], cloud.master_key(device), cloud.owner_key(device) or "",
               "a wrong password", EMAIL, PASSWORD]  # fmt: skip
    async with DeviceSocket(cloud) as socket:
        await socket.identify(device)
        async with DeviceSocket(cloud) as younger:
            await younger.identify(device)
            younger.send(b"x" * (2 << 20))
            await younger.ended()
    reader, writer = await _http(
        cloud,
        b"GET / HTTP/1.1\r\nAuthorization: token %s\r\n\x00\r\n\r\n"
        % secrets[1].encode(),
    )
    await _until_ended(reader)
    writer.close()
    async with DeviceSocket(cloud) as silent:
        await silent.identify(device)
        await silent.ended()
    logged = "\n".join(
        record.getMessage()
        for record in caplog.records
        if ".local_cloud." in record.name
    )
    assert "a line is too long" in logged
    assert "silent" in logged
    assert not [secret for secret in secrets if secret in caplog.text]


# The end


async def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """No task, no timer, no thread, no socket; in the middle of everything."""
    loop = asyncio.get_running_loop()
    gc.collect()
    tasks, threads, files = asyncio.all_tasks(), threading.active_count(), _open_files()
    timers = _timers(loop)
    cloud = LocalCloud(state_file=tmp_path / "state.json")
    await cloud.start()
    user = await cloud.add_account("a@example.org", "p")
    device = cloud.add_device("lamp", user)
    sign_in = {"email": "a@example.org", "password": "p"}
    async with (
        DeviceSocket(cloud) as lamp,
        DeviceSocket(cloud) as caller,
        DeviceSocket(cloud),
    ):
        await lamp.identify(device)
        meta = {"Authorization": f"token {cloud.owner_key(device)}"}
        caller.send({"path": "/v1/keys/", "method": "POST", "body": sign_in})
        caller.send({"path": "/v1/device/rpc/", "get": {"action": "a"}, "meta": meta})
        await lamp.receive()
        rpc = b"GET /v1/device/rpc/?action=a HTTP/1.1\r\nHost: x\r\nAuthorization: token %s\r\n\r\n"
        connections = [
            await _http(cloud, data)
            for data in (b"", b"GET /", rpc % str(cloud.owner_key(device)).encode())
        ]
        await until(lambda: bool(cloud._presence.link(device).outbox._waiting))  # type: ignore[union-attr]
        await cloud.close()
        await cloud.close()
        assert await lamp.ended() == b""
        answer = await _until_ended(connections[2][0])
        assert b"remote peer is disconnected" in answer
        for _, writer in connections:
            writer.close()
            await writer.wait_closed()
    del lamp, caller, connections, writer
    await asyncio.sleep(0)
    gc.collect()
    assert asyncio.all_tasks() == tasks
    assert _timers(loop) == timers
    assert threading.active_count() == threads
    # Fewer, where an earlier test's were still waiting for their end.
    assert _open_files() <= files


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a count, of what is no folder of ours


def _timers(loop: asyncio.AbstractEventLoop) -> list[Callable[[], object]]:
    return [
        handle._callback
        for handle in loop._scheduled  # type: ignore[attr-defined]  # there is no other way
        if not handle.cancelled()
    ]


async def test_closing_does_not_wait_for_who_does_not_read(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket, owner_key: str
) -> None:
    """A second is enough."""
    for number in range(1000):
        cloud.store.streams.add(device, "s", {"x": "x" * 60, "y": number}, 0)
    await cloud.flush()
    frame = {
        "path": "/v1/datastreams/s/datapoints/",
        "meta": {"Authorization": f"token {owner_key}"},
        "get": {"row_count": 1000},
    }
    lamp.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's can
    [connection] = cloud._device_server._connections
    for _ in range(100):
        lamp.send(frame)
    await until(lambda: connection._write_is_full)
    cloud.disconnect(device)
    assert await _seconds(cloud.close()) < 3
    assert not cloud._device_server._connections


async def test_a_new_cloud_takes_the_same_ports(
    cloud: LocalCloud, device: Device
) -> None:
    """At once, while the old connections still linger."""
    port, http_port = cloud.device_port, int(cloud.http_url.rsplit(":", 1)[1])
    async with DeviceSocket(cloud) as lamp:
        await lamp.identify(device)
        await cloud.close()
        again = LocalCloud(http_port=http_port, device_port=port)
        await again.start()
        assert (again.device_port, again.http_url) == (port, cloud.http_url)
        async with DeviceSocket(again) as socket:
            assert (await socket.ask("/v1/ping/"))["status"] == 200
        await again.close()


@pytest.mark.parametrize("name", ["http_port", "device_port"])
async def test_a_port_that_is_taken(cloud: LocalCloud, name: str) -> None:
    """The start fails, and leaves the other port closed."""
    port = cloud.device_port
    other = LocalCloud(**{name: port})
    with pytest.raises(OSError, match="address already in use"):
        await other.start()
    await other.close()
    async with DeviceSocket(cloud) as socket:
        assert json.loads(json.dumps(await socket.ask("/v1/ping/")))["status"] == 200


@pytest.mark.parametrize("name", ["https_port", "device_tls_port"])
def test_a_tls_port_without_a_certificate(name: str) -> None:
    """It is refused at once, rather than opened in clear."""
    with pytest.raises(ValueError, match="needs an ssl_context"):
        LocalCloud(**{name: 0})


async def test_closing_without_a_start() -> None:
    """It does nothing."""
    await LocalCloud().close()
