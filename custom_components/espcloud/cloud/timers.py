"""A device's timers, as their user writes them (protocol.md §2.9).

The device runs them itself. Their times are those of a clock on the wall, in the zone
that the call which set them named.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
import re
from typing import Any, Self

from .errors import UnexpectedAnswerError
from .fields import flag, identifier, integer, shown_text, text, whole_number

_MOMENT = re.compile(r"[0-9]{14}")
_TIME_OF_DAY = re.compile(r"[0-9]{6}")


class LoopPeriod(StrEnum):
    """The unit of a LoopTimer."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class FixedAction:
    """What to do at one moment.

    Attributes:
        at: the moment in the timer's zone; it carries no zone of its own.
        action: such as `on_switch`.
    """

    at: datetime
    action: str

    def __post_init__(self) -> None:
        """Refuse a time with a zone: it would be sent as if it were in the timer's."""
        if self.at.tzinfo is not None:
            raise ValueError("a timer's moment has no zone of its own")

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Read one of `time_actions`; raises UnexpectedAnswerError."""
        return cls(_read_time(record, _MOMENT, "%Y%m%d%H%M%S"), _read_action(record))

    def record(self) -> dict[str, Any]:
        """Return it as it is sent."""
        return {"time": f"{self.at:%Y%m%d%H%M%S}", "action": self.action}


@dataclass(frozen=True, slots=True)
class WeeklyAction:
    """What to do at one time of a day.

    Attributes:
        at: the time of the day in the timer's zone.
        action: such as `on_switch`.
    """

    at: time
    action: str

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Read one of `time_actions`; raises UnexpectedAnswerError."""
        moment = _read_time(record, _TIME_OF_DAY, "%H%M%S")
        return cls(moment.time(), _read_action(record))

    def record(self) -> dict[str, Any]:
        """Return it as it is sent."""
        return {"time": f"{self.at:%H%M%S}", "action": self.action}


@dataclass(frozen=True, slots=True)
class FixedTimer:
    """Acts once at each of some moments.

    Attributes:
        actions: what to do when.
        id: its number; None for one that the cloud does not know yet.
        time_zone: the zone of its times where the server says it, which is not sent.
    """

    actions: tuple[FixedAction, ...]
    id: int | None = None
    time_zone: str = ""

    @classmethod
    def from_record(cls, timer: Mapping[str, Any]) -> Self:
        """Read a timer; raises UnexpectedAnswerError."""
        actions = _read_actions(timer, FixedAction.from_record)
        return cls(actions, identifier(timer), shown_text(timer, "time_zone"))

    def record(self) -> dict[str, Any]:
        """Return it as it is sent, without the id."""
        actions = [each.record() for each in self.actions]
        return {"type": "FIXEDTIME", "time_actions": actions}


@dataclass(frozen=True, slots=True)
class LoopTimer:
    """Acts again and again.

    Attributes:
        every: how many periods lie between, from 1 on.
        period: the unit of that.
        action: what to do, such as `on_off_switch`.
        id: its number; None for one that the cloud does not know yet.
        time_zone: the zone it was set in where the server says it; it means nothing here.
    """

    every: int
    period: LoopPeriod
    action: str
    id: int | None = None
    time_zone: str = ""

    @classmethod
    def from_record(cls, timer: Mapping[str, Any]) -> Self:
        """Read a timer; raises UnexpectedAnswerError."""
        every = whole_number(timer.get("time"))
        period = text(timer, "period")
        if every is None or every < 1 or period not in LoopPeriod:
            raise UnexpectedAnswerError("a timer without a usable period")
        return cls(
            every,
            LoopPeriod(period),
            _read_action(timer),
            identifier(timer),
            shown_text(timer, "time_zone"),
        )

    def record(self) -> dict[str, Any]:
        """Return it as it is sent, without the id."""
        return {
            "type": "LOOP_PERIOD",
            "period": self.period.value,
            "time": self.every,
            "action": self.action,
        }


