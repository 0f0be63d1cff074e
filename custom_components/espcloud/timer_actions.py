"""The actions for the timers that a device runs itself (protocol.md §2.9).

They do their work without Home Assistant and without the cloud. Otherwise an automation is
better: it knows summer time and more than ten of them, and it works with every device.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

import voluptuous as vol

from homeassistant.const import WEEKDAYS
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from . import timer_times
from .cloud import OwnerClient, SettableTimer, Timer
from .const import ATTR_ACTION, DOMAIN
from .coordinator import EspCloudCoordinator
from .errors import invalid_call
from .kinds.plug import PlugKind
from .kinds.strip import StripKind
from .owner_requests import async_as_owner
from .targets import Targets, async_for_each, find_targets

ATTR_AT: Final = "at"
ATTR_EVERY: Final = "every"
ATTR_SOCKETS: Final = "sockets"
ATTR_TIME: Final = "time"
ATTR_TIMER_ID: Final = "timer_id"
ATTR_WEEKDAYS: Final = "weekdays"
WAYS: Final = (ATTR_AT, ATTR_TIME, ATTR_EVERY)
"""When a timer can act: once, weekly, at an interval."""

GET_TIMERS_SCHEMA = cv.make_entity_service_schema({})
SET_TIMER_SCHEMA = cv.make_entity_service_schema(
    {
        vol.Required(ATTR_ACTION): vol.In(timer_times.ACTIONS),
        vol.Optional(ATTR_AT): cv.datetime,
        vol.Optional(ATTR_TIME): cv.time,
        vol.Optional(ATTR_WEEKDAYS, default=list): cv.weekdays,
        vol.Optional(ATTR_EVERY): cv.positive_time_period,
        vol.Optional(ATTR_SOCKETS, default=list): vol.All(
            cv.ensure_list,
            [vol.All(vol.Coerce(int), vol.Range(1, timer_times.MAX_SOCKETS))],
        ),
        vol.Optional(ATTR_TIMER_ID): cv.positive_int,
    }
)
DELETE_TIMER_SCHEMA = cv.make_entity_service_schema(
    {vol.Required(ATTR_TIMER_ID): cv.positive_int}
)

# Two that are set at once could together be more than a device holds.
_LOCK: HassKey[asyncio.Lock] = HassKey(f"{DOMAIN}_timers")


@dataclass(frozen=True, slots=True)
class _Known:
    """A timer of a device, and the zone that its times are in."""

    timer: Timer
    zone: tzinfo


async def async_get_timers(call: ServiceCall) -> ServiceResponse:
    """Return the timers of every device that is meant, by Home Assistant's ids of them.

    Raises:
        ServiceValidationError: no device is meant, or one that Home Assistant is.
        HomeAssistantError: the cloud did not tell them.
    """
    now = dt_util.now()
    known = await _async_known(_find_hardware(call), "get_timers")
    return {
        device_id: {
            "timers": [timer_times.shown(each.timer, each.zone, now) for each in timers]
        }
        for device_id, timers in known.items()
    }


async def async_set_timer(call: ServiceCall) -> ServiceResponse:
    """Set a timer of every device that is meant, and return the ids.

    Raises:
        ServiceValidationError: it cannot work with one of them; nothing was sent.
        HomeAssistantError: the cloud did not take it.
    """
    targets = _find_hardware(call)
    timer_id: int | None = call.data.get(ATTR_TIMER_ID)
    if timer_id is not None:
        _check_single(targets)
    now = dt_util.now()
    timers = {
        device_id: _timer(call, coordinator, now)
        for device_id, coordinator in targets.items()
    }
    async with _lock(call.hass):
        known = await _async_known(targets, "set_timer")
        for device_id, coordinator in targets.items():
            if timer_id is not None:
                _check_known(coordinator, known[device_id], timer_id)
            _check_room(coordinator, known[device_id], timers[device_id], now)

        async def set_timer(
            device_id: str, coordinator: EspCloudCoordinator
        ) -> dict[str, Any]:
            # As long as a time that is past is listed, firmware may run none of the
            # others (protocol.md §10.2, 6).
            for each in known[device_id]:
                over = each.timer.id
                if (
                    over is not None
                    and over != timer_id
                    and timer_times.is_over(each.timer, each.zone, now)
                ):
                    await _async_delete(coordinator, over, "set_timer")
            return {ATTR_TIMER_ID: await _async_send(coordinator, timers[device_id])}

        answers = await async_for_each(targets, set_timer)
    return {**answers} if call.return_response else None


async def async_delete_timer(call: ServiceCall) -> None:
    """Delete a timer of a device.

    Raises:
        ServiceValidationError: several devices are meant, or it has no such timer.
        HomeAssistantError: the cloud did not delete it.
    """
    targets = _find_hardware(call)
    _check_single(targets)
    timer_id: int = call.data[ATTR_TIMER_ID]
    async with _lock(call.hass):
        known = await _async_known(targets, "delete_timer")
        for device_id, coordinator in targets.items():
            _check_known(coordinator, known[device_id], timer_id)
            await _async_delete(coordinator, timer_id, "delete_timer")


def _find_hardware(call: ServiceCall) -> Targets:
    targets = find_targets(call)
    for coordinator in targets.values():
        if coordinator.backend.is_virtual:
            raise invalid_call("timers_of_virtual", device=coordinator.name)
    return targets


def _timer(
    call: ServiceCall, coordinator: EspCloudCoordinator, now: datetime
) -> SettableTimer:
    """Return what a call asks of a device. Raises ServiceValidationError."""
    data = call.data
    action = _device_action(data[ATTR_ACTION], data[ATTR_SOCKETS], coordinator)
    timer_id: int | None = data.get(ATTR_TIMER_ID)
    ways = [way for way in WAYS if way in data]
    if len(ways) != 1 or (data[ATTR_WEEKDAYS] and ways != [ATTR_TIME]):
        raise invalid_call("timer_without_time")
    match ways[0]:
        case "at":
            at: datetime = data[ATTR_AT]
            moment = at.replace(tzinfo=at.tzinfo or now.tzinfo)
            if moment <= now:
                raise invalid_call("timer_in_the_past")
            return timer_times.fixed_timer(moment, action, timer_id)
        case "time":
            weekdays = data[ATTR_WEEKDAYS] or WEEKDAYS
            return timer_times.weekly_timer(
                data[ATTR_TIME], weekdays, action, timer_id, now=now
            )
    every: timedelta = data[ATTR_EVERY]
    if every < timedelta(seconds=1) or every.microseconds:
        raise invalid_call("timer_interval")
    return timer_times.loop_timer(every, action, timer_id)


def _device_action(
    name: str, sockets: list[int], coordinator: EspCloudCoordinator
) -> str:
    """Return an action as the device knows it. Raises ServiceValidationError."""
    device = coordinator.name
    match coordinator.kind:
        case PlugKind():
            if sockets:
                raise invalid_call("timer_sockets_of_plug", device=device)
        case StripKind():
            # With two digits more it would be longer than firmware has room for.
            if name == "toggle":
                raise invalid_call("timer_toggle", device=device)
            count = coordinator.data.count or timer_times.MAX_SOCKETS
            if not sockets or max(sockets) > count:
                raise invalid_call("timer_sockets", device=device, count=str(count))
        case _:
            raise invalid_call("timers_of_others", device=device)
    return timer_times.device_action(name, sockets)


def _check_single(targets: Targets) -> None:
    """A number of a timer means one device's."""
    if len(targets) > 1:
        raise invalid_call("timer_of_several")


