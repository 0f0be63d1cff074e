"""The plans of timers: as users write them, and as devices read them (protocol.md §2.9, §3.6).

Users write times in their own zone, which a request names in its `Time-Zone`; without one it is
Shanghai's. Firmware knows Beijing time alone, so that is what it gets.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
import re

from .errors import bad_request
from .fields import read_integer, read_objects, read_text
from .models import Timer
from .times import zone_of
from .wire import JsonObject

MAX_ENTRIES = 10
"""Entries that reach a device: more overflow a buffer of Espressif's RTOS firmware (protocol.md §10)."""
_ACTION = re.compile(r"[a-zA-Z0-9_]{1,14}")
_PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_MAX_SECONDS = 9_999_999_999
"""Firmware reads at most ten digits."""
_WEEK = 7 * 86400
_MONDAY = 4 * 86400 - 8 * 3600
"""A Monday, 00:00 in Beijing, in epoch seconds."""


def read_plan(timer: JsonObject) -> JsonObject:
    """Return the plan in a timer that a user sent. Raises ApiError 400 where it is none."""
    kind = read_text(timer, "type")
    reader = _READERS.get(kind)
    if reader is None:
        raise bad_request("type must be FIXEDTIME, LOOP_PERIOD or LOOP_IN_WEEK")
    return {"type": kind, **reader(timer)}


def device_text(timers: Iterable[Timer], now: int) -> str:
    """Return timers as the device reads them now: `l60=on_off_switch;w41894=off_switch`."""
    return ";".join(
        entry for timer in timers for entry in plan_entries(timer.plan, timer.zone, now)
    )


def first_moment(text: str) -> int | None:
    """Return when the first FIXEDTIME entry in a device's text fires, in epoch seconds."""
    moments = (
        int(entry[1:].partition("=")[0])
        for entry in text.split(";")
        if entry.startswith("f")
    )
    return min(moments, default=None)


def plan_entries(plan: JsonObject, zone: str, now: int) -> list[str]:
    """Return what a plan whose times are in `zone` is to the device: an entry for each moment in it.

    `f<epoch>` is once, and no longer there when its time has come; `l<seconds>` a period;
    `w<seconds>` weekly after Monday 00:00 in Beijing, as its next time falls: a zone with summer time
    is not always equally far away.
    """
    match plan["type"]:
        case "FIXEDTIME":
            moments = [
                (_epoch(action["time"], zone), action["action"])
                for action in plan["time_actions"]
            ]
            return [f"f{moment}={action}" for moment, action in moments if moment > now]
        case "LOOP_PERIOD":
            return [f"l{plan['time'] * _PERIODS[plan['period']]}={plan['action']}"]
    return [
        f"w{_seconds_of_week(day, action['time'], zone, now)}={action['action']}"
        for day in plan["weekdays"]
        for action in plan["time_actions"]
    ]


def _read_fixed(timer: JsonObject) -> JsonObject:
    return {"time_actions": _read_time_actions(timer, "%Y%m%d%H%M%S", "YYYYMMDDhhmmss")}


def _read_period(timer: JsonObject) -> JsonObject:
    period = read_text(timer, "period")
    if period not in _PERIODS:
        raise bad_request("period must be second, minute, hour or day")
    time = read_integer(timer, "time")
    if not 0 < time * _PERIODS[period] <= _MAX_SECONDS:
        raise bad_request("time must be a number of periods above 0")
    return {"period": period, "time": time, "action": _read_action(timer)}


def _read_week(timer: JsonObject) -> JsonObject:
    weekdays = timer.get("weekdays")
    if (
        not isinstance(weekdays, list)
        or not weekdays
        or not all(type(day) is int and 0 <= day <= 6 for day in weekdays)
    ):
        raise bad_request("weekdays must be a list of 0 (Sunday) to 6")
    return {
        "weekdays": sorted(set(weekdays)),
        "time_actions": _read_time_actions(timer, "%H%M%S", "hhmmss"),
    }


_READERS: dict[str, Callable[[JsonObject], JsonObject]] = {
    "FIXEDTIME": _read_fixed,
    "LOOP_PERIOD": _read_period,
    "LOOP_IN_WEEK": _read_week,
}


def _read_time_actions(timer: JsonObject, pattern: str, shown: str) -> list[JsonObject]:
    actions = []
    for entry in read_objects(timer, "time_actions", limit=MAX_ENTRIES):
        time = read_text(entry, "time")
        try:
            year = datetime.strptime(time, pattern).year
        except ValueError:
            year = 0
        if len(time) != len(shown) or not (year == 1900 or 1970 < year < 2200):
            raise bad_request(f"time must be {shown}")
        actions.append({"time": time, "action": _read_action(entry)})
    return actions


def _read_action(entry: JsonObject) -> str:
    action = read_text(entry, "action")
    if not _ACTION.fullmatch(action):
        raise bad_request("action must be 1 to 14 letters, digits or underscores")
    return action


def _epoch(time: str, zone: str) -> int:
    moment = datetime.strptime(time, "%Y%m%d%H%M%S").replace(tzinfo=zone_of(zone))
    return int(moment.timestamp())


def _seconds_of_week(day: int, time: str, zone: str, now: int) -> int:
    """Return the seconds after Monday 00:00 in Beijing; the apps count days from Sunday, 0."""
    here = datetime.fromtimestamp(now, zone_of(zone))
    clock = datetime.strptime(time, "%H%M%S").time()
    days = timedelta(days=(day - here.isoweekday()) % 7)
    moment = datetime.combine(here.date() + days, clock, here.tzinfo)
    if moment.timestamp() <= now:
        moment += timedelta(days=7)
    return (int(moment.timestamp()) - _MONDAY) % _WEEK