@dataclass(frozen=True, slots=True)
class WeeklyTimer:
    """Acts at some times of some days of every week.

    Attributes:
        weekdays: the days from 0, which is Sunday, to 6.
        actions: what to do when on each of them.
        id: its number; None for one that the cloud does not know yet.
        time_zone: the zone of its times where the server says it, which is not sent.
    """

    weekdays: tuple[int, ...]
    actions: tuple[WeeklyAction, ...]
    id: int | None = None
    time_zone: str = ""

    @classmethod
    def from_record(cls, timer: Mapping[str, Any]) -> Self:
        """Read a timer; raises UnexpectedAnswerError."""
        listed = timer.get("weekdays")
        days = [integer(day) for day in listed] if isinstance(listed, list) else []
        weekdays = {day for day in days if day is not None and 0 <= day <= 6}
        if not weekdays or weekdays != set(days):
            raise UnexpectedAnswerError("a timer without usable days")
        actions = _read_actions(timer, WeeklyAction.from_record)
        return cls(
            tuple(sorted(weekdays)),
            actions,
            identifier(timer),
            shown_text(timer, "time_zone"),
        )

    def record(self) -> dict[str, Any]:
        """Return it as it is sent, without the id."""
        return {
            "type": "LOOP_IN_WEEK",
            "weekdays": list(self.weekdays),
            "time_actions": [each.record() for each in self.actions],
        }


@dataclass(frozen=True, slots=True)
class OtherTimer:
    """A timer of another kind, or one that cannot be read in full: it can be deleted.

    Attributes:
        type: the kind as the cloud names it, "" where it does not.
        id: its number.
    """

    type: str
    id: int


type SettableTimer = FixedTimer | LoopTimer | WeeklyTimer
type Timer = SettableTimer | OtherTimer

_READERS: dict[str, Callable[[Mapping[str, Any]], SettableTimer]] = {
    "FIXEDTIME": FixedTimer.from_record,
    "LOOP_PERIOD": LoopTimer.from_record,
    "LOOP_IN_WEEK": WeeklyTimer.from_record,
}


def timers_from_answer(answer: Mapping[str, Any]) -> list[Timer]:
    """Read an answer that holds `timers`.

    Those that are not visible, or have no id, are left out. Part of a timer would be
    worse than none, since changing it would lose the rest: such a one is an OtherTimer.

    Raises:
        UnexpectedAnswerError: there is no list at all.
    """
    records = answer.get("timers")
    if not isinstance(records, list):
        raise UnexpectedAnswerError("an answer without timers")
    return [
        _read(record)
        for record in records
        if isinstance(record, dict)
        and integer(record.get("id")) is not None
        and flag(record.get("visibly"), default=True)
    ]


def _read(timer: Mapping[str, Any]) -> Timer:
    kind = shown_text(timer, "type")
    try:
        if reader := _READERS.get(kind):
            return reader(timer)
    except UnexpectedAnswerError:
        pass
    return OtherTimer(kind, identifier(timer))


def _read_actions[ActionT](
    timer: Mapping[str, Any], read: Callable[[Mapping[str, Any]], ActionT]
) -> tuple[ActionT, ...]:
    records = timer.get("time_actions")
    if not isinstance(records, list) or not records:
        raise UnexpectedAnswerError("a timer without actions")
    if not all(isinstance(record, dict) for record in records):
        raise UnexpectedAnswerError("a timer with an unusable action")
    return tuple(map(read, records))


def _read_action(record: Mapping[str, Any]) -> str:
    action = text(record, "action")
    if not action or not action.isprintable():
        raise UnexpectedAnswerError("a timer without an action")
    return action


def _read_time(
    record: Mapping[str, Any], form: re.Pattern[str], pattern: str
) -> datetime:
    written = text(record, "time")
    try:
        if form.fullmatch(written):
            return datetime.strptime(written, pattern)
    except ValueError:
        pass
    raise UnexpectedAnswerError("a timer with an unusable time")
