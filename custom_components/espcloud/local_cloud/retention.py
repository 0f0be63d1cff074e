"""How much is kept of what devices post."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retention:
    """What a datastream keeps: so many datapoints at most, and none that is older."""

    points: int = 10_000
    days: int = 400
