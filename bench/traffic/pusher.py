"""The cloud's side of the device port, as fast as it can be: frames made beforehand.

The frames are the ones that local_cloud sends, byte for byte, made by its own code.
"""

import asyncio
from time import perf_counter
from typing import cast, override

from bench.answering import Answer, answer
from bench.paths import LOOPBACK
from custom_components.espcloud.local_cloud.delivery import push_frame
from custom_components.espcloud.local_cloud.frames import line
from custom_components.espcloud.local_cloud.request import make_request
from custom_components.espcloud.local_cloud.wire import encode

# Pushes on their way at once: the other side always has work, and no burst ever grows.
WINDOW = 256
PREPARED = 1000  # frames, an even number so that on and off take turns

_IDENTIFIED = encode(
    {
        "deviceStatus": {},
        "device": {"id": 1, "name": "Lamp", "serial": "", "activate_status": 1},
        "nonce": 1,
        "status": 200,
    }
)


def prepared_frames() -> list[bytes]:
    """Return pushes that turn on and off, and on again."""
    frames = []
    for number in range(PREPARED):
        request = make_request(
            "GET",
            "/v1/device/rpc/",
            {
                "action": "LED_OFF" if number % 2 else "LED_ON",
                "deliver_to_device": "true",
            },
            {},
            authorization=f"token {'0123456789abcdef' * 2}01234567",
            time_zone=None,
            peer=LOOPBACK,
            link=None,
        )
        frame = push_frame(request, now=0)
        frames.append(line(encode({**frame, "nonce": 1_000_000_000 + number})))
    return frames


class Pusher(asyncio.Protocol):
    """The device port for one device: identifies it, then pushes on demand."""

    def __init__(self) -> None:
        """Make the frames before anything is measured."""
        self._frames = prepared_frames()
        self._transport: asyncio.Transport
        self._connected = asyncio.Event()
        self._done = asyncio.Event()
        self._sent = self._acknowledged = self._wanted = 0
        self._rest = b""

    async def push(self, count: int) -> Answer:
        """Push so many commands, and return how long it took until all were acknowledged."""
        await self._connected.wait()
        self._sent = self._acknowledged = 0
        self._wanted = count
        self._done.clear()
        begin = perf_counter()
        self._send_up_to(WINDOW)
        await self._done.wait()
        return {"wall": perf_counter() - begin}

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    @override
    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for text in lines:
            if b"/v1/device/identify" in text:
                self._transport.write(line(_IDENTIFIED))
                self._connected.set()
            elif b'"status":200' in text:
                self._acknowledged += 1
        if self._acknowledged >= self._wanted:
            self._done.set()
        else:
            self._send_up_to(self._acknowledged + WINDOW)

    def _send_up_to(self, number: int) -> None:
        number = min(number, self._wanted)
        if self._sent < number:
            self._transport.write(
                b"".join(
                    self._frames[index % PREPARED]
                    for index in range(self._sent, number)
                )
            )
            self._sent = number


async def main() -> None:
    """Listen for one device, and push to it on demand."""
    pusher = Pusher()
    server = await asyncio.get_running_loop().create_server(lambda: pusher, LOOPBACK, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await answer({"push": pusher.push}, {"port": port})
        server.abort_clients()


if __name__ == "__main__":
    asyncio.run(main())
