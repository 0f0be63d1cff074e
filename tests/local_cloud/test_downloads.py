"""Firmware as a device downloads it: requests as its firmware writes them (protocol.md §2.10, §10.4)."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import Limits, LocalCloud
from custom_components.espcloud.local_cloud.models import Device
from tests.firmware import image

from .helpers import WAIT, Api, DeviceSocket, add_firmware, no_file, until

VERSION = "v1.0.6t45772(a)"
ROM = "/v1/device/rom/"
USER1 = image.build(1)


@pytest.fixture
def device(cloud: LocalCloud, device: Device) -> Device:
    """Make a device of which there is firmware."""
    add_firmware(cloud, VERSION)
    return device


def request(
    key: str,
    *headers: str,
    version: str = VERSION,
    name: str = "user1.bin",
    http: str = "HTTP/1.0",
    connection: str = "close",
) -> bytes:
    """Return the request for a file, without the NUL byte."""
    lines = [
        f"GET {ROM}?action=download_rom&version={version}&filename={name} {http}",
        "Host: 192.0.2.10:80",
        f"Connection: {connection}",
        "User-Agent: Mozilla/5.0 (Windows NT 5.1) AppleWebKit/537.36 ",
        f"Authorization: token {key}",
        "Accept-Encoding: gzip,deflate,sdch",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


@dataclass
class Client:
    """A connection of the HTTP server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def connect(cls, cloud: LocalCloud) -> Client:
        """Connect."""
        host, port = cloud.http_url.removeprefix("http://").split(":")
        return cls(*await asyncio.open_connection(host, int(port), limit=1 << 16))

    async def send(self, *pieces: bytes) -> None:
        """Send pieces that arrive one by one."""
        for piece in pieces:
            self.writer.write(piece)
            await asyncio.sleep(0.02)

    async def head(self) -> bytes:
        """Return the head of the next answer."""
        async with asyncio.timeout(WAIT):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def answer(self) -> tuple[bytes, bytes]:
        """Return the head and the body of the next answer."""
        head = await self.head()
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        async with asyncio.timeout(WAIT):
            return head, await self.reader.readexactly(length)

    async def rest(self) -> bytes:
        """Return what still comes until the end."""
        async with asyncio.timeout(WAIT):
            return await self.reader.read()


@pytest.fixture
async def client(cloud: LocalCloud) -> AsyncGenerator[Client]:
    """Return a connection."""
    client = await Client.connect(cloud)
    yield client
    client.writer.close()


@pytest.mark.parametrize("end", [b"", b"\0"], ids=["NONOS", "RTOS"])
@pytest.mark.parametrize("name", ["user1.bin", "user2.bin"])
async def test_a_file(client: Client, master_key: str, end: bytes, name: str) -> None:
    """It comes as it is, with the headers as they were recorded, and the connection ends."""
    await client.send(request(master_key, name=name) + end)
    head, body = await client.answer()
    assert head.startswith(b"HTTP/1.0 200 OK\r\n")
    assert body == image.build(int(name[4]))
    assert b"\r\nContent-Length: 4000\r\n" in head
    assert b"\r\nContent-Type: application/octet-stream\r\n" in head
    assert (
        b"\r\nContent-Disposition: attachment;filename=%b\r\n" % name.encode() in head
    )
    assert b"Content-Encoding" not in head
    assert await client.rest() == b""


