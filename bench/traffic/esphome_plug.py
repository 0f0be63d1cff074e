"""A plug with ESPHome's native API, unencrypted: does as it is told and says what it does.

The messages are aioesphomeapi's own. A frame is a zero byte, the payload's length, the message's
number, both as protobuf's varints, and the payload.
"""

import asyncio
from typing import Any, cast, override

from aioesphomeapi import api_pb2
from aioesphomeapi.core import MESSAGE_TYPE_TO_PROTO

from bench.answering import answer
from bench.paths import LOOPBACK

MAC = "02:00:00:00:00:01"
NAME = "bench"
KEY = 1

_NUMBERS = {message: number for number, message in MESSAGE_TYPE_TO_PROTO.items()}


def frame(message: Any) -> bytes:
    """Return a message as it goes over the wire."""
    payload: bytes = message.SerializeToString()
    return b"\0" + _varint(len(payload)) + _varint(_NUMBERS[type(message)]) + payload


def take_frame(data: bytes) -> tuple[int, bytes, bytes] | None:
    """Return the number and payload of the first frame, and the rest; None before it is whole.

    Raises:
        ValueError: it is none.
    """
    if not data:
        return None
    if data[0]:
        raise ValueError("not a plain frame")
    if (length := _take_varint(data, 1)) is None:
        return None
    if (number := _take_varint(data, length[1])) is None:
        return None
    end = number[1] + length[0]
    return (number[0], data[number[1] : end], data[end:]) if end <= len(data) else None


def _varint(value: int) -> bytes:
    encoded = b""
    while value > 0x7F:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])


def _take_varint(data: bytes, start: int) -> tuple[int, int] | None:
    """Return the number at `start` and where it ends, None before it is whole."""
    value = 0
    for index in range(start, len(data)):
        value |= (data[index] & 0x7F) << 7 * (index - start)
        if data[index] < 0x80:
            return value, index + 1
    return None


class Plug(asyncio.Protocol):
    """The plug's side of one connection."""

    def __init__(self) -> None:
        """Begin switched off."""
        self._is_on = False
        self._rest = b""
        self._transport: asyncio.Transport

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    @override
    def data_received(self, data: bytes) -> None:
        self._rest += data
        answers = []
        while (taken := take_frame(self._rest)) is not None:
            number, payload, self._rest = taken
            answers += self._answers(MESSAGE_TYPE_TO_PROTO[number], payload)
        self._transport.write(b"".join(map(frame, answers)))

    def _answers(self, kind: Any, payload: bytes) -> list[Any]:
        if kind is api_pb2.SwitchCommandRequest:
            self._is_on = kind.FromString(payload).state
            return [self._state()]
        if kind is api_pb2.HelloRequest:
            return [
                api_pb2.HelloResponse(
                    api_version_major=1, api_version_minor=14, name=NAME
                )
            ]
        if kind is api_pb2.DeviceInfoRequest:
            return [
                api_pb2.DeviceInfoResponse(
                    name=NAME, mac_address=MAC.upper(), esphome_version="2026.9.0"
                )
            ]
        if kind is api_pb2.ListEntitiesRequest:
            return [
                api_pb2.ListEntitiesSwitchResponse(
                    object_id="plug", key=KEY, name="Plug"
                ),
                api_pb2.ListEntitiesDoneResponse(),
            ]
        if kind is api_pb2.SubscribeStatesRequest:
            return [self._state()]
        plain = {
            api_pb2.AuthenticationRequest: api_pb2.AuthenticationResponse,
            api_pb2.PingRequest: api_pb2.PingResponse,
            api_pb2.DisconnectRequest: api_pb2.DisconnectResponse,
        }
        return [plain[kind]()] if kind in plain else []

    def _state(self) -> Any:
        return api_pb2.SwitchStateResponse(key=KEY, state=self._is_on)


async def main() -> None:
    """Listen until stdin ends."""
    server = await asyncio.get_running_loop().create_server(Plug, LOOPBACK, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await answer({}, {"port": port, "mac": MAC})
        server.abort_clients()


if __name__ == "__main__":
    asyncio.run(main())
