"""LocalCloud as other tests, the demo and a person's own program use it."""

import asyncio
from pathlib import Path
import ssl

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.errors import ApiError
from custom_components.espcloud.local_cloud.models import Device

from .certificates import make_certificate
from .helpers import Api, DeviceSocket


async def test_addresses() -> None:
    """They say where the ports are, before which name they listen at."""
    for host, http, device_host in (
        ("127.0.0.1", "http://127.0.0.1:", "127.0.0.1"),
        ("0.0.0.0", "http://127.0.0.1:", "127.0.0.1"),
    ):
        cloud = LocalCloud(host)
        await cloud.start()
        assert cloud.http_url.startswith(http)
        assert cloud.device_host == device_host
        assert cloud.device_port > 0
        async with DeviceSocket(cloud) as socket:
            assert (await socket.ask("/v1/ping/"))["status"] == 200
        await cloud.close()


async def test_ipv6() -> None:
    """An address in a URL has brackets."""
    cloud = LocalCloud("::1")
    try:
        await cloud.start()
    except OSError:
        pytest.skip("this machine has no IPv6")
    at = cloud.addresses
    assert (cloud.http_url, at.https_url) == (f"http://[::1]:{at.http}", None)
    assert (at.device_address, at.device_tls_address) == (f"[::1]:{at.device}", None)
    await cloud.close()


async def test_accounts(cloud: LocalCloud) -> None:
    """The same rules as over the API."""
    user = await cloud.add_account("a@example.org", "p")
    assert (user.id, user.email) == (1, "a@example.org")
    with pytest.raises(ApiError, match="exists already"):
        await cloud.add_account("A@example.org", "p")
    with pytest.raises(ApiError, match="e-mail address"):
        await cloud.add_account("a", "p")
    before = user.password_hash
    await cloud.set_password(user, "p")
    assert user.password_hash == before
    await cloud.set_password(user, "q")
    assert user.password_hash != before


async def test_devices(cloud: LocalCloud, device: Device) -> None:
    """Owned ones have an owner key, others do not."""
    other = cloud.add_device("plug", ptype=23701)
    assert (other.name, other.ptype, len(other.serial)) == ("plug", 23701, 8)
    assert cloud.owner_key(other) is None
    assert (
        cloud.owner_key(device) != cloud.master_key(device) != cloud.master_key(other)
    )
    cloud.rename(other, "another")
    assert other.name == "another"


async def test_presence(cloud: LocalCloud, device: Device) -> None:
    """On-line, off-line and how often, awaited without polling."""
    assert not cloud.is_online(device)
    await cloud.wait_offline(device)
    with pytest.raises(TimeoutError):
        await cloud.wait_online(device, timeout=0.01)
    waiting = asyncio.ensure_future(cloud.wait_online(device, connections=2))
    for number in (1, 2):
        async with DeviceSocket(cloud) as lamp:
            await lamp.identify(device)
            await cloud.wait_online(device)
            assert cloud.connection_count(device) == number
            with pytest.raises(TimeoutError):
                await cloud.wait_offline(device, timeout=0.01)
        await cloud.wait_offline(device)
    assert waiting.done()
    waiting = asyncio.ensure_future(cloud.wait_online(device))
    await asyncio.sleep(0)
    waiting.cancel()
    async with DeviceSocket(cloud) as lamp:
        await lamp.identify(device)


async def test_disconnecting(cloud: LocalCloud, device: Device) -> None:
    """An orderly end, or a reset; a device that is away does not mind."""
    cloud.disconnect(device)
    async with DeviceSocket(cloud) as lamp:
        await lamp.identify(device)
        cloud.disconnect(device)
        assert not cloud.is_online(device)
        assert await lamp.reader.read() == b""
    async with DeviceSocket(cloud) as lamp:
        await lamp.identify(device)
        cloud.disconnect(device, abort=True)
        assert not cloud.is_online(device)
        with pytest.raises(ConnectionResetError):
            await lamp.reader.read()


async def test_revoking_keys(
    cloud: LocalCloud, device: Device, api: Api, user_key: str, owner_key: str
) -> None:
    """A user's, an owner's, a master key; the device goes with the last."""
    async with DeviceSocket(cloud) as lamp:
        await lamp.identify(device)
        cloud.revoke_key(owner_key)
        assert cloud.owner_key(device) is None
        assert (await api.get("/v1/device/", key=owner_key)).status == 500
        assert cloud.is_online(device)
        cloud.revoke_key(user_key)
        assert (await api.get("/v1/user/devices/", key=user_key)).status == 403
        old = cloud.master_key(device)
        new = cloud.regenerate_master_key(device)
        assert new == cloud.master_key(device) != old
        assert await lamp.ended() == b""
    reply = await api.ok("GET", "/v1/device/", key=new)
    keys = cloud.store.keyring.keys
    assert reply["device"]["key_id"] == keys[new].id


class TestTls:
    """Both ports with a certificate."""

    @pytest.fixture
    def contexts(self, tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
        """Return the server's and the client's context."""
        cert, key = make_certificate(tmp_path)
        server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server.load_cert_chain(cert, key)
        return server, ssl.create_default_context(cafile=cert)

    async def test_a_session(
        self, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
    ) -> None:
        """It is the same as without, both ways of disconnecting included."""
        server, client = contexts
        cloud = LocalCloud(ssl_context=server)
        await cloud.start()
        assert cloud.http_url.startswith("https://127.0.0.1:")
        device = cloud.add_device("lamp")
        for abort in (False, True):
            async with DeviceSocket(cloud, client) as lamp:
                await lamp.identify(device)
                lamp.send(b'{"path": "/v1/ping/"}\n' * 500)
                for _ in range(500):
                    assert (await lamp.receive())["status"] == 200
                lamp.send(b'{"path": "/v1/device/quit/"}\n' * 500)
                cloud.disconnect(device, abort=abort)
                assert await lamp.ended() == b""
        await cloud.close()

    async def test_closing_during_a_handshake(
        self, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
    ) -> None:
        """Who never speaks TLS is ended too, on both ports."""
        cloud = LocalCloud(ssl_context=contexts[0])
        await cloud.start()
        http_port = int(cloud.http_url.rsplit(":", 1)[1])
        streams = [
            await asyncio.open_connection("127.0.0.1", port)
            for port in (cloud.device_port, http_port)
        ]
        async with asyncio.timeout(5):
            await asyncio.sleep(0.05)
            await cloud.close()
            for reader, writer in streams:
                assert await reader.read() == b""
                writer.close()

    async def test_plain_text_at_a_tls_port(
        self, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
    ) -> None:
        """It ends the connection, and no other."""
        cloud = LocalCloud(ssl_context=contexts[0])
        await cloud.start()
        async with DeviceSocket(cloud) as plain:
            plain.send(b'{"path": "/v1/ping/"}\n')
            await plain.ended()
        async with DeviceSocket(cloud, contexts[1]) as lamp:
            assert (await lamp.ask("/v1/ping/"))["status"] == 200
        await cloud.close()
