"""What a trigger says: when to tell whom that a value of a datastream is out of line (protocol.md §2.9).

In which unit the interval is, and when the cloud tells again, is unknown. Here it is seconds, and 0
stands for each point by itself.
"""

from collections.abc import Callable, Sequence
import operator
from statistics import fmean, median
from typing import Any, TypeGuard

from .errors import ApiError, bad_request
from .fields import read_integer, read_objects, read_text
from .models import DIMENSIONS, Datapoint
from .stream_names import is_stream_name
from .wire import JsonObject

ALARM_STREAM = "alarm_status"
"""The datastream that is meant where none is named, as the app has it."""
MAX_INTERVAL = 30 * 86400
MAX_RULES = 10
"""Rules of a trigger that say whom to tell."""

_FUNCTIONS: dict[int, tuple[str, Callable[[Sequence[float]], float]]] = {
    1: ("sum", sum),
    2: ("max", max),
    3: ("min", min),
    4: ("avg", fmean),
    5: ("median", median),
}
_COMPARISONS: dict[int, tuple[str, Callable[[float, float], bool]]] = {
    1: ("=", operator.eq),
    2: ("≠", operator.ne),
    3: (">", operator.gt),
    4: ("≥", operator.ge),
    5: ("<", operator.lt),
    6: ("≤", operator.le),
}
_SCOPES = ("me", "user", "owner")


def read_rule(entry: JsonObject) -> JsonObject:
    """Return a trigger's members, checked. Raises ApiError 400, or 501 for what is to be mailed."""
    stream = read_text(entry, "stream_name", ALARM_STREAM)
    if not is_stream_name(stream):
        raise bad_request("stream_name must be the name of a datastream")
    interval = read_integer(entry, "interval", 0)
    if interval > MAX_INTERVAL:
        raise bad_request(f"interval must be at most {MAX_INTERVAL} seconds")
    return {
        "name": read_text(entry, "name"),
        "dimension_index": _choice(entry, "dimension_index", range(len(DIMENSIONS)), 0),
        "stream_name": stream,
        "interval": interval,
        "interval_func": _choice(entry, "interval_func", _FUNCTIONS, 2),
        "compare_type": _choice(entry, "compare_type", _COMPARISONS),
        "threshold_value": _number(entry, "threshold_value"),
        "notify_rules": [
            _read_notify_rule(each)
            for each in (
                read_objects(entry, "notify_rules", limit=MAX_RULES)
                if entry.get("notify_rules")
                else []
            )
        ],
    }


def value_of(rule: JsonObject, points: Sequence[Datapoint]) -> float | None:
    """Return what the rule makes of points, None where none of them has such a number."""
    dimension = DIMENSIONS[rule["dimension_index"]]
    values = [
        value for point in points if _is_number(value := point.values.get(dimension))
    ]
    if not values:
        return None
    _, function = _FUNCTIONS[rule["interval_func"]]
    return function(values)


def is_met(rule: JsonObject, value: float) -> bool:
    """Say whether a value is what the rule waits for."""
    _, compare = _COMPARISONS[rule["compare_type"]]
    return compare(value, rule["threshold_value"])


def describe(rule: JsonObject, value: float) -> str:
    """Say to a person what has come about."""
    what = f"{rule['stream_name']} {DIMENSIONS[rule['dimension_index']]}"
    if rule["interval"]:
        what = (
            f"{_FUNCTIONS[rule['interval_func']][0]} of {what} in {rule['interval']} s"
        )
    sign, _ = _COMPARISONS[rule["compare_type"]]
    return f"{rule['name']}: {what} is {value:g} ({sign} {rule['threshold_value']:g})"


def _read_notify_rule(entry: JsonObject) -> JsonObject:
    scope = read_text(entry, "scope", "me")
    if scope not in _SCOPES:
        raise bad_request(f"scope must be one of {', '.join(_SCOPES)}")
    via = read_text(entry, "via", "app")
    if via == "mail":
        raise ApiError(501, "this cloud sends no mail: via must be app")
    if via != "app":
        raise bad_request("via must be app")
    return {
        "scope": scope,
        "via": via,
        "tmpl_token": read_text(entry, "tmpl_token", ""),
    }


def _choice(
    entry: JsonObject,
    name: str,
    choices: range | dict[int, Any],
    default: int | None = None,
) -> int:
    number = read_integer(entry, name, default)
    if number not in choices:
        raise bad_request(f"{name} must be {min(choices)} to {max(choices)}")
    return number


def _number(entry: JsonObject, name: str) -> float:
    value = entry.get(name)
    if not _is_number(value):
        raise bad_request(f"{name} must be a number")
    return value


def _is_number(value: Any) -> TypeGuard[float]:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) < 1e300
    )
