"""Attacks at full size: thousands of connections, and requests written to be misread."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
import json
import os
from pathlib import Path
import random
import resource
import socket as sockets
import sys
from tempfile import TemporaryDirectory

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.errors import StateFileError
from fuzz.snapshot import take
from tests.credentials import EMAIL, PASSWORD

from .helpers import LOCAL_CLOUD, WAIT, until

# A process starts, and 5000 connections are made, when the machine has time for it.
pytestmark = pytest.mark.timeout(240)

AT_EACH_DOOR = 2500
START_TIMEOUT = LONG_WAIT = 60
PING = b"GET /v1/ping/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
DEVICE_PING = b'{"path": "/v1/ping/"}\n'


@asynccontextmanager
async def process(files: int) -> AsyncGenerator[tuple[int, int, int, Path]]:
    """Run a cloud in a process of its own; yield its id, HTTP port, device port and log.

    It may have so many open files.
    """
    folder = TemporaryDirectory()
    log = Path(folder.name) / "log"
    cloud = await asyncio.create_subprocess_exec(
        *("sh", "-c", f'ulimit -n {files} && exec "$0" "$@"'),
        *(sys.executable, LOCAL_CLOUD, "--json"),
        *("--http-port", "0", "--device-port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=log.open("wb"),
    )
    try:
        assert cloud.stdout is not None
        async with asyncio.timeout(START_TIMEOUT):
            ready = json.loads(await cloud.stdout.readline())
        http, device = (
            int(ready[name].rsplit(":", 1)[1]) for name in ("http", "device")
        )
        yield cloud.pid, http, device, log
        assert cloud.returncode is None
    finally:
        cloud.terminate()
        await cloud.communicate()
        folder.cleanup()


@contextmanager
def many_files(count: int) -> Iterator[None]:
    """Let this process have so many files open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        pytest.skip(f"no more than {hard} open files are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def ask(port: int, request: bytes) -> None:
    """Ping as a stranger, who has to be answered."""
    with sockets.create_connection(("127.0.0.1", port), LONG_WAIT) as connection:
        connection.sendall(request)
        answer = b""
        while b"ping success" not in answer:
            answer += (received := connection.recv(4096))
            assert received, answer


def memory(process_id: int) -> int:
    """Return how many bytes of memory a process has."""
    pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def work(process_id: int) -> float:
    """Return how many seconds a process has worked, however long it had to wait for that."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def open_files(process_id: int) -> int:
    """Return how many files a process has open."""
    return sum(1 for _ in Path(f"/proc/{process_id}/fd").iterdir())


async def test_5000_connections_that_never_finish_a_request() -> None:
    """Half of them silent, half in the middle of a line: others are served, and little is spent."""
    files = 2 * AT_EACH_DOOR + 3000
    with many_files(files):
        async with process(files) as (process_id, http, device, _):
            ask(http, PING)
            memory_before, files_before = memory(process_id), open_files(process_id)
            idle = []
            for number in range(AT_EACH_DOOR):
                for port, half in ((http, b"GET /v1/p"), (device, b'{"path": "/v1')):
                    connection = sockets.create_connection(
                        ("127.0.0.1", port), LONG_WAIT
                    )
                    idle.append(connection)
                    if number % 2:
                        connection.send(half)
            try:
                # What lies in the listeners' queues was the connections' own work.
                ask(http, PING)
                ask(device, DEVICE_PING)
                before = work(process_id)
                for _ in range(5):
                    ask(http, PING)
                    ask(device, DEVICE_PING)
                assert work(process_id) - before < 1
                assert open_files(process_id) >= len(idle)
                each = (memory(process_id) - memory_before) / len(idle)
                assert each < 32 << 10, f"{each / 1024:.1f} KiB for each connection"
            finally:
                for connection in idle:
                    connection.close()
            await until(lambda: open_files(process_id) <= files_before + 5, LONG_WAIT)


async def test_more_connections_than_it_may_have() -> None:
    """They are refused in good time: the log has one line of it, and who comes later is served."""
    async with process(files=1024) as (process_id, http, device, log):
        idle = []
        for number in range(1400):
            port = (http, device)[number % 2]
            idle.append(sockets.create_connection(("127.0.0.1", port), LONG_WAIT))
        # It says so when it has taken what it may, and would again if it went on.
        await until(lambda: b"Connections are refused" in log.read_bytes(), LONG_WAIT)
        await asyncio.sleep(1.5)
        assert open_files(process_id) < 1024
        for connection in idle:
            connection.close()
        await until(lambda: open_files(process_id) < 100, LONG_WAIT)
        ask(http, PING)
        ask(device, DEVICE_PING)
        lines = log.read_text().splitlines()
        assert len(lines) == 1, lines
        assert "Connections are refused" in lines[0]


# Requests that are written to be misread


async def exchange(cloud: LocalCloud, request: bytes) -> tuple[int, bytes]:
    """Send bytes to the HTTP server and return the status and all of the answer."""
    host, port = cloud.http_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    async with asyncio.timeout(WAIT):
        answer = await reader.read()
    writer.close()
    return int(answer.split(b" ", 2)[1]), answer


def request(line: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    """Return a request."""
    length = [b"Content-Length: %d" % len(body)] if body else []
    head = [line + b" HTTP/1.1", b"Host: x", b"Connection: close", *length, *headers]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("line", "status"),
    [
        # The cloud's own app writes two slashes at the start; nothing else is tidied up.
        (b"GET //v1/device/", 200),
        (b"GET http://elsewhere.example/v1/device/", 200),
        (b"GET /v1//device/", 404),
        (b"GET /v1/../v1/device/", 404),
        (b"GET /v1/./device/", 404),
        (b"GET /v1/%2e%2e/v1/device/", 404),
        (b"GET /v1/user/devices/groups/../../../device/", 404),
        (b"GET /v1/device/..%2f..%2f..%2fetc/passwd", 404),
        (b"GET /v1/datastreams/..%2f..%2f/datapoint/", 404),
        (b"GET /v1/products/..%2f..%2f1/devices/", 404),
        (b"GET v1/device/", 400),
        (rb"GET \v1\device\ ".rstrip(), 400),
        (b"get /v1/device/", 400),
        (b"OPTIONS *", 404),
        (b"CONNECT example.org:443", 404),
        (b"TRACE /v1/device/", 405),
        (b"PATCH /v1/device/", 405),
    ],
)
async def test_paths(
    cloud: LocalCloud, owner_key: str, line: bytes, status: int
) -> None:
    """A path is what it says: there are no folders to climb, and nothing is fetched."""
    key = b"Authorization: token " + owner_key.encode()
    assert (await exchange(cloud, request(line, key)))[0] == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([b"Authorization: token %s"], 200),
        ([b"authorization:\tTOKEN\t%s"], 200),
        ([b"Authorization: token %s", b"Authorization: token %s"], 400),
        ([b"Authorization: token x", b"authorization: token %s"], 400),
        ([b"Authorization: token %s", b" folded: 1"], 400),
        ([b"Authorization : token %s"], 400),
        ([b"Authorization: token %s\x0b"], 400),
        ([b"Authorization: token %s, token x"], 401),
        ([b"Authorization: Bearer %s"], 401),
        ([b"X-Authorization: token %s"], 401),
        ([b"Cookie: Authorization=token %s"], 401),
        ([b"X-Forwarded-For: 127.0.0.1"], 401),
        ([b"X-Original-URL: /v1/ping/"], 401),
    ],
)
async def test_headers(
    cloud: LocalCloud, owner_key: str, headers: list[bytes], status: int
) -> None:
    """There is one key in one header, or none."""
    own = [header.replace(b"%s", owner_key.encode()) for header in headers]
    assert (await exchange(cloud, request(b"GET /v1/device/", *own)))[0] == status


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /v1/device/?a=%0d%0aX-Injected:%201",
        b"GET /v1/%0d%0aX-Injected:%201",
        b"GET /v1/datastreams/%0d%0aX-Injected:%201/datapoint/",
    ],
)
async def test_nothing_gets_into_the_head_of_an_answer(
    cloud: LocalCloud, owner_key: str, sent: bytes
) -> None:
    """No part of a request stands in a header."""
    key = b"Authorization: token " + owner_key.encode()
    zone = b"Time-Zone: X-Injected"
    _, answer = await exchange(cloud, request(sent, key, zone))
    assert b"X-Injected" not in answer.partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize(
    ("line", "header"),
    [
        (b"GET /v1/user/devices/groups/?method=DELETE", b""),
        (b"PUT /v1/user/devices/groups/?method=DELETE", b""),
        (b"POST /v1/user/devices/groups/?method=PATCH", b""),
        (b"POST /v1/user/devices/groups/?method=DELETE&method=PATCH", b""),
        (b"POST /v1/user/devices/groups/?method=%00DELETE", b""),
        (b"POST /v1/user/devices/groups/", b"X-HTTP-Method-Override: DELETE"),
    ],
)
async def test_only_a_post_becomes_something_else(
    cloud: LocalCloud, user_key: str, line: bytes, header: bytes
) -> None:
    """What can be a link or a picture stays a GET; nothing is deleted by accident."""
    user = cloud.store.users[1]
    group = cloud.store.add_group(user, "room", "")
    headers = [
        b"Authorization: token " + user_key.encode(),
        *([header] if header else []),
    ]
    body = b'{"deviceGroups": [{"id": 1, "name": "room"}]}'
    await exchange(cloud, request(line, *headers, body=body))
    assert cloud.store.groups[group.id] is group


async def test_a_hidden_request_is_not_answered(
    cloud: LocalCloud, owner_key: str
) -> None:
    """Where two lengths disagree, what a proxy took for a body is not taken for a request."""
    hidden = request(b"DELETE /v1/key/", b"Authorization: token " + owner_key.encode())
    for trick in (b"Transfer-Encoding: chunked", b"Content-Length: 5"):
        body = b"0\r\n\r\n" + hidden
        status, answer = await exchange(
            cloud, request(b"POST /v1/user/find/", trick, body=body)
        )
        assert status == 400
        assert answer.count(b"HTTP/1.") == 1
    assert cloud.store.keyring.key(owner_key)


# The state file


def counts(cloud: LocalCloud) -> dict[str, int]:
    """Return how many records of each kind a cloud has."""
    tables = take(cloud.store).items()
    return {name: len(rows) for name, rows in tables if name != "last_ids"}


async def test_a_damaged_state_file_is_refused_or_whole(tmp_path: Path) -> None:
    """Cut anywhere, or with any byte changed: the cloud says so, or has as much of everything."""
    path = tmp_path / "state.json"
    cloud = LocalCloud(state_file=path)
    await cloud.start()
    cloud.add_device("Desk lamp", await cloud.add_account(EMAIL, PASSWORD))
    await cloud.close()
    good = path.read_bytes()
    chance = random.Random(1)
    refused = 0
    for _ in range(60):
        place = chance.randrange(len(good))
        changed = bytes([chance.randrange(256)])
        for text in (good[:place], good[:place] + changed + good[place + 1 :]):
            path.write_bytes(text)
            again = LocalCloud(state_file=path)
            try:
                await again.start()
            except StateFileError:
                refused += 1
                assert path.read_bytes() == text
            else:
                assert counts(again) == counts(cloud)
            await again.close()
    assert refused > 60
