"""Numbers of samples, and how they are written."""

from collections.abc import Sequence
from math import ceil
from statistics import median

__all__ = ["median", "percentile", "text"]


def percentile(samples: Sequence[float], percent: float) -> float:
    """Return the smallest sample that so many percent of the samples do not exceed."""
    ordered = sorted(samples)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)]


def text(value: float) -> str:
    """Return a number with three significant digits, thousands with a comma."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
