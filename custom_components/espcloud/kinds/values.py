"""Reads single values of a datapoint: the far end may send anything."""

from math import isfinite


def number(value: object) -> float | None:
    """Return the value where it is a finite number; JSON's true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        as_float = float(value)
    except OverflowError:  # JSON's whole numbers have no limit
        return None
    return as_float if isfinite(as_float) else None


def whole(value: object) -> int | None:
    """Return the value where it is a whole number, 1.0 included."""
    as_float = number(value)
    return int(as_float) if as_float is not None and as_float.is_integer() else None
