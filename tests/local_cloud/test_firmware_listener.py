"""A port that is open only while devices upgrade, and answers nobody else (protocol.md §10.4)."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
import socket
from typing import Any

import pytest
import pytest_socket

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.addresses import host_of, is_same
from custom_components.espcloud.local_cloud.errors import ApiError
from custom_components.espcloud.local_cloud.listeners import FirmwareServed
from custom_components.espcloud.local_cloud.models import Device, User
from tests.firmware import image
from tests.firmware.connection import Firmware
from tests.firmware.plug import Plug

from .helpers import WAIT, Api, DeviceSocket, add_firmware, until
from .test_downloads import ROM, request

VERSION = "v1.0.6t45772(a)"
PLUG_VERSION = "v1.0.6t23701(a)"
SIZE = 300_000
PLUG_FILES = {f"user{slot}.bin": image.build(slot, SIZE) for slot in (1, 2)}


@pytest.fixture
def device(cloud: LocalCloud, device: Device) -> Device:
    """Make a lamp of which there is firmware."""
    add_firmware(cloud, VERSION)
    return device


async def connect(
    port: int, host: str = "127.0.0.1"
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the port for firmware."""
    return await asyncio.open_connection(host, port)


async def answer(port: int, *requests: bytes, host: str = "127.0.0.1") -> bytes:
    """Send something and return all that comes until the end."""
    reader, writer = await connect(port, host)
    try:
        for each in requests:
            writer.write(each)
        async with asyncio.timeout(WAIT):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def body_of(text: bytes) -> bytes:
    """Return what is behind the head."""
    assert text.startswith(b"HTTP/1.0 200 OK\r\n")
    return text.partition(b"\r\n\r\n")[2]


