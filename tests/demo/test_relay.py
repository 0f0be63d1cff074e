"""The relay passes everything on and reads only deliveries."""

import asyncio

import pytest

from demo.relay import Delivery, running_relay

PUSH = (
    b'{"deliver_to_device": true, "get": {"action": "LED_ON"}, "nonce": 7,'
    b' "path": "/v1/device/rpc/"}\n'
)
ACK = b'{"status": 200, "nonce": 7, "deliver_to_device": true}\n'
NOISE = b"\xff\xfe no JSON\n"


# As the reference gateway marks it (protocol.md §3.4).
GATEWAY_PUSH = (
    b'{"nonce": 7, "get": {"action": "LED_ON", "deliver_to_device": "true"},'
    b' "path": "/v1/device/rpc/"}\n'
)


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("push", [PUSH, GATEWAY_PUSH])
async def test_delivery_is_seen_once_it_is_answered(push: bytes) -> None:
    """A push and its answer make one delivery; other lines just pass."""
    received: list[bytes] = []

    async def cloud(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(NOISE + push)
        received.extend([await reader.readline(), await reader.readline()])
        writer.close()

    server = await asyncio.start_server(cloud, "127.0.0.1", 0)
    async with server, running_relay(server.sockets[0].getsockname()[1]) as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        assert await reader.readline() == NOISE
        assert await reader.readline() == push
        writer.write(NOISE + ACK)
        assert await relay.next_delivery(5) == Delivery("LED_ON", 200)
        assert await reader.read() == b""
        writer.close()
    assert received == [NOISE, ACK]


@pytest.mark.usefixtures("socket_enabled")
async def test_absent_cloud_ends_the_connection() -> None:
    """Without a cloud behind it the relay holds nobody."""
    async with running_relay(cloud_port=1) as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        assert await reader.read() == b""
        writer.close()
