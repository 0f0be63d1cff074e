"""Times as the cloud writes and reads them (protocol.md §2.1).

Inside, a time is whole seconds since the epoch. Outside it is the same number for a client that
sent `Time-Zone: Epoch`, else text in the client's zone, else text in Shanghai.
"""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from .errors import bad_request

DEFAULT_ZONE = "Asia/Shanghai"
SHANGHAI = timezone(timedelta(hours=8), DEFAULT_ZONE)
"""China has had no other offset since 1991; written out, it needs no time zone database."""

ZERO_TIME = -62_135_596_800
"""A time that was never set: the zero of the cloud's own language, 1 January of the year 1."""
LAST_TIME = 253_402_214_400
"""The start of 31 December 9999 UTC, the latest time that has a text in every zone."""

type TimeFormat = Callable[[int], int | str]


def time_format(zone: str | None) -> TimeFormat:
    """Return how to write times for a client that sent this `Time-Zone`.

    A zone that nobody knows counts as none: the client asked for times it cannot name, which is no
    reason to refuse what it really came for.
    """
    if zone is not None and zone.lower() == "epoch":
        return _as_epoch
    return _text_format(zone or DEFAULT_ZONE)


def parse_time(text: str, zone: str | None) -> int:
    """Return the epoch seconds of `text`: ISO 8601, `YYYY-MM-DD HH:MM:SS` or epoch seconds.

    A text without an offset is in the client's zone. Raises ApiError 400 for anything else.
    """
    try:
        if text.isdecimal():
            seconds = int(text)
        else:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=zone_of(zone))
            seconds = int(moment.timestamp())
    except (ValueError, OverflowError) as error:
        raise bad_request("a time is YYYY-MM-DD HH:MM:SS or ISO 8601") from error
    if not 0 <= seconds <= LAST_TIME:
        raise bad_request("a time lies between 1970 and 9999")
    return seconds


def local_time(seconds: int, zone: str | None) -> datetime:
    """Return a time in the client's zone, Shanghai where it named none."""
    return datetime.fromtimestamp(seconds, zone_of(zone))


def _as_epoch(seconds: int) -> int:
    return seconds


@lru_cache(maxsize=256)
def _text_format(name: str) -> TimeFormat:
    zone = zone_of(name)
    # Go's zero time in Shanghai shows the local mean time of an old time zone database; what other
    # zones showed is unknown, and some of their mean times lie before year 1.
    zero = "0001-01-01 08:05:57" if zone is SHANGHAI else "0001-01-01 00:00:00"

    def as_text(seconds: int) -> str:
        if seconds == ZERO_TIME:
            return zero
        return datetime.fromtimestamp(seconds, zone).isoformat(" ", "seconds")[:19]

    return as_text


def zone_name(name: str | None) -> str:
    """Return the name of the zone in which a client with this `Time-Zone` writes its times."""
    return name if name and zone_of(name) is not SHANGHAI else DEFAULT_ZONE


@lru_cache(maxsize=256)
def zone_of(name: str | None) -> tzinfo:
    """Return the zone of a `Time-Zone`: Shanghai for none, for `Epoch`, and for unknown ones.

    Names come from strangers, so the outcome is remembered either way.
    """
    if name is None or name in (DEFAULT_ZONE, "Epoch"):
        return SHANGHAI
    try:
        return ZoneInfo(name)
    except LookupError, ValueError, OSError:
        return SHANGHAI