async def is_open(port: int) -> bool:
    """Say whether somebody listens."""
    try:
        _, writer = await connect(port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


# A whole upgrade


@pytest.fixture
def plug_device(cloud: LocalCloud, user: User) -> Device:
    """Make a plug."""
    return cloud.add_device("plug", user, 23701)


@pytest.fixture
async def plug(
    cloud: LocalCloud, plug_device: Device, unused_tcp_port: int
) -> AsyncGenerator[Firmware]:
    """Switch it on; it looks for firmware at a port where nobody listens yet."""
    address = cloud.device_host, cloud.device_port
    key = cloud.master_key(plug_device)
    async with Firmware(
        address, key, Plug(), activates=True, http_port=unused_tcp_port
    ) as plug:
        await cloud.wait_online(plug_device)
        yield plug


async def test_an_upgrade(
    cloud: LocalCloud, plug_device: Device, plug: Firmware, unused_tcp_port: int
) -> None:
    """The device is told to, fetches, and says that it has; the port is open meanwhile alone."""
    await cloud.add_firmware(23701, PLUG_VERSION, PLUG_FILES)
    key = cloud.owner_key(plug_device)
    steps: list[tuple[int, int]] = []
    query = {
        "deliver_to_device": "true",
        "action": "sys_upgrade",
        "version": PLUG_VERSION,
    }
    assert not await is_open(unused_tcp_port)
    async with cloud.serving_firmware(
        plug_device,
        PLUG_VERSION,
        unused_tcp_port,
        lambda sent, total: steps.append((sent, total)),
    ) as port:
        assert port == unused_tcp_port
        reply = await cloud.call("GET", "/v1/device/rpc/", key, query)
        assert reply["status"] == 200
        await until(lambda: "message sent" in plug.actions, 2 * WAIT)
    assert plug.flash == PLUG_FILES["user2.bin"]
    assert plug_device.rom_version == PLUG_VERSION
    assert not await is_open(unused_tcp_port)
    sent = [step[0] for step in steps]
    assert {step[1] for step in steps} == {SIZE}
    assert sent == sorted(set(sent))
    assert len(sent) > 1
    assert sent[-1] == SIZE


# Open, and no longer


async def test_several_share_it(
    cloud: LocalCloud, device: Device, user: User, lamp: DeviceSocket,
    unused_tcp_port: int, master_key: str,
) -> None:  # fmt: skip
    """It closes with the last one, and serves those alone that are inside."""
    other = cloud.add_device("other", user)
    theirs = cloud.master_key(other)
    port = unused_tcp_port
    async with DeviceSocket(cloud) as connection:
        await connection.identify(other)
        async with cloud.serving_firmware(other, VERSION, port):
            async with cloud.serving_firmware(device, VERSION, port) as same:
                assert same == port
                for key in (master_key, theirs):
                    assert body_of(await answer(port, request(key))) == image.build(1)
            assert await answer(port, request(master_key)) == b""
            assert body_of(await answer(port, request(theirs))) == image.build(1)
        assert not await is_open(port)
    async with cloud.serving_firmware(device, VERSION, port):
        assert body_of(await answer(port, request(master_key))) == image.build(1)
    assert not await is_open(port)


async def test_two_that_begin_at_once(
    cloud: LocalCloud, device: Device, user: User, lamp: DeviceSocket,
    unused_tcp_port: int,
) -> None:  # fmt: skip
    """Neither takes the port away from the other."""
    other = cloud.add_device("other", user)
    async with DeviceSocket(cloud) as connection, AsyncExitStack() as stack:
        await connection.identify(other)
        await asyncio.gather(
            *(
                stack.enter_async_context(
                    cloud.serving_firmware(each, VERSION, unused_tcp_port)
                )
                for each in (device, other)
            )
        )
        assert await is_open(unused_tcp_port)
    assert not await is_open(unused_tcp_port)


async def test_one_leaves_as_another_begins(
    cloud: LocalCloud, device: Device, user: User, lamp: DeviceSocket,
    unused_tcp_port: int,
) -> None:  # fmt: skip
    """In whichever order, it is open for the one that begins."""
    other = cloud.add_device("other", user)
    ask = request(cloud.master_key(other))
    for leaves_first in (True, False):
        async with DeviceSocket(cloud) as connection, AsyncExitStack() as stack:
            await connection.identify(other)
            first = AsyncExitStack()
            await first.enter_async_context(
                cloud.serving_firmware(device, VERSION, unused_tcp_port)
            )
            begins = stack.enter_async_context(
                cloud.serving_firmware(other, VERSION, unused_tcp_port)
            )
            both = [first.aclose(), begins]
            await asyncio.gather(*(both if leaves_first else both[::-1]))
            assert body_of(await answer(unused_tcp_port, ask)) == image.build(1)
        assert not await is_open(unused_tcp_port)


async def test_the_port_is_taken(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket, master_key: str
) -> None:
    """By whatever listens at every address, as Home Assistant may; later it works."""
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="address already in use"):
            async with cloud.serving_firmware(device, VERSION, port):
                raise AssertionError("it is open")
    async with cloud.serving_firmware(device, VERSION, port):
        assert body_of(await answer(port, request(master_key))) == image.build(1)


