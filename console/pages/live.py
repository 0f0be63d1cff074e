"""A device as it is now: commands to it, its control, its frames, and how a program does the same."""

import asyncio
from collections.abc import Callable
import time
from weakref import WeakValueDictionary

from aiohttp import web

from local_cloud.errors import ApiError
from local_cloud.frame_taps import TappedFrame
from local_cloud.listeners import (
    DatapointReceived,
    DeviceConnected,
    DeviceDisconnected,
    Event,
)
from local_cloud.models import Device, KeyKind
from local_cloud.wire import JsonObject, encode_item

from ..commands import Command, read_command, read_point, set_point
from ..controls import (
    Control,
    Strip,
    control_for,
    light_command,
    plug_command,
    strip_command,
)
from ..events import Send
from ..following import Follower
from ..holdings import Holding, holding
from ..own_address import site_url
from ..programs import curl_lines, device_port, example, reached, tcp_lines
from ..responses import json_response
from ..routing import Route
from ..standing import is_sensor, online_event
from ..tabs import tab
from ..visits import Visit

_LONGEST_FRAME = 16 << 10
"""Characters of a frame that a page shows; firmware may be in one."""
_strips: WeakValueDictionary[tuple[int, int], asyncio.Lock] = WeakValueDictionary()
"""By cloud and device: who reads a strip and then sets it, is alone between the two."""


async def show(visit: Visit, number: int) -> web.StreamResponse:
    """Show the page; what moves on it comes later."""
    found = holding(visit, number)
    streams = _streams(visit, found)
    site = reached(site_url(visit.cloud.hosts, visit.http))
    port, is_tls = device_port(visit.cloud.addresses)
    stream, point = example(found, streams)
    return visit.page(
        "live.html",
        **tab(visit, found, "live"),
        control=control_for(found.device.ptype),
        streams=streams,
        site=site,
        port=port,
        is_tls=is_tls,
        curl_lines=list(curl_lines(site, stream, point)),
        tcp_lines=list(tcp_lines(stream, point)),
    )


async def command(visit: Visit, number: int) -> web.StreamResponse:
    """Send what was typed, and tell what came of it."""
    typed = await visit.json()
    found = holding(visit, number)
    return json_response(await _send(visit, found, read_command(typed)))


async def read(visit: Visit, number: int) -> web.StreamResponse:
    """Ask the device for its state; the streams of events tell it, to every page."""
    await visit.json()
    found, control = _controlled(visit, number)
    return json_response(await _send(visit, found, read_point(control.stream)))


async def operate(visit: Visit, number: int) -> web.StreamResponse:
    """Do what a person has moved on the device's control."""
    wish = await visit.json()
    found, control = _controlled(visit, number)
    if isinstance(control, Strip):
        return json_response(await _switch_socket(visit, found, control, wish))
    point = plug_command(wish) if control.kind == "plug" else light_command(wish)
    told = await _send(visit, found, set_point(control.stream, point))
    control.sent(point)
    return json_response({**told, "state": control.state})


async def stream(visit: Visit, number: int) -> web.StreamResponse:
    """Tell of the device's state, of its coming and going, and its owner of its frames."""
    found = holding(visit, number)
    return await visit.events.stream(
        visit, lambda send: _Watch(visit, found.device, send).begin()
    )


