"""Taking ports, and serving at them: two steps, at several addresses."""

import asyncio
import errno
from pathlib import Path
import socket as sockets
from typing import Any, override

import pytest
from pytest_socket import socket_allow_hosts

from custom_components.espcloud.local_cloud import LocalCloud, listening
from custom_components.espcloud.local_cloud.errors import StateFileError
from custom_components.espcloud.local_cloud.listeners import DeviceConnected, Event

from .helpers import WAIT, DeviceSocket

BOTH = ("127.0.0.1", "::1")


@pytest.fixture(autouse=True)
def loopback_of_both(loopback: None) -> None:
    """Let tests connect to both of them; the test plugin allows one, anew for each test."""
    socket_allow_hosts(list(BOTH))


def has_ipv6() -> bool:
    """Say whether this machine has IPv6."""
    try:
        with sockets.socket(sockets.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


with_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


def without(monkeypatch: pytest.MonkeyPatch, lost: dict[int, int]) -> None:
    """Have sockets of families fail as on a machine without them, by error number."""

    class Socket(sockets.socket):
        def __init__(self, family: int = -1, *arguments: Any, **options: Any) -> None:
            if lost.get(family) == errno.EAFNOSUPPORT:
                raise OSError(errno.EAFNOSUPPORT, "Address family not supported")
            super().__init__(family, *arguments, **options)

        @override
        def bind(self, address: Any) -> None:
            if number := lost.get(self.family):
                raise OSError(number, "Cannot assign requested address")
            super().bind(address)

    monkeypatch.setattr(listening.socket, "socket", Socket)


async def ping(host: str, port: int) -> bytes:
    """Ping at the device port of an address, and return the answer."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b'{"path": "/v1/ping/"}\n')
    try:
        async with asyncio.timeout(WAIT):
            return await reader.readline()
    finally:
        writer.close()


def is_free(port: int) -> bool:
    """Say whether nobody listens at a port."""
    with sockets.socket() as sock:
        sock.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class TestBinding:
    """The first step."""

    async def test_everything_works_within_the_process(self) -> None:
        """But who connects waits, and is served then."""
        cloud = LocalCloud()
        assert (await cloud.call("GET", "/v1/ping/"))["status"] == 503
        await cloud.bind()
        heard: list[Event] = []
        cloud.listeners.add(heard.append)
        user = await cloud.add_account("a@example.org", "p")
        device = cloud.add_device("lamp", user)
        assert (await cloud.call("GET", "/v1/ping/"))["status"] == 200
        async with DeviceSocket(cloud) as lamp:
            key = cloud.master_key(device)
            meta = {"Authorization": f"token {key}"}
            lamp.send({"path": "/v1/device/identify", "meta": meta})
            for _ in range(20):
                await asyncio.sleep(0.005)
            assert cloud.operator.connections() == []
            assert heard == []
            await cloud.serve()
            assert (await lamp.receive())["device"]["id"] == device.id
            assert heard == [DeviceConnected(device, "127.0.0.1")]
        await cloud.close()

    async def test_closing_leaves_nothing(self, tmp_path: Path) -> None:
        """The ports and the file are free, and who waited is told."""
        path = tmp_path / "state.db"
        cloud = LocalCloud(state_file=path)
        await cloud.bind()
        assert not is_free(cloud.device_port)
        async with DeviceSocket(cloud) as lamp:
            await cloud.close()
            assert await lamp.ended() == b""
        at = cloud.addresses
        assert at.http is not None
        again = LocalCloud(http_port=at.http, device_port=at.device, state_file=path)
        await again.start()
        await again.close()

    @pytest.mark.parametrize("serves", [False, True])
    async def test_a_port_that_is_taken(self, serves: bool) -> None:
        """By one that serves, or by one that will."""
        first = LocalCloud()
        await (first.start() if serves else first.bind())
        second = LocalCloud(device_port=first.device_port)
        with pytest.raises(OSError, match="address already in use") as caught:
            await second.bind()
        assert caught.value.errno == errno.EADDRINUSE
        assert (await second.call("GET", "/v1/ping/"))["status"] == 503
        await first.close()

    async def test_one_port_for_two_services(self) -> None:
        """It is taken by the first of them."""
        with sockets.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
        cloud = LocalCloud(http_port=port, device_port=port)
        with pytest.raises(OSError, match="address already in use"):
            await cloud.bind()
        assert is_free(port)

    async def test_a_port_that_is_forbidden(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is told apart from one that is taken."""
        without(monkeypatch, {sockets.AF_INET: errno.EACCES})
        with pytest.raises(PermissionError, match=r"cannot listen at \('127\.0\.0\.1'"):
            await LocalCloud(device_port=80).bind()

    async def test_an_unusable_state_file(self, tmp_path: Path) -> None:
        """No port opens."""
        path = tmp_path / "state.db"
        path.write_text("no database")
        with pytest.raises(StateFileError):
            await LocalCloud(state_file=path).bind()


class TestAddresses:
    """Several hosts."""

    @with_ipv6
    async def test_both_families_have_one_port(self) -> None:
        """Each service has its own, the same at each address."""
        cloud = LocalCloud(BOTH)
        await cloud.start()
        at = cloud.addresses
        assert at.http not in (None, at.device)
        for host in BOTH:
            assert b"ping success" in await ping(host, cloud.device_port)
        assert at.device_address == f"127.0.0.1:{at.device}"
        await cloud.close()

    @with_ipv6
    async def test_ipv6_leaves_ipv4_to_others(self) -> None:
        """Also where the system would have it otherwise."""
        cloud = LocalCloud("::", serves_http=False)
        await cloud.start()
        assert b"ping success" in await ping("::1", cloud.device_port)
        with pytest.raises(ConnectionRefusedError):
            await ping("127.0.0.1", cloud.device_port)
        await cloud.close()

    @with_ipv6
    async def test_a_free_port_that_is_not_free_everywhere(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another one is tried."""
        taken = sockets.socket(sockets.AF_INET6)
        taken.bind(("::1", 0))
        taken.listen()
        first = taken.getsockname()[1]
        tried = []

        class Socket(sockets.socket):
            @override
            def bind(self, address: Any) -> None:
                if self.family == sockets.AF_INET and address[1] == 0:
                    tried.append(address)
                    if len(tried) == 2:  # the first one is the look at the address
                        address = (address[0], first)
                super().bind(address)

        monkeypatch.setattr(listening.socket, "socket", Socket)
        cloud = LocalCloud(BOTH, serves_http=False)
        await cloud.bind()
        assert len(tried) == 3
        assert cloud.device_port != first
        assert is_free(first)
        await cloud.close()
        taken.close()

    @with_ipv6
    async def test_one_that_is_taken_at_one_address(self) -> None:
        """Nothing is open."""
        with sockets.socket(sockets.AF_INET6) as taken:
            taken.bind(("::1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with pytest.raises(OSError, match=r"'::1'.*address already in use"):
                await LocalCloud(BOTH, device_port=port).bind()
            assert is_free(port)

    @pytest.mark.parametrize("number", [errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL])
    @pytest.mark.parametrize("hosts", [("127.0.0.1", "::1"), ("::1", "127.0.0.1")])
    async def test_a_machine_without_ipv6(
        self, number: int, hosts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The other host is enough; alone it is not."""
        without(monkeypatch, {sockets.AF_INET6: number})
        cloud = LocalCloud(hosts)
        await cloud.start()
        assert cloud.addresses.host == cloud.device_host == "127.0.0.1"
        async with DeviceSocket(cloud) as socket:
            assert (await socket.ask("/v1/ping/"))["status"] == 200
        await cloud.close()
        with pytest.raises(OSError, match="cannot listen at") as caught:
            await LocalCloud("::1").start()
        assert caught.value.errno == number

    async def test_an_address_that_is_none_of_this_machine(self) -> None:
        """It is wrong, whatever else there is."""
        cloud = LocalCloud(("127.0.0.1", "192.0.2.1"))
        with pytest.raises(OSError, match=r"192\.0\.2\.1") as caught:
            await cloud.start()
        assert caught.value.errno == errno.EADDRNOTAVAIL

    async def test_a_host_by_its_name(self) -> None:
        """All its addresses have one port."""
        cloud = LocalCloud("localhost")
        await cloud.start()
        assert cloud.device_host == "localhost"
        async with DeviceSocket(cloud) as socket:
            assert (await socket.ask("/v1/ping/"))["status"] == 200
        await cloud.close()


class TestWithoutHttp:
    """Devices alone."""

    async def test_no_port_of_http(self) -> None:
        """Calls within the process work all the same."""
        cloud = LocalCloud(serves_http=False)
        await cloud.start()
        at = cloud.addresses
        assert (at.http, at.https, at.http_url, cloud.http_url) == (
            None,
            None,
            None,
            "",
        )
        assert cloud._http_server._servers == []
        async with DeviceSocket(cloud) as socket:
            assert (await socket.ask("/v1/ping/"))["status"] == 200
        assert (await cloud.call("GET", "/v1/ping/"))["status"] == 200
        await cloud.close()

    @pytest.mark.parametrize("name", ["http_port", "https_port"])
    def test_a_port_all_the_same(self, name: str) -> None:
        """It is a mistake."""
        with pytest.raises(ValueError, match="not served"):
            LocalCloud(**{name: 0}, serves_http=False)
