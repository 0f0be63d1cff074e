"""Timers in plain words (protocol.md §2.9)."""

from collections.abc import Sequence
import re

from local_cloud.wire import JsonObject

from .languages import Texts

SOCKETS = 8
"""Sockets of a power strip that two hexadecimal digits name."""
VERBS = {"on": "on_switch", "off": "off_switch", "over": "on_off_switch"}
"""What plugs do, by how the texts and the fields of a form call it."""
_ACTION = re.compile(r"(?P<verb>on|off|on_off)_switch(?P<sockets>[0-9a-fA-F]{2})?")
_WEEK = 7


def sentences(plan: JsonObject, t: Texts) -> list[str]:
    """Return what a timer does: a sentence for each of its moments."""
    if plan["type"] == "LOOP_PERIOD":
        count, unit = plan["time"], plan["period"]
        name = f"timers.every.{unit}" + ("" if count == 1 else "s")
        return [t(name, count=count, action=action_words(plan["action"], t))]
    found = []
    for moment in plan["time_actions"]:
        action, time = action_words(moment["action"], t), moment["time"]
        if plan["type"] == "FIXEDTIME":
            date = f"{time[:4]}-{time[4:6]}-{time[6:8]}"
            text = t("timers.once", date=date, time=clock(time[8:]), action=action)
        elif len(plan["weekdays"]) == _WEEK:
            text = t("timers.daily", time=clock(time), action=action)
        else:
            # A week begins on Monday; the apps count its days from Sunday, 0.
            days = sorted(plan["weekdays"], key=lambda day: (day - 1) % _WEEK)
            names = joined([t(f"day.{day}") for day in days], t)
            text = t("timers.weekly", days=names, time=clock(time), action=action)
        found.append(text)
    return found


def action_words(action: str, t: Texts) -> str:
    """Return what an action does, where it is one that plugs and strips know."""
    found = _ACTION.fullmatch(action)
    if found is None:
        return t("timers.action.own", action=action)
    verb = "over" if found["verb"] == "on_off" else found["verb"]
    numbers = sockets_of(action)
    if not numbers:
        return t(f"timers.action.{verb}")
    name = f"timers.action.{verb}_socket" + ("" if len(numbers) == 1 else "s")
    return t(name, sockets=joined([str(number) for number in numbers], t))


def sockets_of(action: str) -> list[int]:
    """Return the sockets of a power strip that an action names, the first one being 1."""
    found = _ACTION.fullmatch(action)
    mask = int(found["sockets"], 16) if found and found["sockets"] else 0
    return [number + 1 for number in range(SOCKETS) if mask >> number & 1]


def clock(digits: str) -> str:
    """Return hhmmss as a person writes it, without seconds where there are none."""
    hours, minutes, seconds = digits[:2], digits[2:4], digits[4:6]
    return f"{hours}:{minutes}" + ("" if seconds == "00" else f":{seconds}")


def joined(names: Sequence[str], t: Texts) -> str:
    """Return "a, b and c"."""
    if len(names) < 2:
        return "".join(names)
    return t("list.and", first=t("list.comma").join(names[:-1]), last=names[-1])