async def test_at_the_address_of_the_connection() -> None:
    """With IPv6 as well, and nowhere else."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1"])
    cloud = LocalCloud("::1")
    await cloud.start()
    user = await cloud.add_account("a@example.org", "an invented password")
    device = cloud.add_device("lamp", user)
    add_firmware(cloud, VERSION)
    async with DeviceSocket(cloud) as connection:
        await connection.identify(device)
        async with cloud.serving_firmware(device, VERSION, 0) as port:
            text = await answer(port, request(cloud.master_key(device)), host="::1")
            assert body_of(text) == image.build(1)
            assert not await is_open(port)
    await cloud.close()


async def test_who_cannot_upgrade(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket
) -> None:
    """A device that is away, without such a version, or in the middle of it."""

    async def status(which: Device, version: str = VERSION) -> int:
        with pytest.raises(ApiError) as error:
            async with cloud.serving_firmware(which, version, 0):
                raise AssertionError("it is open")
        return error.value.status

    assert await status(cloud.add_device("away")) == 404
    assert await status(device, "v1.0.7t45772(a)") == 404
    async with cloud.serving_firmware(device, VERSION, 0):
        assert await status(device) == 409
    async with cloud.serving_firmware(device, VERSION, 0):
        pass


async def test_the_cloud_closes(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket, unused_tcp_port: int
) -> None:
    """So does the port; who is inside goes on undisturbed."""
    async with cloud.serving_firmware(device, VERSION, unused_tcp_port):
        assert await is_open(unused_tcp_port)
        await cloud.close()
        assert not await is_open(unused_tcp_port)


async def test_the_connection_ends_meanwhile(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket, master_key: str
) -> None:
    """As it does where a device has no time for it; it is known by its address still."""
    async with cloud.serving_firmware(device, VERSION, 0) as port:
        lamp.writer.transport.abort()
        await cloud.wait_offline(device)
        assert body_of(await answer(port, request(master_key))) == image.build(1)


# What gets no answer


@pytest.mark.parametrize(
    "text",
    [
        b"GET /v1/ping/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"what\r\n\r\n",
        b"GET /v1/device/rom/?action=download_rom HTTP/9\r\n\r\n",
        b"GET /v1/device/rom/?a\0b HTTP/1.0\r\n\r\n",
        b"GET /v1/device/rom/?" + b"x" * 20_000 + b" HTTP/1.0\r\n\r\n",
        b"\0",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    ],
    ids=["ping", "root", "no HTTP", "version", "NUL", "long", "byte", "TLS"],
)
async def test_no_answer(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket, text: bytes
) -> None:
    """What is not asked as firmware asks ends the connection, without a byte for its flash."""
    async with cloud.serving_firmware(device, VERSION, 0) as port:
        reader, writer = await connect(port)
        writer.write(text)
        writer.write_eof()
        with_what = b""
        try:
            async with asyncio.timeout(WAIT):
                with_what = await reader.read()
        except ConnectionError:
            pass
        assert with_what == b""
        writer.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "v1.0.5t45772(a)"},
        {"version": "v1.0.7t45772(a)"},
        {"version": ""},
        {"name": "user3.bin"},
        {"name": ""},
        {"key": "0" * 40},
        {"key": ""},
    ],
    ids=["older", "other", "none", "file", "no file", "unknown key", "no key"],
)
async def test_no_answer_to_the_wrong_question(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket, master_key: str,
    changes: dict[str, Any],
) -> None:  # fmt: skip
    """Another version or file than the device was told, though there is one, or another key."""
    add_firmware(cloud, "v1.0.7t45772(a)")
    async with cloud.serving_firmware(device, VERSION, 0) as port:
        wrong = request(**{"key": master_key, **changes})
        assert await answer(port, wrong) == b""
        assert await answer(port, wrong + b"\0") == b""
        assert body_of(await answer(port, request(master_key) + b"\0"))


async def test_no_answer_to_other_keys_and_methods(
    cloud: LocalCloud, device: Device, user: User, lamp: DeviceSocket,
    master_key: str, owner_key: str, user_key: str,
) -> None:  # fmt: skip
    """Of a device that does not upgrade, of people; and to no body, nor to other actions."""
    other = cloud.add_device("other", user)
    good = request(master_key)
    async with DeviceSocket(cloud) as connection:
        await connection.identify(other)
        async with cloud.serving_firmware(device, VERSION, 0) as port:
            for wrong in (
                request(cloud.master_key(other)),
                request(owner_key),
                request(user_key),
                good.replace(b"GET", b"POST"),
                good.replace(b"GET", b"HEAD"),
                good.replace(b"download_rom", b"download_rom_base64"),
                good.replace(b"action=download_rom&", b""),
                request(master_key, "Content-Length: 2", "Expect: 100-continue"),
                request(master_key, "Content-Length: 2") + b"{}",
                request(master_key, f"Authorization: token {master_key}"),
            ):
                assert await answer(port, wrong) == b"", wrong
            assert body_of(await answer(port, good)) == image.build(1)


async def test_no_answer_at_another_address(
    cloud: LocalCloud, device: Device, master_key: str
) -> None:
    """The key alone is not enough: it went over the network in the clear."""
    with socket.socket() as there:
        there.setblocking(False)
        there.bind(("127.0.0.2", 0))
        async with DeviceSocket(cloud, sock=there) as connection:
            await connection.identify(device)
            async with cloud.serving_firmware(device, VERSION, 0) as port:
                assert await answer(port, request(master_key)) == b""
                # Where it comes back from is where it is.
                async with DeviceSocket(cloud) as again:
                    await again.identify(device)
                    text = await answer(port, request(master_key))
                    assert body_of(text) == image.build(1)


async def test_a_file_that_is_gone(
    cloud: LocalCloud, device: Device, lamp: DeviceSocket, master_key: str
) -> None:
    """It was removed between the two requests."""
    async with cloud.serving_firmware(device, VERSION, 0) as port:
        assert body_of(await answer(port, request(master_key)))
        await cloud.remove_firmware(45772, VERSION)
        assert await answer(port, request(master_key)) == b""


@pytest.mark.parametrize(
    ("name", "host"),
    [
        (("192.0.2.1", 8000), "192.0.2.1"),
        (("::ffff:192.0.2.1", 8000, 0, 0), "192.0.2.1"),
        (("2001:db8::1", 8000, 0, 0), "2001:db8::1"),
        (("fe80::1", 8000, 0, 3), "fe80::1%3"),
        (("fe80::1%eth0", 8000, 0, 3), "fe80::1%eth0"),
    ],
)
def test_where_to_listen(name: tuple[Any, ...], host: str) -> None:
    """At an address in the form that one can listen at."""
    assert host_of(name) == host


def test_the_same_address() -> None:
    """Whether or not IPv6 wraps it."""
    assert is_same("192.0.2.1", "::ffff:192.0.2.1")
    assert is_same("2001:db8::1", "2001:db8:0::1")
    assert not is_same("192.0.2.1", "192.0.2.2")
    assert not is_same("", "192.0.2.1")


# How far it is


class Slow:
    """A client with room for a few KB, which counts what it reads and what it is said to have."""

    ROOM = 32 << 10
    """More than the system keeps for it, less than the other side's keeps to send."""

    def __init__(self) -> None:
        """Connect later."""
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.setblocking(False)
        self.text = b""
        self.said: list[int] = []
        self.is_right = True

    async def ask(self, port: int, text: bytes) -> None:
        """Send a request."""
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self.socket, ("127.0.0.1", port))
        await loop.sock_sendall(self.socket, text)

    async def read(self, size: int) -> None:
        """Read so much more."""
        end = len(self.text) + size
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(WAIT):
            while len(self.text) < end:
                text = await loop.sock_recv(self.socket, 4096)
                assert text
                self.text += text

    def hear(self, sent: int, total: int) -> None:
        """Take a message down."""
        self.is_right &= total == SIZE and sent <= len(self.text) + self.ROOM
        self.said.append(sent)


