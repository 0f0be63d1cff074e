"""Fields of what the cloud says, read with care: the far end may send anything."""

from collections.abc import Callable, Mapping
from contextlib import suppress
import math
import re
from typing import Any, Final

from .errors import UnexpectedAnswerError
from .text import printable

LAST_TIME: Final = 253_402_214_400
"""The start of 31 December 9999 UTC, in epoch seconds: later has no date in every zone."""

# What fits into a header, as every token has to.
_TOKEN = re.compile(r"[!-~]+")
_STATUS = re.compile(r"[0-9]{1,9}")
_DIGITS = re.compile(r"[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,3})?")


def integer(value: Any) -> int | None:
    """Return the value where it is a whole number; JSON's true and false are none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def whole_number(value: Any) -> int | None:
    """Return the value where it is a whole number, or the text of one from 0 on."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    return integer(value)


def number(value: Any) -> float | None:
    """Return the value where it is a finite number, untouched, or the text of one.

    The cloud stores values as they came, and third-party firmware posts texts.
    """
    if isinstance(value, str):
        if not _DECIMAL.fullmatch(value):
            return None
        value = float(value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None


def epoch(value: Any) -> int | None:
    """Return the value where it is a time in epoch seconds from 1970 to 9999."""
    seconds = whole_number(value)
    return seconds if seconds is not None and 0 <= seconds <= LAST_TIME else None


def flag(value: Any, default: bool) -> bool:
    """Return what a 1 or 0, a true or false says, and the default for anything else."""
    match value:
        case bool() | 0 | 1:
            return bool(value)
        case "0" | "1" | "false" | "true":
            return value in ("1", "true")
    return default


def status_of(answer: Mapping[str, Any], default: int = 200) -> int:
    """Return an answer's `status`, a number or a numeric text (protocol.md §2.1).

    Raises:
        UnexpectedAnswerError: `status` is neither.
    """
    status = answer.get("status", default)
    if isinstance(status, str) and _STATUS.fullmatch(status):
        return int(status)
    if (number := integer(status)) is None:
        raise UnexpectedAnswerError("an answer without a usable status")
    return number


def refuses_key(status: int, answer: Mapping[str, Any]) -> bool:
    """Tell whether an answer means that the key is not valid.

    The cloud says so with status 500 and a text (protocol.md §2.2); 401 and 403 are
    what any other server of this API would use.
    """
    return status in (401, 403) or "key not exists" in str(answer.get("message", ""))


def record(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a record within another; raises UnexpectedAnswerError without it."""
    found = parent.get(name)
    if not isinstance(found, dict):
        raise UnexpectedAnswerError(f"an answer without {name}")
    return found


def record_or_none(parent: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """Return a record that may be missing; raises UnexpectedAnswerError on another type."""
    # Go, which the later cloud is written in, spells a record that is not there `null`.
    return None if parent.get(name) is None else record(parent, name)


def read_each[RecordT](
    answer: Mapping[str, Any],
    name: str,
    read: Callable[[Mapping[str, Any]], RecordT],
) -> list[RecordT]:
    """Read a list of records; one that cannot be read must not hide the rest.

    Raises:
        UnexpectedAnswerError: there is no list at all.
    """
    records = answer.get(name)
    if not isinstance(records, list):
        raise UnexpectedAnswerError(f"an answer without {name}")
    found = []
    for each in records:
        if isinstance(each, dict):
            with suppress(UnexpectedAnswerError):
                found.append(read(each))
    return found


def text(parent: Mapping[str, Any], name: str) -> str:
    """Return a text as it is meant, "" where there is none."""
    value = parent.get(name)
    # The cloud escapes quotes in texts; of nothing else is it known (protocol.md §2.1).
    return value.replace("&quot;", '"') if isinstance(value, str) else ""


def shown_text(parent: Mapping[str, Any], name: str) -> str:
    """Return a text that is fit to be shown, "" where there is none."""
    return printable(text(parent, name))


def token(parent: Mapping[str, Any]) -> str:
    """Return the `token` of a key, "" where there is none that could be sent."""
    value = text(parent, "token")
    return value if _TOKEN.fullmatch(value) else ""


def identifier(parent: Mapping[str, Any], name: str = "id") -> int:
    """Return an id; raises UnexpectedAnswerError without one."""
    value = integer(parent.get(name))
    if value is None:
        raise UnexpectedAnswerError(f"an answer without a usable {name}")
    return value
