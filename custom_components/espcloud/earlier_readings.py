"""What a sensor measured before Home Assistant knew it, by hours (protocol.md §2.7)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

from .backends.account import Account
from .kinds.base import Kind
from .kinds.sensors import Measuring

PAGE: Final = 1000
"""Points of one answer, the most that the cloud gives."""
HOUR: Final = 3600
LONGEST: Final = 365 * 24 * HOUR
"""Seconds: what is older is of no interest to anybody."""


@dataclass(slots=True)
class Hour:
    """What was measured within an hour."""

    values: list[float] = field(default_factory=list)

    @property
    def mean(self) -> float:
        """The mean of the readings."""
        return sum(self.values) / len(self.values)


type Hours = dict[int, Hour]
"""By the epoch second with which the hour begins."""


async def read_earlier(
    account: Account, device_id: int, kind: Kind[Any], *, before: float
) -> dict[str, Hours]:
    """Return a device's earlier readings by the keys of their quantities.

    Every request waits for its turn: it is nothing that anybody waits for.

    Args:
        account: the account.
        device_id: the device.
        kind: what it is, which has to be measuring.
        before: the epoch second before which a full hour has to end.

    Raises:
        CloudError: a request failed.
    """
    assert isinstance(kind, Measuring)
    end = int(before) // HOUR * HOUR
    hours: dict[str, Hours] = {}
    for stream in kind.stored:
        async for at, values in _points(
            account, device_id, stream, start=end - LONGEST, end=end - 1
        ):
            early = kind.seconds_before_at(values)
            begin = int(at - early) // HOUR * HOUR
            state = kind.apply(kind.initial, stream, values)
            for key, reading in kind.readings(state).items():
                of_key = hours.setdefault(key, {})
                of_key.setdefault(begin, Hour()).values.append(reading)
    return hours


async def _points(
    account: Account, device_id: int, stream: str, *, start: int, end: int
) -> AsyncIterator[tuple[int, Any]]:
    """Yield the time and values of the points that are stored, the newest first."""
    offset = 0
    while True:
        await account.async_turn()
        points = await account.async_history(
            device_id, stream, start=start, end=end, count=PAGE, offset=offset
        )
        for point in points:
            yield point.at, point.values
        if len(points) < PAGE:
            return
        offset += PAGE
