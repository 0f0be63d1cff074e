"""The form of a trigger: from its fields to what the API takes, and back (protocol.md §2.9)."""

from collections.abc import Mapping
from math import isfinite

from local_cloud.errors import ApiError
from local_cloud.models import DIMENSIONS
from local_cloud.trigger_rules import MAX_INTERVAL
from local_cloud.wire import JsonObject

from .fields import read_name, read_number
from .trigger_words import FUNCTIONS, SIGNS, SPANS, number_text, split_interval

SCOPES = ("me", "owner", "user")
"""Whose apps may be told: who made the trigger, the owner, everybody with a key."""
NEW = {
    "span": "0",
    "unit": "minute",
    "function": "2",
    "comparison": "3",
    "scope-me": "yes",
}
"""The fields of a form that nobody has filled in."""


def read_rule(form: Mapping[str, str], kept: JsonObject | None = None) -> JsonObject:
    """Return a trigger's members. Raises ApiError 400 for what is none.

    Whom to tell is as in the trigger that is `kept`, for those who are told already.
    """
    if (unit := form.get("unit", "")) not in SPANS:
        raise ApiError(400, "choose a unit")
    span = read_number(form.get("span", ""), 0, MAX_INTERVAL // SPANS[unit])
    told = {each["scope"]: each for each in kept["notify_rules"]} if kept else {}
    return {
        "name": read_name(form),
        "stream_name": form.get("stream", "").strip(),
        "dimension_index": read_number(
            form.get("dimension", "0"), 0, len(DIMENSIONS) - 1
        ),
        "interval": span * SPANS[unit],
        "interval_func": read_number(form.get("function", ""), 1, len(FUNCTIONS)),
        "compare_type": read_number(form.get("comparison", ""), 1, len(SIGNS)),
        "threshold_value": _read_threshold(form.get("threshold", "")),
        "notify_rules": [
            told.get(scope, {"scope": scope, "via": "app"})
            for scope in SCOPES
            if f"scope-{scope}" in form
        ],
    }


def fields_of(rule: JsonObject) -> dict[str, str]:
    """Return the fields of a trigger."""
    span, unit = split_interval(rule["interval"])
    return {
        "name": rule["name"],
        "stream": rule["stream_name"],
        "dimension": str(rule["dimension_index"]),
        "span": str(span),
        "unit": unit,
        "function": str(rule["interval_func"]),
        "comparison": str(rule["compare_type"]),
        "threshold": number_text(rule["threshold_value"]),
        **{f"scope-{each['scope']}": "yes" for each in rule["notify_rules"]},
    }


def _read_threshold(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise ApiError(400, "threshold_value must be a number")
    return value