class Transport(asyncio.Transport):
    """A transport that tells its writes apart."""

    def __init__(self, cloud: LocalCloud, peer: str) -> None:
        """Connect to the HTTP server from an address."""
        super().__init__({"peername": (peer, 1)})
        self.writes: list[bytes] = []
        self.is_aborted = False
        self.protocol: asyncio.Protocol = cloud._http_server.connection()
        self.protocol.connection_made(self)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Receive with another protocol."""
        assert isinstance(protocol, asyncio.Protocol)
        self.protocol = protocol

    def write(self, data: Any) -> None:
        """Note a write."""
        self.writes.append(bytes(data))

    def writelines(self, data: Any) -> None:
        """Note a write of several parts, which go out together."""
        self.writes.append(b"".join(data))

    def is_closing(self) -> bool:
        """Say that it is open."""
        return False

    def close(self) -> None:
        """Stay open."""

    def abort(self) -> None:
        """Note that the server has had enough."""
        self.is_aborted = True
        self.protocol.connection_lost(None)


async def test_the_head_comes_with_the_start_of_the_file(
    cloud: LocalCloud, master_key: str
) -> None:
    """Firmware takes a segment without a byte of the file for the end of it all."""
    transport = Transport(cloud, "192.0.2.1")
    transport.protocol.data_received(request(master_key) + b"\0")
    await until(lambda: b"\xea\x01" in b"".join(transport.writes))
    head, end, start = transport.writes[0].partition(b"\r\n\r\n")
    assert head
    assert end
    assert len(start) > 1000
    transport.abort()


@pytest.mark.parametrize("cut", ["before", "behind", "within", "everywhere"])
async def test_the_nul_byte_may_come_by_itself(
    client: Client, master_key: str, cut: str
) -> None:
    """However the request is cut."""
    whole = request(master_key, connection="keep-alive") + b"\0"
    place = {"before": -1, "behind": -5, "within": 40, "everywhere": 1}[cut]
    if cut == "everywhere":
        for place in range(len(whole)):
            client.writer.write(whole[place : place + 1])
            await client.writer.drain()
            await asyncio.sleep(0)
    else:
        await client.send(whole[:place], whole[place:])
    _, body = await client.answer()
    assert body == USER1


async def test_twice(cloud: LocalCloud, master_key: str) -> None:
    """The first connection ends once the length was read; the second one gets everything."""
    first = await Client.connect(cloud)
    await first.send(request(master_key) + b"\0")
    assert b"Content-Length: 4000" in await first.head()
    first.writer.transport.abort()
    second = await Client.connect(cloud)
    await second.send(request(master_key) + b"\0")
    assert (await second.answer())[1] == USER1
    second.writer.close()
    await until(lambda: not cloud._http_server._downloads)


async def test_keep_alive(client: Client, master_key: str) -> None:
    """Other firmware may go on with the connection."""
    for _ in range(2):
        await client.send(request(master_key, connection="keep-alive"))
        head, body = await client.answer()
        assert body == USER1
        assert b"Connection: keep-alive" in head


async def test_a_version_with_what_follows_it(
    cloud: LocalCloud, device: Device, client: Client
) -> None:
    """A device takes 15 characters, the quote behind a shorter version among them (§3.9, 11)."""
    add_firmware(cloud, "v1.0.6t2355(a)", 2355)
    key = cloud.master_key(cloud.add_device("remote", None, 2355))
    await client.send(request(key, version='v1.0.6t2355(a)"') + b"\0")
    assert (await client.answer())[1] == USER1


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"version": "v1.0.5t45772(a)"}, b"404"),
        ({"name": "user3.bin"}, b"404"),
        ({"name": "../user1.bin"}, b"404"),
        ({"key": "0" * 40}, b"500"),
        ({"key": ""}, b"401"),
    ],
)
async def test_no_file(
    client: Client, master_key: str, changes: dict[str, str], status: bytes
) -> None:
    """The reason is told in JSON."""
    await client.send(request(**{"key": master_key, **changes}) + b"\0")  # type: ignore[arg-type]  # texts all
    head, body = await client.answer()
    assert head.split()[1] == status
    assert body.startswith(b'{"message": ')
    assert await client.rest() == b""


# Requests that are written to be misread


@pytest.mark.parametrize("connection", ["close", "keep-alive"])
async def test_nothing_behind_the_nul_byte_is_read(
    cloud: LocalCloud, client: Client, master_key: str, owner_key: str,
    connection: str,
) -> None:  # fmt: skip
    """To whoever stands in front, what begins with it is no request."""
    hidden = b"DELETE /v1/key/ HTTP/1.1\r\nHost: x\r\nAuthorization: token %b\r\n\r\n"
    hidden %= owner_key.encode()
    first = request(master_key, http="HTTP/1.1", connection=connection) + b"\0"
    await client.send(first + hidden)
    assert (await client.answer())[1] == USER1
    if connection == "close":
        assert await client.rest() == b""
    else:
        await client.send(hidden)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await client.reader.read(1)
    assert cloud.store.keyring.key(owner_key)


@pytest.mark.parametrize(
    "first",
    [
        b"GET /v1/ping/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/device/rom/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v1/device/rom/?a=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        b"\r\nGET /v1/device/rom/?a=1 HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
async def test_elsewhere_a_nul_byte_is_malformed(client: Client, first: bytes) -> None:
    """One answer to the request, and 400 to what is behind it; or 400 at once."""
    await client.send(first + b"\0" + first)
    answers = await client.rest()
    assert b" 400 " in answers.splitlines()[0] or answers.count(b"HTTP/1.") == 2
    assert b"HTTP/1.0 400" in answers or b"HTTP/1.1 400" in answers


async def test_a_nul_byte_within_a_body_belongs_to_it(
    client: Client, master_key: str
) -> None:
    """Left out there, it would be made up for by the first byte of the next request."""
    next_one = b"GET /v1/ping/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    for header, body in (
        ("Content-Length: 1", b"\0"),
        ("content-length:2", b"\0\0"),
        ("Transfer-Encoding: chunked", b"1\r\n\0\r\n0\r\n\r\n"),
    ):
        first = request(master_key, header, http="HTTP/1.1", connection="keep-alive")
        await client.send(first + body)
        head, _ = await client.answer()
        assert head.split()[1] == b"400"  # the body is no JSON
    await client.send(next_one)
    assert (await client.answer())[0].split()[1] == b"200"


async def test_nothing_is_kept_of_what_comes_later(
    cloud: LocalCloud, master_key: str
) -> None:
    """Neither behind the NUL byte, nor of further requests, which are aiohttp's own."""
    first = request(master_key, connection="keep-alive")
    transport = Transport(cloud, "192.0.2.1")
    connection: Any = transport.protocol
    transport.protocol.data_received(first)
    assert transport.protocol is connection
    transport.protocol.data_received(first)
    assert transport.protocol is not connection
    transport.abort()
    transport = Transport(cloud, "192.0.2.1")
    connection = transport.protocol
    for data in (first, b"\0", first, b"x" * 100_000):
        transport.protocol.data_received(data)
    assert len(connection._head) == len(first) + 1
    transport.abort()


