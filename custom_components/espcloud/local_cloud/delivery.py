"""Calls that the live device answers (protocol.md §3.4, §3.5)."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from .errors import ApiError, peer_disconnected
from .listeners import CommandAnswered, Listeners
from .models import DIMENSIONS, Device
from .presence import Presence
from .request import Request
from .roms import Roms, bin_not_found
from .times import DEFAULT_ZONE, time_format
from .wire import JsonObject, encode

_UPGRADE = b'"action": "sys_upgrade"'
"""What firmware looks for, anywhere in a frame (protocol.md §3.9, 2)."""


class Delivery:
    """Turns a caller's request into a push to the device."""

    def __init__(
        self,
        presence: Presence,
        now: Callable[[], int],
        roms: Roms,
        listeners: Listeners,
    ) -> None:
        """Find the devices' connections in `presence`, and firmware for them in `roms`.

        Tell `listeners` what came of a push.
        """
        self._listeners = listeners
        self._presence = presence
        self._now = now
        self._roms = roms

    def deliver(self, request: Request, device: Device) -> Awaitable[JsonObject]:
        """Push the request to the device; what is awaited is the device's own answer object.

        Raises ApiError 404 at once where the device is away, or is to upgrade to a version of which
        there is no file; later as Outbox.push says.
        """
        self._refuse_upgrade(request, device)
        link = self._presence.link(device)
        if link is None:
            raise peer_disconnected()
        frame = push_frame(request, self._now())
        answer = link.outbox.push(
            frame,
            sender=request.token or "",
            reboots=request.query.get("action") == "sys_reboot",
        )
        if self._listeners:
            began = asyncio.get_running_loop().time()
            answer.add_done_callback(partial(self._tell, request, device, began))
        return answer

    def _tell(
        self,
        request: Request,
        device: Device,
        began: float,
        answer: asyncio.Future[JsonObject],
    ) -> None:
        """Tell what came of a push, unless its caller did not wait for that."""
        if answer.cancelled():
            return
        error = answer.exception()
        if error is None:
            status = answer.result().get("status")
            if not isinstance(status, int):
                status = 200
        else:
            status = error.status if isinstance(error, ApiError) else 500
        seconds = asyncio.get_running_loop().time() - began
        action = request.query.get("action", "")
        self._listeners.tell(
            CommandAnswered(
                device, request.method, request.path, action, status, seconds
            )
        )

    def _refuse_upgrade(self, request: Request, device: Device) -> None:
        """Refuse what would make the device erase an image for which it gets no other one."""
        query = request.query
        if query.get("action") == "sys_upgrade":
            if not self._roms.has(device, query.get("version", "")):
                raise bin_not_found()
        elif request.method != "GET" and _UPGRADE in encode(request.body):
            raise ApiError(400, "sys_upgrade must be the action of a call")


def push_frame(request: Request, now: int) -> JsonObject:
    """Return the push for a request, without its nonce (protocol.md §3.4, later generation).

    `meta` carries the caller's key, as the cloud's pushes do, and a `Time-Zone` even where the
    caller named none. What is not a GET has a body, even an empty one.
    """
    query = request.query
    frame: JsonObject = {
        "deliver_to_device": True,
        "get": {name: query[name] for name in sorted(query)},
        "meta": {
            "Authorization": f"token {request.token}",
            "Time-Zone": request.time_zone or DEFAULT_ZONE,
        },
        "method": request.method,
        "path": request.path,
    }
    if request.method != "GET":
        frame["body"] = _safe_body(request.body, now)
    return frame


def _safe_body(body: JsonObject, now: int) -> JsonObject:
    """Return a body with its datapoint in front, where the plug's firmware looks for it."""
    point = body.get("datapoint")
    if not isinstance(point, dict):
        return body
    others = {name: value for name, value in body.items() if name != "datapoint"}
    return {"datapoint": _safe_datapoint(point, now), **others}


def _safe_datapoint(point: JsonObject, now: int) -> JsonObject:
    """Return a datapoint with its members in the order that firmware can read.

    The plug reads `x` at a fixed place, right after `{"datapoint": {`; the old light reads each of
    x, y, z, k, l up to a comma and so loses the last member, which is why there is always an `at`
    behind them (protocol.md §3.9, 6 and 7).
    """
    values = {name: point[name] for name in DIMENSIONS if name in point}
    others = {
        name: value
        for name, value in point.items()
        if name not in values and name != "at"
    }
    return {**values, **others, "at": point.get("at", time_format(None)(now))}
