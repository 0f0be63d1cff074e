"""The device port as a WebSocket: the same frames, one in a message (protocol.md §1, §3)."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
import json
from typing import Any

from aiohttp import (
    ClientConnectionError,
    ClientSession,
    ClientWebSocketResponse,
    WSMsgType,
)
import pytest

from custom_components.espcloud.local_cloud import Limits, LocalCloud
from custom_components.espcloud.local_cloud.models import Device

from .helpers import WAIT, Api, DeviceSocket, until

RPC = "/v1/device/rpc/?deliver_to_device=true&action="

type Connect = Callable[[], Awaitable[Client]]


class Client:
    """A client of the WebSocket."""

    def __init__(self, websocket: ClientWebSocketResponse) -> None:
        """Speak on `websocket`."""
        self.websocket = websocket

    async def send(self, frame: dict[str, Any] | str) -> None:
        """Send a frame, or a text."""
        text = frame if isinstance(frame, str) else json.dumps(frame)
        await self.websocket.send_str(text)

    async def receive(self) -> Any:
        """Return the next frame."""
        return json.loads(await self.websocket.receive_str(timeout=WAIT))

    async def ask(
        self, path: str, method: str = "GET", *, key: str = "", **members: Any
    ) -> Any:
        """Send a request and return the next frame."""
        meta = {"meta": {"Authorization": f"token {key}"}} if key else {}
        await self.send({"path": path, "method": method, **meta, **members})
        return await self.receive()

    async def identify(self, key: str) -> Any:
        """Identify, and send a ping so that pushes need not wait."""
        answer = await self.ask("/v1/device/identify", key=key, nonce=67)
        assert answer["status"] == 200
        await self.ask("/v1/ping/")
        return answer

    def hang_up(self) -> None:
        """Be gone, without a word."""
        self.websocket._response.close()

    async def ended(self) -> WSMsgType:
        """Return how it ended, after what still came."""
        while True:
            message = await self.websocket.receive(timeout=WAIT)
            if message.type is not WSMsgType.TEXT:
                return message.type


@pytest.fixture
async def cloud() -> AsyncGenerator[LocalCloud]:
    """Run a cloud that has the port, and that drops nobody who is only slow."""
    cloud = LocalCloud(websocket_port=0, limits=Limits(unread=60))
    await cloud.start()
    yield cloud
    await cloud.close()


@pytest.fixture
async def connect(cloud: LocalCloud) -> AsyncGenerator[Connect]:
    """Return what makes a client."""
    clients = []
    async with ClientSession() as session:

        async def connect() -> Client:
            url = str(cloud.addresses.websocket_url)
            clients.append(Client(await session.ws_connect(url, max_msg_size=0)))
            return clients[-1]

        yield connect
        for client in clients:
            client.hang_up()


@pytest.fixture
async def client(connect: Connect) -> Client:
    """Return one."""
    return await connect()


async def test_off_by_default() -> None:
    """No such port opens unless it is named."""
    cloud = LocalCloud()
    await cloud.start()
    assert cloud.addresses.websocket is cloud.addresses.websocket_tls is None
    await cloud.close()
    with pytest.raises(ValueError, match="a TLS port needs an ssl_context"):
        LocalCloud(websocket_tls_port=0)


async def test_a_session(
    api: Api, cloud: LocalCloud, client: Client, device: Device, master_key: str,
    owner_key: str,
) -> None:  # fmt: skip
    """Identify, a push and its answer, and the end."""
    answer = await client.identify(master_key)
    assert (answer["device"]["id"], answer["nonce"]) == (device.id, 67)
    calling = asyncio.create_task(api.get(f"{RPC}LED_ON", key=owner_key))
    push = await client.receive()
    assert push["get"] == {"action": "LED_ON"}
    reply = {"status": 200, "nonce": push["nonce"], "deliver_to_device": True}
    await client.send(reply)
    assert (await calling).json == reply
    (connection,) = cloud.operator.connections()
    assert (connection.address, connection.device) == ("127.0.0.1", device)
    await client.websocket.close()
    await until(lambda: not cloud.is_online(device))


async def test_a_message_is_a_frame_without_a_newline(client: Client) -> None:
    """As text, whatever is sent: binary, over several lines, or several frames at once."""
    await client.websocket.send_bytes(b'{"path": "/v1/ping/", "nonce": 1}')
    text = await client.websocket.receive_str()
    assert text == text.strip()
    assert json.loads(text)["nonce"] == 1
    await client.send('{\n  "path": "/v1/ping/",\n  "nonce": 2\n}\n')
    assert (await client.receive())["nonce"] == 2
    await client.send(
        '{"path": "/v1/ping/", "nonce": 3}\n{"path": "/v1/ping/", "nonce": 4}'
    )
    assert [(await client.receive())["nonce"] for _ in "34"] == [3, 4]
    await client.send("no JSON")
    assert (await client.receive())["status"] == 400


async def test_both_ports_are_one_place(
    cloud: LocalCloud, client: Client, device: Device, master_key: str
) -> None:
    """A device that comes back by TCP takes its place, and the older connection is told."""
    await client.identify(master_key)
    async with DeviceSocket(cloud) as socket:
        await socket.identify(device)
        goodbye = await client.receive()
        assert goodbye["message"].startswith("byebye, close by other peer")
        assert await client.ended() is WSMsgType.CLOSE
        assert cloud.connection_count(device) == 2


class TestLimits:
    """Those of the device port."""

    async def test_early_messages(self, client: Client) -> None:
        """Who has shown no key may say little."""
        await client.send('{"path": "%s"}' % ("x" * 4096))
        assert await client.ended() in {WSMsgType.CLOSED, WSMsgType.ERROR}

    async def test_early_frames(self, client: Client) -> None:
        """And not often."""
        for _ in range(64):
            await client.ask("/v1/ping/")
        assert (await client.ask("/v1/ping/"))["status"] == 429
        assert await client.ended() is WSMsgType.CLOSE

    async def test_messages(self, client: Client, master_key: str) -> None:
        """Of who has shown one: 64 KiB."""
        await client.identify(master_key)
        body = {"datapoints": [{"x": "y" * 60}] * 700}
        path = "/v1/datastreams/s/datapoints/"
        answer = await client.ask(path, "POST", key=master_key, body=body)
        assert len(answer["datapoints"]) == 700
        await client.send(" " * (65 << 10))
        assert await client.ended() is WSMsgType.CLOSE
        assert client.websocket.close_code == 1009

    async def test_of_an_address(self) -> None:
        """The connections of both ports count together."""
        cloud = LocalCloud(websocket_port=0, limits=Limits(connections_of_address=1))
        await cloud.start()
        async with DeviceSocket(cloud) as socket, ClientSession() as session:
            await socket.ask("/v1/ping/")
            websocket = await session.ws_connect(str(cloud.addresses.websocket_url))
            message = await websocket.receive(timeout=WAIT)
            assert message.type in {WSMsgType.CLOSED, WSMsgType.ERROR}
            assert cloud.operator.refused_peers == 1
        await cloud.close()

    async def test_silence(self, cloud: LocalCloud, client: Client) -> None:
        """Who says nothing is dropped."""
        await client.ask("/v1/ping/")
        (connection,) = cloud._device_server.connections()
        connection.heard_at -= 70
        cloud._device_server._drop_overdue()
        assert await client.ended() is WSMsgType.CLOSE

    async def test_who_does_not_read(
        self, cloud: LocalCloud, client: Client, master_key: str
    ) -> None:
        """No more is read of it than it reads of the answers, and then it is dropped."""
        await client.identify(master_key)
        (connection,) = cloud._device_server.connections()
        connected = client.websocket._response.connection
        assert connected is not None
        assert connected.transport is not None
        connected.transport.pause_reading()

        meta = {"Authorization": f"token {master_key}"}
        question = json.dumps({"path": "/v1/device/", "meta": meta})

        async def ask_and_ask() -> None:
            while True:
                await client.send(question)

        asking = asyncio.create_task(ask_and_ask())
        frames = -1
        async with asyncio.timeout(20):
            # Until what the system keeps of the answers is full as well.
            while connection.stuck_since is None or connection.frames != frames:
                frames = connection.frames
                for _ in range(2000):
                    await asyncio.sleep(0)
        assert connection.stuck_since is not None
        # It waits, for no more than the message that came last: those behind it are not read.
        assert list(cloud._device_server.connections()) == [connection]
        assert connection.unread_bytes <= len(question) + 1
        connection.stuck_since -= 100
        cloud._device_server._drop_overdue()
        await until(lambda: not cloud._device_server.connections())
        assert connection.frames == frames
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {}, 426),
        ("/v1/ping/", {}, 404),
        ("/v1/", {"Connection": "Upgrade", "Upgrade": "websocket"}, 404),
        ("/", {"Connection": "Upgrade", "Upgrade": "other"}, 426),
    ],
)
async def test_what_is_no_websocket(
    cloud: LocalCloud, path: str, headers: dict[str, str], status: int
) -> None:
    """It is told what this port is for, and nothing else is served there."""
    url = f"http://127.0.0.1:{cloud.addresses.websocket}{path}"
    async with (
        ClientSession() as session,
        session.post(url, headers=headers, data=b"x" * 100) as response,
    ):
        assert response.status == status
        assert "speaks WebSocket" in await response.text()
    assert not cloud.operator.connections()


async def test_the_server_closes(
    connect: Connect, cloud: LocalCloud, device: Device, master_key: str
) -> None:
    """Clients are told, one that does not answer is not waited for, and nothing is left."""
    polite, silent = await connect(), await connect()
    await polite.identify(master_key)
    await silent.ask("/v1/ping/")
    ending = asyncio.create_task(polite.ended())
    before = asyncio.all_tasks()
    await cloud.close()
    assert await ending is WSMsgType.CLOSE
    assert not cloud._websocket_server._connections
    left = {
        task
        for task in asyncio.all_tasks() - before
        if "websocket" in repr(task.get_coro())
    }
    assert not left
    with pytest.raises(ClientConnectionError):
        await connect()


async def test_a_request_that_is_under_way(
    cloud: LocalCloud, client: Client, device: Device, master_key: str, api: Api, owner_key: str
) -> None:  # fmt: skip
    """A caller hears at once that the device has gone."""
    await client.identify(master_key)
    calling = asyncio.create_task(api.get(f"{RPC}LED_ON", key=owner_key))
    await client.receive()
    client.hang_up()
    assert (await calling).status == 404
