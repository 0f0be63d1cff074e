"""Values of datapoints as texts, and back."""

import json
import re
from typing import Any

_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?")


def shown(value: Any) -> str:
    """Return a value of a datapoint as a text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def value_of(text: str) -> str | float:
    """Return what a person has typed: a number, or else the text."""
    if _NUMBER.fullmatch(text) is None:
        return text
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 1 << 53 else number