def _check_known(
    coordinator: EspCloudCoordinator, known: list[_Known], timer_id: int
) -> None:
    if all(each.timer.id != timer_id for each in known):
        raise invalid_call(
            "unknown_timer", device=coordinator.name, timer_id=str(timer_id)
        )


def _check_room(
    coordinator: EspCloudCoordinator,
    known: list[_Known],
    timer: SettableTimer,
    now: datetime,
) -> None:
    others = sum(
        timer_times.entries(each.timer, each.zone, now)
        for each in known
        if each.timer.id != timer.id
    )
    count = others + timer_times.entries(timer, timer_times.BEIJING, now)
    if count > timer_times.MAX_ENTRIES:
        raise invalid_call(
            "too_many_timers",
            device=coordinator.name,
            count=str(count),
            most=str(timer_times.MAX_ENTRIES),
        )


async def _async_known(targets: Targets, action: str) -> dict[str, list[_Known]]:
    """Return the timers of devices. Raises HomeAssistantError."""

    async def read(_: str, coordinator: EspCloudCoordinator) -> list[_Known]:
        timers = await async_as_owner(
            coordinator, action, lambda client, key: client.list_timers(key)
        )
        return [_Known(timer, await _async_zone(timer)) for timer in timers]

    return await async_for_each(targets, read)


async def _async_zone(timer: Timer) -> tzinfo:
    """Return the zone of a timer's times: Beijing's, where the server does not say it."""
    name: str = getattr(timer, "time_zone", "")
    try:
        zone = await dt_util.async_get_time_zone(name) if name else None
    except ValueError, OSError:
        # It comes from far away, and need not be a name.
        zone = None
    return zone or timer_times.BEIJING


async def _async_send(
    coordinator: EspCloudCoordinator, timer: SettableTimer
) -> int | None:
    """Add or change a timer; return its id where the cloud says it."""

    async def send(client: OwnerClient, key: str) -> int | None:
        zone = timer_times.BEIJING_NAME
        if timer.id is None:
            return await client.add_timer(key, timer, time_zone=zone)
        await client.change_timer(key, timer, time_zone=zone)
        return timer.id

    return await async_as_owner(coordinator, "set_timer", send)


async def _async_delete(
    coordinator: EspCloudCoordinator, timer_id: int, action: str
) -> None:
    await async_as_owner(
        coordinator, action, lambda client, key: client.delete_timer(key, timer_id)
    )


def _lock(hass: HomeAssistant) -> asyncio.Lock:
    return hass.data.setdefault(_LOCK, asyncio.Lock())
