"""Anything at local_cloud's device server: every frame is answered once, and opens nothing."""

from unittest.mock import patch

from custom_components.espcloud.local_cloud import outbox
from custom_components.espcloud.local_cloud.wire import (
    JsonObject,
    NotAnObjectError,
    decode,
    encode,
)

from .populated_cloud import PopulatedCloud
from .wire import Pieces, Transport, cut, happens, run

_INTERNAL_ERROR = b"internal error"


def target(data: bytes) -> None:
    """Connect, send it all in pieces, and hang up."""
    populated = PopulatedCloud()
    pieces = cut(populated.with_keys(data))
    # Every push has the nonce 1, or nobody could ever acknowledge one.
    with patch.object(outbox, "_LARGEST_NONCE", 1):
        assert not run(_attempt(populated, pieces))
    populated.check()


async def _attempt(populated: PopulatedCloud, pieces: Pieces) -> None:
    connection = populated.connection()
    transport = Transport(connection)
    assert await transport.deliver(pieces)
    stayed = not transport.is_closing()
    waiting = len(connection._replies) + len(connection.outbox._replies)
    transport.close()
    await connection.finish()
    assert await happens(
        lambda: connection not in populated.cloud._device_server._connections
    )
    assert not populated.cloud._device_server._unread
    assert _INTERNAL_ERROR not in transport.sent
    lines = bytes(transport.sent).split(b"\n")
    assert lines.pop() == b""
    replies = 0
    for line in lines:
        frame = decode(line)
        assert (len(line) + 1) % 1460 != 0
        assert encode(frame) == line.rstrip(b" ")
        replies += "deliver_to_device" not in frame or "path" not in frame
    asked = [_is_asked(line) for line in b"".join(pieces).split(b"\n")[:-1]]
    assert replies + waiting <= len(asked) - asked.count(False)
    assert replies + waiting >= asked.count(True) or not stayed


def _is_asked(line: bytes) -> bool | None:
    """Say whether a line wants an answer, None where it may be part of an object over several.

    Blank ones and answers to pushes want none; a frame with a path always does.
    """
    if not line.strip():
        return False
    try:
        frame: JsonObject = decode(line.strip())
    except NotAnObjectError:
        return None
    if "path" in frame:
        return True
    return False if "nonce" in frame else None
