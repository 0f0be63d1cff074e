"""A server that answers the client's HTTP requests with anything."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from math import isfinite
import re
from typing import Any, override
from unittest.mock import patch

import aiohttp
from aiohttp.client_proto import ResponseHandler

from custom_components.espcloud.cloud import (
    CloudClient,
    CloudDevice,
    CloudError,
    FixedTimer,
    LoopPeriod,
    LoopTimer,
    OtherTimer,
    OwnedDevice,
    RateLimitedError,
    Roms,
    StoredPoint,
    StreamTemplate,
    UserKey,
    WeeklyTimer,
    http_transport,
    is_stream_name,
)
from custom_components.espcloud.cloud.text import printable
from custom_components.espcloud.cloud.timers import timers_from_answer

from .wire import Pieces, Transport, cut, happens, run

_KEY = "0123456789abcdef0123456789abcdef01234567"
_PASSWORD = "an invented password"
_TIMER = LoopTimer(1, LoopPeriod.DAY, "on_switch")
_HEADER_SAFE = re.compile(r"[!-~]*")
_TIMEOUT = aiohttp.ClientTimeout(total=0.05)
"""aiohttp goes on waiting after a broken chunk; only the deadline ends that."""
_STATUSES = (200, 204, 301, 400, 401, 403, 404, 429, 500, 502, 503)

type Call = Callable[[CloudClient], Coroutine[Any, Any, object]]

_CALLS: tuple[Call, ...] = (
    lambda client: client.create_user_key("a@example.org", _PASSWORD),
    lambda client: client.list_devices(_KEY),
    lambda client: client.owner.get_device(_KEY),
    lambda client: client.activate(_KEY, "02:00:00:00:00:01", "t" * 40),
    lambda client: client.authorize(_KEY, "t" * 40),
    lambda client: client.owner.call(_KEY, "LED_ON", {"level": "1"}),
    lambda client: client.ping(),
    lambda client: client.list_templates(_KEY),
    lambda client: client.owner.read_live(_KEY, "light"),
    lambda client: client.owner.write_live(_KEY, "light", {"x": 1}),
    lambda client: client.owner.history(_KEY, "light", start=0, end=1),
    lambda client: client.owner.rename(_KEY, "Hall"),
    lambda client: client.owner.share(_KEY),
    lambda client: client.owner.delete_key(_KEY),
    lambda client: client.owner.list_timers(_KEY),
    lambda client: client.owner.add_timer(_KEY, _TIMER, time_zone="UTC"),
    lambda client: client.owner.list_roms(_KEY),
)
"""Corpus inputs name them by their place: new ones go to the end."""


def target(data: bytes) -> None:
    """Answer a call: which one, what status or a head of its own, and in what pieces.

    The first byte is the call, the second the status of an answer whose body the rest is; where it
    names none, the rest is the whole answer, its head included.
    """
    if len(data) < 3:
        return
    call = _CALLS[data[0] % len(_CALLS)]
    pieces = cut(data[2:])
    if data[1] < len(_STATUSES):
        size = sum(map(len, pieces))
        head = f"HTTP/1.1 {_STATUSES[data[1]]} x\r\nContent-Length: {size}\r\n\r\n"
        pieces = [head.encode(), *pieces]
    with patch.object(http_transport, "REQUEST_TIMEOUT", _TIMEOUT):
        assert not run(_attempt(call, pieces))


async def _attempt(call: Call, pieces: Pieces) -> None:
    async with aiohttp.ClientSession(connector=_Connector(pieces)) as session:
        try:
            outcome = await call(CloudClient.over_http(session, "http://192.0.2.1"))
        except CloudError as error:
            _check_error(error)
        else:
            _check_outcome(outcome)


def _check_error(error: CloudError) -> None:
    """Find nothing secret in an error, nor in what it came from."""
    if isinstance(error, RateLimitedError) and error.retry_after is not None:
        assert 1 <= error.retry_after <= 3600
    link: BaseException | None = error
    while link is not None:
        shown = f"{link} {link!r}"
        assert _KEY not in shown
        assert _PASSWORD not in shown
        link = link.__cause__ or (
            None if link.__suppress_context__ else link.__context__
        )


def _check_outcome(outcome: object) -> None:
    """Find nothing in a result that would break a header or a log later."""
    match outcome:
        case UserKey(user_id=int(), token=token):
            assert token
            assert _HEADER_SAFE.fullmatch(token)
            assert token not in repr(outcome).replace(repr(outcome.user_id), "")
        case str():
            assert outcome and _HEADER_SAFE.fullmatch(outcome)
        case list():
            for each in outcome:
                _check_record(each)
        case dict():
            # What a device answers is passed on as it is.
            for templates in outcome.values():
                for each in templates if isinstance(templates, list) else []:
                    if isinstance(each, StreamTemplate):
                        _check_record(each)
        case CloudDevice() | Roms():
            _check_record(outcome)
        case int() | None:
            pass
        case _:
            raise AssertionError(outcome)


def _check_record(record: object) -> None:
    """Find nothing in a record that could not be shown, stored, or sent again."""
    match record:
        case OwnedDevice():
            assert _HEADER_SAFE.fullmatch(record.owner_key)
            assert record.group == printable(record.group)
            _check_record(record.device)
        case CloudDevice(id=int(), name=str(), serial=str(), activated=bool()):
            assert record.title
            assert len(record.bssid) in (0, 17)
            datetime.fromtimestamp(record.last_active, UTC)
        case StreamTemplate(stream=name, dimension=dimension):
            assert is_stream_name(name)
            assert dimension is None or 1 <= dimension <= 5
        case StoredPoint(at=at, values=values):
            datetime.fromtimestamp(at, UTC)
            colour = values.get("z")
            parts = colour if isinstance(colour, dict) else {}
            numbers = [*parts.values(), *values.values()]
            assert all(isfinite(each) for each in numbers if each is not parts)
        case FixedTimer() | LoopTimer() | WeeklyTimer():
            sent = {"id": record.id, "time_zone": record.time_zone, **record.record()}
            assert timers_from_answer({"timers": [sent]}) == [record]
        case OtherTimer(type=kind, id=int()):
            assert kind == printable(kind)
        case Roms(recommended=recommended, versions=versions):
            assert recommended == printable(recommended)
            for version in versions:
                assert version.version == printable(version.version)
                assert record.find(version.version)
        case _:
            raise AssertionError(record)


class _Connector(aiohttp.BaseConnector):
    """Connects to nobody: each connection answers with these pieces and ends."""

    def __init__(self, pieces: Pieces) -> None:
        super().__init__(force_close=True)
        self._pieces = pieces

    @override
    async def _create_connection(self, *request: object) -> ResponseHandler:
        protocol = ResponseHandler(asyncio.get_running_loop())
        transport = Transport(protocol)
        answering = asyncio.ensure_future(self._answer(transport))
        answering.add_done_callback(lambda task: task.result())
        return protocol

    async def _answer(self, transport: Transport) -> None:
        # The request goes out first.
        await happens(lambda: bool(transport.sent) or transport.is_closing())
        await transport.deliver(self._pieces)
        transport.close()