async def test_a_later_request_has_no_nul_byte(client: Client, master_key: str) -> None:
    """Firmware sends one on a connection."""
    await client.send(b"GET /v1/ping/ HTTP/1.1\r\nHost: x\r\n\r\n")
    await client.answer()
    await client.send(request(master_key, http="HTTP/1.1") + b"\0")
    answers = await client.rest()
    assert answers.count(b" 400 Bad Request") == 1


async def test_a_head_without_end(client: Client, master_key: str) -> None:
    """It is refused as any other."""
    head = request(master_key)[:-2]
    client.writer.write(head + b"X: " + b"x" * 20_000)
    async with asyncio.timeout(WAIT):
        assert (await client.reader.readline()).split()[1] == b"400"


# How much at once


class TestLimits:
    """A cloud from which one address may read two files at once, and three are read in all."""

    @pytest.fixture
    async def cloud(self) -> AsyncGenerator[LocalCloud]:
        """Run it."""
        limits = Limits(
            downloads=3, downloads_of_address=2, http_download=0.5, sweep=0.1
        )
        cloud = LocalCloud(limits=limits)
        await cloud.start()
        yield cloud
        await cloud.close()

    async def test_downloads_that_nobody_reads(
        self, cloud: LocalCloud, device: Device, master_key: str
    ) -> None:
        """They hold what is to be sent; so there are few, and they end."""
        downloads = cloud._http_server._downloads
        readers = []
        for peer in ("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"):
            reader = Transport(cloud, peer)
            reader.protocol.pause_writing()
            reader.protocol.data_received(request(master_key))
            await until(lambda: bool(reader.writes))  # noqa: B023 - called at once
            readers.append(reader)
        status = [reader.writes[0].split()[1] for reader in readers]
        assert status == [b"200", b"200", b"503", b"200", b"503"]
        assert downloads == {"192.0.2.1": 2, "192.0.2.2": 1}
        readers[0].protocol.resume_writing()
        await until(lambda: downloads.total() == 2)
        await until(lambda: readers[1].is_aborted and readers[3].is_aborted)
        await until(lambda: not cloud._http_server._downloads)
        for reader in readers:
            reader.abort()


# Slices, over TCP


async def test_slices(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket, master_key: str
) -> None:
    """Put together they are the file; the last one is shorter."""
    put_together = b""
    while len(put_together) < len(USER1):
        get = {
            "action": "download_rom_base64", "version": VERSION, "filename": "user1.bin",
            "offset": len(put_together), "size": 1500,
        }  # fmt: skip
        answer = await lamp.ask(ROM, key=master_key, get=get, nonce=9)
        rom = answer["device_rom"]
        part = b64decode(rom["rom_base64"])
        assert answer == {"device_rom": rom, "nonce": 9, "status": 200}
        assert list(rom) == [
            "rom_base64", "filename", "version", "offset", "total", "size",
            "size_base64", "action",
        ]  # fmt: skip
        assert rom == {
            **get, "rom_base64": rom["rom_base64"], "total": 4000, "size": len(part),
            "size_base64": len(rom["rom_base64"]),
        }  # fmt: skip
        put_together += part
    assert put_together == USER1
    assert rom["size"] == 1000


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"offset": 4001}, 400),
        ({"size": 0}, 400),
        ({"size": (16 << 10) + 1}, 400),
        ({"offset": "x"}, 400),
        ({"version": "v1.0.5t45772(a)"}, 404),
        ({"filename": "user3.bin"}, 404),
        ({"action": "download_rom"}, 400),
    ],
)
async def test_no_slice(
    lamp: DeviceSocket, master_key: str, changes: dict[str, Any], status: int
) -> None:
    """The end of a file is no error, what lies behind it is."""
    get = {
        "action": "download_rom_base64", "version": VERSION, "filename": "user1.bin",
        "offset": 0, "size": 10, **changes,
    }  # fmt: skip
    assert (await lamp.ask(ROM, key=master_key, get=get))["status"] == status


async def test_a_file_that_is_removed_meanwhile(
    api: Api, cloud: LocalCloud, device: Device, master_key: str
) -> None:
    """It is not there any more."""
    roms = cloud.store.roms
    query = f"?action=download_rom&version={VERSION}&filename=user1.bin"
    await cloud.flush()
    roms.contents.find = no_file
    reply = await api.get(ROM + query, key=master_key)
    assert (reply.status, reply.json["message"]) == (404, "bin not found")