@pytest.fixture
async def reader() -> AsyncGenerator[Slow]:
    """Return a slow client."""
    reader = Slow()
    yield reader
    reader.socket.close()


async def test_what_was_read_counts(
    cloud: LocalCloud, plug_device: Device, user: User, reader: Slow
) -> None:
    """And not what the system has taken, which would be most of it at once."""
    await cloud.add_firmware(23701, PLUG_VERSION, PLUG_FILES)
    key = cloud.master_key(plug_device)
    async with DeviceSocket(cloud) as connection:
        await connection.identify(plug_device)
        async with cloud.serving_firmware(
            plug_device, PLUG_VERSION, 0, reader.hear
        ) as port:
            await reader.ask(port, request(key, version=PLUG_VERSION))
            for _ in range(4):
                await reader.read(70_000)
                await until(
                    lambda: (
                        bool(reader.said)
                        and reader.said[-1] > len(reader.text) - 70_000
                    )
                )
            head, _, start = reader.text.partition(b"\r\n\r\n")
            await reader.read(SIZE - len(start))
            assert reader.text[len(head) + 4 :] == PLUG_FILES["user1.bin"]
            await until(lambda: reader.said[-1] == SIZE)
    assert reader.is_right
    assert reader.said == sorted(set(reader.said))


async def test_it_never_goes_back(
    cloud: LocalCloud, plug_device: Device, user: User
) -> None:
    """What the first connection got counts until the second one has more; events tell of both."""
    await cloud.add_firmware(23701, PLUG_VERSION, PLUG_FILES)
    ask = request(cloud.master_key(plug_device), version=PLUG_VERSION)
    first, second = Slow(), Slow()
    events: list[FirmwareServed] = []
    steps: list[int] = []
    cloud.listeners.add(
        lambda event: (
            events.append(event) if isinstance(event, FirmwareServed) else None
        )
    )
    async with DeviceSocket(cloud) as connection:
        await connection.identify(plug_device)
        async with cloud.serving_firmware(
            plug_device, PLUG_VERSION, 0, lambda sent, _: steps.append(sent)
        ) as port:
            await first.ask(port, ask)
            await first.read(100_000)
            await until(lambda: bool(steps) and steps[-1] > 60_000)
            first.socket.close()
            began_again = len(events)
            await second.ask(port, ask)
            await until(lambda: len(events) > began_again)
            assert events[began_again].sent < 60_000
            await second.read(SIZE)
            await until(lambda: steps[-1] == SIZE)
    second.socket.close()
    assert steps == sorted(set(steps))
    assert events[-1] == FirmwareServed(
        plug_device, PLUG_VERSION, "user1.bin", SIZE, SIZE
    )


