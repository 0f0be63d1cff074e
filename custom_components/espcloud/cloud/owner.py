"""The cloud's HTTP API, as the owner of a device."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from .datapoints import StoredPoint
from .devices import CloudDevice, is_stream_name
from .errors import (
    CloudTimeoutError,
    DeviceBusyError,
    DeviceOfflineError,
    UnexpectedAnswerError,
)
from .fields import integer, token
from .roms import Roms
from .timers import SettableTimer, Timer, timers_from_answer
from .transport import Transport

MAX_POINTS: Final = 1000
"""Datapoints of one answer (protocol.md §2.7)."""
_TIMERS = "/v1/device/timers/"
_DELIVERED = {"deliver_to_device": "true"}


class OwnerClient:
    """Reads and commands devices, each by the key that the owner has to it (protocol.md §2.3).

    Every method raises CannotConnectError (CloudTimeoutError where the time ran out),
    UnexpectedAnswerError (RequestRefusedError where the cloud named a status),
    RateLimitedError, or AuthenticationError when the key is refused.

    Those that reach the device itself also raise DeviceOfflineError where it is not
    connected to the cloud, DeviceBusyError where it did not answer in time, and
    CommandRejectedError where it answered with another status than 200.
    """

    def __init__(self, transport: Transport) -> None:
        """Send requests through `transport`."""
        self._transport = transport

    # The device itself

    async def read_live(self, key: str, stream: str) -> Mapping[str, Any]:
        """Ask the device for a datapoint and return what it says (protocol.md §2.7).

        The values are the device's own: anything that JSON can hold.

        Raises:
            UnexpectedAnswerError: also where the device answers without a datapoint.
            ValueError: no stream has such a name.
        """
        path = f"{_stream_path(stream)}/datapoint/"
        answer = await self._transport.request("GET", path, key, query=_DELIVERED)
        datapoint = answer.require_delivered().get("datapoint")
        if not isinstance(datapoint, dict):
            raise UnexpectedAnswerError("an answer without a datapoint")
        return datapoint

    async def write_live(
        self, key: str, stream: str, datapoint: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Send the device a datapoint, once, and return its answer (protocol.md §2.7).

        The answer's `datapoint` may be missing, and may be a moment on the way to what
        was sent.

        Raises:
            ValueError: no stream has such a name.
        """
        answer = await self._transport.request(
            "POST",
            f"{_stream_path(stream)}/datapoint/",
            key,
            query=_DELIVERED,
            body={"datapoint": dict(datapoint)},
            once=True,
        )
        return answer.require_delivered()

    async def call(
        self, key: str, action: str, parameters: Mapping[str, str]
    ) -> dict[str, Any]:
        """Send the device an RPC, once, and return its answer (protocol.md §2.8)."""
        query = {**parameters, **_DELIVERED, "action": action}
        answer = await self._transport.request(
            "GET", "/v1/device/rpc/", key, query=query, once=True
        )
        return answer.require_delivered()

    async def restart(self, key: str) -> None:
        """Have the device start anew, once, with what firmware it has fetched (protocol.md §3.7).

        It is gone before it could answer. So nothing is wrong where the cloud answers in
        its place, finds it away, or hears nothing.
        """
        query = {**_DELIVERED, "action": "sys_reboot"}
        with suppress(DeviceBusyError, DeviceOfflineError, CloudTimeoutError):
            answer = await self._transport.request(
                "GET", "/v1/device/rpc/", key, query=query, once=True
            )
            answer.require_taken()

    # What the cloud has stored

    async def history(
        self,
        key: str,
        stream: str,
        *,
        start: int,
        end: int,
        offset: int = 0,
        count: int = MAX_POINTS,
    ) -> list[StoredPoint]:
        """Return stored datapoints, the newest first (protocol.md §2.7).

        Args:
            key: the owner key.
            stream: the name of the datastream.
            start: the earliest time, in epoch seconds.
            end: the latest time, likewise.
            offset: how many of the newest of them to leave out.
            count: how many to return at most; 1000 is the most that a cloud gives.

        Raises:
            ValueError: no stream has such a name, or a time has no date.
        """
        query = {
            "offset": str(offset),
            "row_count": str(min(count, MAX_POINTS)),
            "start": _iso(start),
            "end": _iso(end),
        }
        path = f"{_stream_path(stream)}/datapoints/"
        return StoredPoint.list_from_answer(await self._transport.get(path, key, query))

    async def get_device(self, key: str) -> CloudDevice:
        """Return the device that a key belongs to (protocol.md §2.5)."""
        query = {"query_device_mesh": "true"}
        answer = await self._transport.get("/v1/device/", key, query)
        return CloudDevice.from_answer(answer)

    async def rename(self, key: str, name: str) -> None:
        """Give the device another name (protocol.md §2.5)."""
        body = {"device": {"name": name}}
        await self._transport.post("/v1/device/", key, body, {"method": "PUT"})

    async def list_roms(self, key: str) -> Roms:
        """Return what firmware the cloud has for the device (protocol.md §2.10)."""
        return Roms.from_answer(await self._transport.get("/v1/device/rom/", key))

    # Keys

    async def share(self, key: str) -> str:
        """Return a token with which another account gets a key of its own (protocol.md §2.6).

        Only the owner's key can be used; a shared one is refused.
        """
        answer = await self._transport.post("/v1/key/share/", key, {"scope": "device"})
        share_token = token(answer)
        if not share_token:
            raise UnexpectedAnswerError("an answer without a usable token")
        return share_token

    async def delete_key(self, key: str) -> None:
        """Give the key up; one that is gone already is no error (protocol.md §2.2)."""
        answer = await self._transport.request(
            "POST", "/v1/key/", key, query={"method": "DELETE"}
        )
        if answer.status == 403 or "key not exists" in str(answer.body.get("message")):
            return
        answer.require_ok()

    # Timers

    async def list_timers(self, key: str) -> list[Timer]:
        """Return the device's timers (protocol.md §2.9)."""
        query = {"is_humanize_format": "true"}
        return timers_from_answer(await self._transport.get(_TIMERS, key, query))

    async def add_timer(
        self, key: str, timer: SettableTimer, *, time_zone: str | None = None
    ) -> int | None:
        """Add a timer, once, and return its id where the answer has it (protocol.md §2.9).

        Args:
            key: the owner key.
            timer: what to add; an id that it has is not sent.
            time_zone: the IANA name of the zone that its times are in, Shanghai without.

        Raises:
            ValueError: `time_zone` is no name of a zone.
        """
        answer = await self._change_timers(None, key, timer.record(), time_zone)
        timers = answer.get("timers")
        if (
            isinstance(timers, list)
            and len(timers) == 1
            and isinstance(timers[0], dict)
        ):
            return integer(timers[0].get("id"))
        return None

    async def change_timer(
        self, key: str, timer: SettableTimer, *, time_zone: str | None = None
    ) -> None:
        """Replace the timer that has this one's id (protocol.md §2.9).

        Args:
            key: the owner key.
            timer: what is to be instead, with the id.
            time_zone: as for `add_timer`; the zone that it had before is not kept.

        Raises:
            ValueError: the timer has no id, or `time_zone` is no name of a zone.
        """
        if timer.id is None:
            raise ValueError("a timer that the cloud does not know cannot be changed")
        record = {"id": timer.id, **timer.record()}
        await self._change_timers("PUT", key, record, time_zone)

    async def delete_timer(self, key: str, timer_id: int) -> None:
        """Delete a timer (protocol.md §2.9)."""
        await self._change_timers("DELETE", key, {"id": timer_id}, None)

    async def _change_timers(
        self,
        method: str | None,
        key: str,
        record: Mapping[str, Any],
        time_zone: str | None,
    ) -> dict[str, Any]:
        query = {**_DELIVERED, "is_humanize_format": "true"}
        if method is not None:
            query["method"] = method
        answer = await self._transport.request(
            "POST",
            _TIMERS,
            key,
            query=query,
            body={"timers": [record]},
            time_zone=time_zone,
            once=True,
        )
        # Whether it is the cloud that answers this, or the device, is not known.
        return answer.require_taken()


def _stream_path(stream: str) -> str:
    if not is_stream_name(stream):
        raise ValueError("not the name of a datastream")
    return f"/v1/datastreams/{stream}"


def _iso(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (OverflowError, ValueError, OSError) as err:
        raise ValueError("a time without a date") from err
