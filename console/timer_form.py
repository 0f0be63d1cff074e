"""The form of a timer: from its fields to a plan of the API, and back (protocol.md §2.9)."""

from collections.abc import Mapping
from datetime import datetime
import re
from zoneinfo import ZoneInfo

from local_cloud.device_types import kind_name
from local_cloud.errors import ApiError
from local_cloud.wire import JsonObject

from .fields import read_number
from .timer_words import SOCKETS, VERBS, clock, sockets_of

PERIODS = ("second", "minute", "hour", "day")
_VERBS_OF = {"plug": ("on", "off", "over"), "strip": ("on", "off")}
"""What devices of a kind do; with its sockets, `over` would be too long an action for a strip."""
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
_MANY = 10**9


def verbs(ptype: int) -> tuple[str, ...]:
    """Return what a device of a kind is known to do; others have actions that a person types."""
    return _VERBS_OF.get(kind_name(ptype), ())


def has_sockets(ptype: int) -> bool:
    """Say whether an action names sockets."""
    return kind_name(ptype) == "strip"


def read_zone(form: Mapping[str, str]) -> str:
    """Return the zone in which the form's times are. Raises ApiError 400 for none that is known."""
    name = form.get("zone", "")
    try:
        ZoneInfo(name)
    except LookupError, ValueError, OSError:
        raise ApiError(400, "the time zone is not known") from None
    return name


def read_plan(form: Mapping[str, str], ptype: int, now: int) -> JsonObject:
    """Return the plan of a timer. Raises ApiError 400 for what is none, or is over at `now`."""
    action = _read_action(form, ptype)
    match form.get("type", ""):
        case "FIXEDTIME":
            time = _read_moment(form, now)
            actions = [{"time": time, "action": action}]
            return {"type": "FIXEDTIME", "time_actions": actions}
        case "LOOP_IN_WEEK":
            days = [day for day in range(7) if f"day-{day}" in form]
            if not days:
                raise ApiError(400, "choose a day of the week")
            actions = [{"time": _read_clock(form.get("clock", "")), "action": action}]
            return {"type": "LOOP_IN_WEEK", "weekdays": days, "time_actions": actions}
        case "LOOP_PERIOD":
            if (period := form.get("period", "")) not in PERIODS:
                raise ApiError(400, "period must be second, minute, hour or day")
            count = read_number(form.get("count", ""), 1, _MANY)
            return {
                "type": "LOOP_PERIOD",
                "period": period,
                "time": count,
                "action": action,
            }
    raise ApiError(400, "choose when it happens")


def fields_of(plan: JsonObject, ptype: int) -> dict[str, str] | None:
    """Return the fields of a plan, None for one with several moments: the form has one."""
    fields = {"type": plan["type"]}
    if plan["type"] == "LOOP_PERIOD":
        fields |= {"count": str(plan["time"]), "period": plan["period"]}
        return fields | _action_fields(plan["action"], ptype)
    if len(plan["time_actions"]) != 1:
        return None
    (moment,) = plan["time_actions"]
    time = moment["time"]
    if plan["type"] == "FIXEDTIME":
        date = f"{time[:4]}-{time[4:6]}-{time[6:8]}"
        fields["moment"] = f"{date}T{clock(time[8:])}"
    else:
        fields["clock"] = clock(time)
        fields |= {f"day-{day}": "yes" for day in plan["weekdays"]}
    return fields | _action_fields(moment["action"], ptype)


def _read_action(form: Mapping[str, str], ptype: int) -> str:
    verb = form.get("verb", "own")
    if verb not in verbs(ptype):
        return form.get("action", "").strip()
    action = VERBS[verb]
    if not has_sockets(ptype):
        return action
    chosen = [number for number in range(SOCKETS) if f"socket-{number + 1}" in form]
    if not chosen:
        raise ApiError(400, "choose a socket")
    return f"{action}{sum(1 << number for number in chosen):02x}"


def _action_fields(action: str, ptype: int) -> dict[str, str]:
    sockets = sockets_of(action)
    name = action[:-2] if sockets else action
    for verb in verbs(ptype):
        if name == VERBS[verb] and bool(sockets) == has_sockets(ptype):
            return {"verb": verb} | {f"socket-{each}": "yes" for each in sockets}
    return {"verb": "own", "action": action}


def _read_moment(form: Mapping[str, str], now: int) -> str:
    try:
        moment = datetime.fromisoformat(form.get("moment", ""))
    except ValueError:
        raise ApiError(400, "a date and a time are needed") from None
    moment = moment.replace(tzinfo=ZoneInfo(read_zone(form)))
    if moment.timestamp() <= now:
        raise ApiError(400, "that moment is over")
    return moment.strftime("%Y%m%d%H%M%S")


def _read_clock(text: str) -> str:
    if (found := _CLOCK.fullmatch(text)) is None:
        raise ApiError(400, "a time is needed")
    return f"{found[1]}{found[2]}{found[3] or '00'}"