async def test_over_the_api_too(
    api: Api, cloud: LocalCloud, device: Device, master_key: str
) -> None:
    """Whoever embeds the cloud hears of every file that a device fetches."""
    events: list[FirmwareServed] = []
    cloud.listeners.add(
        lambda event: (
            events.append(event) if isinstance(event, FirmwareServed) else None
        )
    )
    query = f"?action=download_rom&version={VERSION}&filename=user2.bin"
    reply = await api.call("GET", ROM + query + "&x=1", key="0" * 40)
    assert reply.status == 500
    port = int(cloud.http_url.rpartition(":")[2])
    text = await answer(port, request(master_key, name="user2.bin"))
    assert body_of(text) == image.build(2)
    await until(lambda: bool(events) and events[-1].sent == 4000)
    assert events[-1] == FirmwareServed(device, VERSION, "user2.bin", 4000, 4000)


async def test_who_listens_may_fail(
    cloud: LocalCloud, plug_device: Device, user: User
) -> None:
    """The device gets its file all the same."""
    await cloud.add_firmware(23701, PLUG_VERSION, PLUG_FILES)
    ask = request(cloud.master_key(plug_device), version=PLUG_VERSION)

    def fail(sent: int, total: int) -> None:
        raise ValueError

    async with DeviceSocket(cloud) as connection:
        await connection.identify(plug_device)
        async with cloud.serving_firmware(plug_device, PLUG_VERSION, 0, fail) as port:
            assert body_of(await answer(port, ask)) == PLUG_FILES["user1.bin"]


async def test_a_client_that_breaks_off(
    cloud: LocalCloud, plug_device: Device, user: User, reader: Slow
) -> None:
    """What the system had still to send when the socket was closed has not arrived."""
    size = 60_000  # all of which the system takes at once
    files = {f"user{slot}.bin": image.build(slot, size) for slot in (1, 2)}
    await cloud.add_firmware(23701, PLUG_VERSION, files)
    ask = request(cloud.master_key(plug_device), version=PLUG_VERSION)
    async with DeviceSocket(cloud) as connection:
        await connection.identify(plug_device)
        async with cloud.serving_firmware(
            plug_device, PLUG_VERSION, 0, reader.hear
        ) as port:
            (shared,) = cloud._firmware_listener._ports.values()
            await reader.ask(port, ask)
            await reader.read(1000)
            await until(lambda: bool(reader.said))
            reader.socket.close()
            await until(lambda: not shared.server._progress)
    assert 0 < reader.said[-1] < size