class _Watch:
    """What one page hears of its device, for as long as the account has it."""

    def __init__(self, visit: Visit, device: Device, send: Send) -> None:
        self._visit = visit
        self._device = device
        self._send = send
        control = control_for(device.ptype)
        now = asyncio.get_running_loop().time
        self._follower = None if control is None else Follower(control, now)

    def begin(self) -> Callable[[], None]:
        """Begin, and return what ends it."""
        cloud = self._visit.cloud
        ends = (
            cloud.listeners.add(self._heard),
            cloud.tap(self._device, self._tapped),
        )
        self._tell_online()

        def end() -> None:
            for each in ends:
                each()

        return end

    def _key_kind(self) -> KeyKind | None:
        """Say as what the account has the device now."""
        session = self._visit.signed_in
        keyring = self._visit.cloud.store.keyring
        key = keyring.held_for(session.user, self._device.id)
        return None if key is None else key.kind

    def _heard(self, event: Event) -> None:
        match event:
            case DeviceConnected(device=device) | DeviceDisconnected(device=device):
                if device is self._device:
                    self._tell_online()
            case DatapointReceived(device=device, stream=name, values=values):
                if device is self._device and is_sensor(device):
                    self._tell_online()
                follower = self._follower
                if device is self._device and follower and name == follower.stream:
                    self._tell_state(is_news=follower.reported(values))

    def _tapped(self, tapped: TappedFrame) -> None:
        is_sent = tapped.is_sent_by_device
        if self._key_kind() is KeyKind.OWNER:
            text = encode_item(tapped.frame).decode()
            self._send(
                "frame",
                {
                    "at": round(time.time() * 1000),
                    "from_device": is_sent,
                    "text": text[:_LONGEST_FRAME],
                    "length": len(text),
                },
            )
        if (follower := self._follower) is not None:
            is_news = follower.heard(tapped.frame, is_sent_by_device=is_sent)
            self._tell_state(is_news=is_news)

    def _tell_online(self) -> None:
        if self._key_kind() is not None:
            self._send("online", online_event(self._visit.cloud, self._device))

    def _tell_state(self, *, is_news: bool) -> None:
        state = self._follower.state if self._follower and is_news else None
        if state is not None and self._key_kind() is not None:
            self._send("state", state)


async def _send(visit: Visit, found: Holding, command: Command) -> JsonObject:
    """Send a command and return its `milliseconds` with the `answer` of the device.

    Where there is none, the server's `status` and a `message` for people take its place.
    """
    key = found.token
    loop = asyncio.get_running_loop()
    began = loop.time()
    reply = await visit.cloud.call(
        command.method,
        command.path,
        key,
        command.query,
        command.body,
        peer=visit.http.remote or "",
    )
    told: JsonObject = {"milliseconds": round((loop.time() - began) * 1000, 1)}
    status = reply.get("status")
    # What the device answers has the nonce of its push; the server's own errors have none.
    if "nonce" in reply or status == 200:
        return {**told, "answer": reply}
    message = visit.texts.of_error(int(status or 500), str(reply.get("message", "")))
    return {**told, "status": status, "message": message}


async def _switch_socket(
    visit: Visit, found: Holding, strip: Strip, wish: JsonObject
) -> JsonObject:
    """Read which sockets are on, change one, and set them all."""
    turn = _strips.setdefault((id(visit.cloud), found.device.id), asyncio.Lock())
    async with turn:
        told = await _send(visit, found, read_point(strip.stream))
        point = told.get("answer", {}).get("datapoint")
        if not isinstance(point, dict):
            return told
        strip.reported(point)
        mask = strip_command(wish, strip)
        return await _send(visit, found, set_point(strip.stream, mask))


def _controlled(visit: Visit, number: int) -> tuple[Holding, Control]:
    found = holding(visit, number)
    control = control_for(found.device.ptype)
    if control is None:
        raise ApiError(404, "this kind of device has no control")
    return found, control


def _streams(visit: Visit, found: Holding) -> list[str]:
    """Return the names of datastreams that the device may know."""
    store = visit.cloud.store
    names = {stream.name for stream in store.streams.of(found.device)}
    names |= {
        each.name for each in store.templates_of(found.device.product_id).values()
    }
    if (control := control_for(found.device.ptype)) is not None:
        names.add(control.stream)
    return sorted(names)


_LIVE = "/devices/{number:number}/live"
ROUTES = (
    Route("GET", _LIVE, show),
    Route("POST", f"{_LIVE}/command", command),
    Route("POST", f"{_LIVE}/read", read),
    Route("POST", f"{_LIVE}/control", operate),
    Route("GET", f"{_LIVE}/events", stream),
)
