"""What finds older datapoints, for those who do not know of the database."""

from typing import Protocol

from .models import Datapoint


class History(Protocol):
    """What finds datapoints."""

    async def __call__(
        self, datastream_id: int, *, start: int, end: int, offset: int, count: int
    ) -> list[Datapoint]:
        """Return datapoints of start <= at <= end, the latest first."""
