"""Pushes to one device: handled and acknowledged, or refused."""

from collections.abc import Callable, Mapping
import logging
from typing import Any

from .errors import PushRefusedError, UnexpectedAnswerError
from .fields import integer
from .frames import Frame, encode_frame
from .models import Push
from .push_limits import DevicePushes

_LOGGER = logging.getLogger(__name__)

type PushHandler = Callable[[Push], Mapping[str, Any] | None]
"""Handles a push: returns what to add to the acknowledgement, or raises
PushRefusedError."""


def answer_push(
    frame: Frame, on_push: PushHandler | None, limits: DevicePushes, now: float
) -> bytes:
    """Let a push be handled and return its acknowledgement (protocol.md §3.5).

    One that is too many is refused at once. What waited instead would be carried out
    later, when its sender had long been told that it failed.

    Args:
        frame: the push.
        on_push: handles it; without it, it is only acknowledged.
        limits: how many are carried out.
        now: a time of the loop's, in seconds.

    Raises:
        FloodError: there are so many that the connection has to end.
    """
    acknowledgement: Frame = {
        "status": 200,
        "nonce": integer(frame.get("nonce")),
        "deliver_to_device": True,
    }
    if not limits.admit(now):
        return encode_frame(acknowledgement | {"status": 503})
    try:
        push = Push.from_frame(frame)
    except UnexpectedAnswerError:
        return encode_frame(acknowledgement | {"status": 400})
    try:
        answer = on_push(push) if on_push is not None else None
        if not answer:
            return encode_frame(acknowledgement)
        # What was handed back may be more than can be encoded: part of a push
        # that is nested too deep, say.
        return encode_frame({**answer, **acknowledgement})
    except PushRefusedError as refusal:
        return encode_frame(acknowledgement | {"status": refusal.status})
    except Exception:
        # The caller is told; whoever handles pushes must not cost the connection.
        _LOGGER.exception("Handling a pushed %s failed", push.kind.value)
        return encode_frame(acknowledgement | {"status": 500})
