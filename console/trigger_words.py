"""Triggers in plain words (protocol.md §2.9)."""

from local_cloud.models import DIMENSIONS
from local_cloud.wire import JsonObject

from .languages import Texts

FUNCTIONS = {1: "sum", 2: "max", 3: "min", 4: "avg", 5: "median"}
SIGNS = {1: "=", 2: "≠", 3: ">", 4: "≥", 5: "<", 6: "≤"}
SPANS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
"""Units of an interval, in seconds."""


def sentence(rule: JsonObject, t: Texts) -> str:
    """Return what a trigger waits for."""
    values = {
        "value": DIMENSIONS[rule["dimension_index"]],
        "stream": rule["stream_name"],
        "sign": SIGNS[rule["compare_type"]],
        "threshold": number_text(rule["threshold_value"]),
    }
    if not rule["interval"]:
        return t("triggers.each", **values)
    count, unit = split_interval(rule["interval"])
    span = t(f"span.{unit}" + ("" if count == 1 else "s"), count=count)
    function = t(f"triggers.function.{FUNCTIONS[rule['interval_func']]}")
    return t("triggers.over", function=function, span=span, **values)


def recipients(rule: JsonObject, t: Texts) -> str:
    """Return whose apps are told."""
    scopes = dict.fromkeys(each["scope"] for each in rule["notify_rules"])
    if not scopes:
        return t("triggers.tells_nobody")
    names = t("list.comma").join(t(f"triggers.scope.{scope}") for scope in scopes)
    return t("triggers.tells", names=names)


def split_interval(seconds: int) -> tuple[int, str]:
    """Return an interval in the largest unit in which it is a whole number."""
    for unit, length in reversed(SPANS.items()):
        if seconds and seconds % length == 0:
            return seconds // length, unit
    return seconds, "second"


def number_text(value: float) -> str:
    """Return a number as a person types it."""
    return f"{value:.15g}"
