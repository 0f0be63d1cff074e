"""How many requests the cloud allows, as the heads of its answers say (protocol.md §2.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, Self

from .fields import LAST_TIME, whole_number

LEAST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 3600.0
"""Seconds: whatever a server says, nobody waits longer before they ask again."""


@dataclass(frozen=True, slots=True)
class RateLimits:
    """What the last answer with such headers said; None for what it did not.

    Attributes:
        limit: requests of a window.
        remaining: those that are left of them.
        reset: when the next window begins, in epoch seconds.
    """

    limit: int | None
    remaining: int | None
    reset: int | None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Self | None:
        """Read the headers of an answer; None where there are none of these."""
        limits = cls(
            limit=_count(headers, "X-RateLimit-Limit"),
            remaining=_count(headers, "X-RateLimit-Remaining"),
            reset=_count(headers, "X-RateLimit-Reset"),
        )
        return None if limits == cls(None, None, None) else limits


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return in how many seconds to ask again, from 1 to 3600; None where nothing says so.

    A moment counts from the `Date` of the same answer: this side's clock may be wrong.
    """
    said = headers.get("Retry-After", "")
    seconds: float | None = whole_number(said)
    if seconds is None:
        now = _date(headers.get("Date", ""))
        moment = _date(said)
        if moment is None:
            moment = _count(headers, "X-RateLimit-Reset")
        if moment is None or now is None:
            return None
        seconds = moment - now
    return float(min(max(seconds, LEAST_WAIT), LONGEST_WAIT))


def _count(headers: Mapping[str, str], name: str) -> int | None:
    number = whole_number(headers.get(name, "").strip())
    return number if number is not None and number <= LAST_TIME else None


def _date(value: str) -> float | None:
    """Return an HTTP date in epoch seconds."""
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    # Without a zone, or with `-0000`, it is in UTC all the same.
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
