"""Anything at local_cloud's HTTP server: answers are answers, and open nothing."""

import asyncio

from custom_components.espcloud.local_cloud.limits import Limits
from custom_components.espcloud.local_cloud.models import Device
from custom_components.espcloud.local_cloud.outbox import Outbox
from custom_components.espcloud.local_cloud.wire import JsonObject, decode

from .populated_cloud import PopulatedCloud
from .wire import Pieces, Transport, cut, run, turns

_HEADERS = {
    b"Content-Type",
    b"Content-Length",
    b"Content-Disposition",
    b"Date",
    b"Server",
    b"Connection",
}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_TURNS = 50
"""Turns of the loop in which a request is answered, unless it lacks its end."""


class _Lamp:
    """A connection of a device that acknowledges at once."""

    def __init__(self) -> None:
        self.device: Device | None = None
        self.peer = "192.0.2.1"
        self.here = "192.0.2.2", 8000
        self.is_open = True
        self.is_subscribed = False
        self.stuck_since: float | None = None
        self.outbox = Outbox(self, timeout=5, limits=Limits(waiting_pushes=10))
        self.written = 0

    def send(self, frame: bytes) -> None:
        answer = {"nonce": decode(frame)["nonce"], "status": 200}
        asyncio.get_running_loop().call_soon(self._acknowledge, answer)

    def _acknowledge(self, answer: JsonObject) -> None:
        self.outbox.take_answer(answer)
        self.outbox.go_on()

    def has_delivered(self, place: int) -> bool:
        return True

    def drop(self, reason: str) -> None:
        self.abort()

    def close(self, reason: str = "") -> None:
        self.outbox.close()

    def abort(self, reason: str = "") -> None:
        self.outbox.close()


def target(data: bytes) -> None:
    """Connect, send it all in pieces, read what comes, and hang up.

    `@length` is how much follows the first head: else few changed bodies would fit theirs.
    """
    populated = PopulatedCloud()
    data = populated.with_keys(data)
    head, end, body = data.partition(b"\r\n\r\n")
    head = head.replace(b"@length", b"%d" % len(body))
    assert not run(_attempt(populated, cut(head + end + body)))
    populated.check(connections=1)


async def _attempt(populated: PopulatedCloud, pieces: Pieces) -> None:
    lamp = _Lamp()
    populated.cloud._presence.arrive(populated.device, lamp)
    server = populated.cloud._http_server
    transport = Transport(server.connection())
    # A request that is broken in its middle is not read on; its time runs out.
    await transport.deliver(pieces)
    await turns(_TURNS)
    transport.close()
    await server.close()
    lamp.close()
    populated.cloud._presence.leave(lamp, "closed")
    assert b"internal error" not in transport.sent
    _check_answers(bytes(transport.sent))


def _check_answers(sent: bytes) -> None:
    """Fail where something stands between the answers, or a header that is none of ours."""
    while sent:
        if sent.startswith(_CONTINUE):
            sent = sent.removeprefix(_CONTINUE)
            continue
        head, end, rest = sent.partition(b"\r\n\r\n")
        assert end, sent
        status, *fields = head.split(b"\r\n")
        assert status.startswith(b"HTTP/"), status
        headers = dict(field.split(b": ", 1) for field in fields)
        assert set(headers) <= _HEADERS, headers
        if not rest or rest.startswith(b"HTTP/"):
            sent = rest  # The answer to a HEAD has no body.
            continue
        body = rest[: int(headers[b"Content-Length"])]
        if headers[b"Content-Type"].startswith(b"application/json"):
            assert "status" in decode(body)
        sent = rest[len(body) :]
