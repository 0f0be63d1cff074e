"""What people say of a device's timers, and what the cloud keeps of them (protocol.md §2.9).

Firmware knows Beijing time alone, so that is what is sent (protocol.md §3.6). People see the
times of Home Assistant's zone. A weekly time is converted as far away as the two are from each
other today: a device knows nothing of summer time.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta, timezone, tzinfo
import re
from typing import Any, Final

from homeassistant.const import WEEKDAYS

from .cloud import (
    FixedAction,
    FixedTimer,
    LoopPeriod,
    LoopTimer,
    Timer,
    WeeklyAction,
    WeeklyTimer,
)

BEIJING: Final = timezone(timedelta(hours=8))
"""Without summer time since 1991."""
BEIJING_NAME: Final = "Asia/Shanghai"
MAX_ENTRIES: Final = 10
"""Entries that a device holds: more overflow a buffer of its firmware (protocol.md §10.2, 6)."""
MAX_SOCKETS: Final = 8
"""Sockets that two hexadecimal digits can name."""

ACTIONS: Final = {"on": "on_switch", "off": "off_switch", "toggle": "on_off_switch"}
"""What people call an action, and what a device calls it; a strip has two digits more."""
_NAMES = {action: name for name, action in ACTIONS.items()}
_ACTION = re.compile(r"(on_off_switch|on_switch|off_switch)([0-9a-fA-F]{2})?")
_SECONDS = {
    LoopPeriod.DAY: 86400,
    LoopPeriod.HOUR: 3600,
    LoopPeriod.MINUTE: 60,
    LoopPeriod.SECOND: 1,
}


def device_action(name: str, sockets: Iterable[int] = ()) -> str:
    """Return an action as a device knows it.

    Args:
        name: one of ACTIONS.
        sockets: of a strip, the first being 1; none of a plug.
    """
    mask = sum(1 << socket - 1 for socket in set(sockets))
    return ACTIONS[name] + (f"{mask:02x}" if mask else "")


def fixed_timer(at: datetime, action: str, timer_id: int | None = None) -> FixedTimer:
    """Return a timer that acts once, at a moment with a zone."""
    moment = at.astimezone(BEIJING).replace(tzinfo=None, microsecond=0)
    return FixedTimer((FixedAction(moment, action),), timer_id)


def weekly_timer(
    at: time,
    weekdays: Iterable[str],
    action: str,
    timer_id: int | None = None,
    *,
    now: datetime,
) -> WeeklyTimer:
    """Return a timer that acts every week.

    Args:
        at: a time of the day in the zone of `now`.
        weekdays: of WEEKDAYS.
        action: as the device knows it.
        timer_id: the timer that it replaces.
        now: the present, in the zone of people.
    """
    days = [(WEEKDAYS.index(day) + 1) % 7 for day in weekdays]
    moment, shifted = _moved(at, days, _offset(now, BEIJING) - _offset(now, now.tzinfo))
    return WeeklyTimer(shifted, (WeeklyAction(moment, action),), timer_id)


def loop_timer(every: timedelta, action: str, timer_id: int | None = None) -> LoopTimer:
    """Return a timer that acts again and again, each so many whole seconds."""
    seconds = int(every.total_seconds())
    period = next(each for each, size in _SECONDS.items() if seconds % size == 0)
    return LoopTimer(seconds // _SECONDS[period], period, action, timer_id)


def entries(timer: Timer, zone: tzinfo, now: datetime) -> int:
    """Return how many entries a timer, whose times are in `zone`, takes in a device."""
    match timer:
        case FixedTimer(actions=actions):
            return sum(each.at.replace(tzinfo=zone) > now for each in actions)
        case WeeklyTimer(weekdays=weekdays, actions=actions):
            return len(weekdays) * len(actions)
    return 1


def is_over(timer: Timer, zone: tzinfo, now: datetime) -> bool:
    """Tell whether a timer will never act again."""
    return isinstance(timer, FixedTimer) and not entries(timer, zone, now)


def shown(timer: Timer, zone: tzinfo, now: datetime) -> dict[str, Any]:
    """Return a timer as people see it.

    Args:
        timer: what the cloud has.
        zone: the zone of its times.
        now: the present, in the zone of people.

    Returns:
        `id`, `type` (once, weekly, interval or unknown) and `entries`, each with `action`,
        `sockets` for a strip, and when: `at`; `time` and `weekdays`; or `every`.
    """
    kind = "unknown"
    found: list[dict[str, Any]] = []
    match timer:
        case FixedTimer():
            kind = "once"
            found = [
                {"at": _shown_moment(each.at, zone, now), **_shown_action(each.action)}
                for each in timer.actions
            ]
        case WeeklyTimer():
            kind = "weekly"
            found = [
                _shown_weekly(timer.weekdays, each, zone, now) for each in timer.actions
            ]
        case LoopTimer():
            kind = "interval"
            every = {f"{timer.period}s": timer.every}
            found = [{"every": every, **_shown_action(timer.action)}]
    return {"id": timer.id, "type": kind, "entries": found}


def _shown_moment(at: datetime, zone: tzinfo, now: datetime) -> str:
    moment = at.replace(tzinfo=zone)
    try:
        return moment.astimezone(now.tzinfo).isoformat()
    except OverflowError:
        # The first or the last day that there is.
        return moment.isoformat()


def _shown_weekly(
    weekdays: Sequence[int], action: WeeklyAction, zone: tzinfo, now: datetime
) -> dict[str, Any]:
    difference = _offset(now, now.tzinfo) - _offset(now, zone)
    moment, days = _moved(action.at, weekdays, difference)
    return {
        "time": moment.isoformat(),
        "weekdays": [
            name for number, name in enumerate(WEEKDAYS, 1) if number % 7 in days
        ],
        **_shown_action(action.action),
    }


def _shown_action(action: str) -> dict[str, Any]:
    """Return an action in people's words, any other one as it is."""
    if (match := _ACTION.fullmatch(action)) is None:
        return {"action": action}
    found: dict[str, Any] = {"action": _NAMES[match[1]]}
    if match[2]:
        mask = int(match[2], 16)
        found["sockets"] = [
            socket for socket in range(1, MAX_SOCKETS + 1) if mask >> socket - 1 & 1
        ]
    return found


def _offset(now: datetime, zone: tzinfo | None) -> timedelta:
    """Return how far a zone is ahead of UTC today."""
    return now.astimezone(zone).utcoffset() or timedelta()


def _moved(
    at: time, weekdays: Iterable[int], difference: timedelta
) -> tuple[time, tuple[int, ...]]:
    """Return a time of the day in another zone; it may be on the day before or after."""
    monday = datetime(2024, 1, 1, at.hour, at.minute, at.second)
    moved = monday + difference
    days = (moved.date() - monday.date()).days
    return moved.time(), tuple(sorted((day + days) % 7 for day in weekdays))
