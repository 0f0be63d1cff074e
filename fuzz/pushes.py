"""A cloud that sends the client anything: each push is handled once and acknowledged once."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson

from custom_components.espcloud.cloud import (
    CloudConnection,
    CloudDevice,
    CloudError,
    ConnectionLostError,
    Push,
    Timing,
    UnexpectedAnswerError,
)
from custom_components.espcloud.cloud.frames import Frame, FrameDecoder

from .wire import Pieces, Transport, cut, run, turns

_KEY = "0" * 40
_TURNS = 10
_BSSID = "02:00:00:00:00:01"


def target(data: bytes) -> None:
    """Be a cloud that answers an identify, pushes and babbles, then hangs up."""
    failed: list[Frame] = []
    errors = run(_attempt(cut(data), failed))
    # A push that is nested too deep to be handed back fails, and says so.
    assert len(errors) >= len(failed)
    assert failed or not errors, errors


async def _attempt(pieces: Pieces, failed: list[Frame]) -> None:
    pushes: list[Push] = []

    def handle(push: Push) -> Mapping[str, Any]:
        pushes.append(push)
        # What a handler hands back may not get in the way of the acknowledgement.
        return {"parameters": push.parameters, "body": push.body, **push.body}

    connection = CloudConnection(Timing(), handle)
    transport = Transport(connection)
    identifying = asyncio.ensure_future(connection.identify(_KEY, _BSSID))
    await asyncio.sleep(0)
    assert await transport.deliver(pieces)
    # What stands behind an answer waits until whoever asked has had a turn.
    await turns(_TURNS)
    transport.close()
    reason = await connection.wait_lost()
    assert isinstance(reason, CloudError)
    with suppress(CloudError):
        assert isinstance(await identifying, CloudDevice)
    expected = _pushes(pieces)
    lines = [orjson.loads(line) for line in bytes(transport.sent).splitlines()]
    acknowledgements = [line for line in lines if "deliver_to_device" in line]
    if type(reason) is ConnectionLostError:
        assert len(acknowledgements) == len(expected)
        accepted = [line for line in acknowledgements if line["status"] != 400]
        assert [push.nonce for push in pushes] == [each["nonce"] for each in accepted]
    # What came in one piece with the end is handled, but nobody is there to be told.
    assert len(acknowledgements) <= len(expected)
    for frame, acknowledgement in zip(expected, acknowledgements, strict=False):
        nonce = frame.get("nonce")
        known = isinstance(nonce, int) and not isinstance(nonce, bool)
        assert acknowledgement["nonce"] == (nonce if known else None)
        assert acknowledgement["deliver_to_device"] is True
        assert acknowledgement["status"] in ((200, 400, 500) if known else (400,))
    failed += [line for line in acknowledgements if line["status"] == 500]


def _pushes(pieces: Pieces) -> list[Frame]:
    """Return what has to be acknowledged, up to what ends the connection."""
    decoder = FrameDecoder()
    found: list[Frame] = []
    for piece in pieces:
        try:
            frames = decoder.feed(piece)
        except UnexpectedAnswerError:
            break
        found += [frame for frame in frames if "path" in frame]
    return found
