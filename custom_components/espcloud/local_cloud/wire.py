"""JSON as the cloud's later generation writes it, and as strictly as it is safe to read it.

Espressif's firmware finds its way in a frame by substrings, so spacing and order are part of the
protocol (protocol.md §3.9): one space after each colon and comma, the top level sorted, nested
records in the order of their fields.
"""

from collections.abc import Iterable
import json
from math import isfinite
from typing import Any

type JsonObject = dict[str, Any]

MAX_DEPTH = 32
"""Nesting that a request may have; beyond it lies only an attack on the parser's stack."""
MAX_CONTAINERS = 10_000
"""Objects and lists that a request may have: parsing a MiB of `[]` would take 300 ms."""
MAX_VALUES = 50_000
"""Commas that a request may have; a thousand datapoints with everything in them have fewer."""


class NotAnObjectError(ValueError):
    """The text is not one JSON object."""


class TooManyValuesError(NotAnObjectError):
    """The text was not parsed, for it would take long."""


class Encoded:
    """A value that is encoded already, as `encode_item` does it."""

    __slots__ = ("text",)

    def __init__(self, text: bytes) -> None:
        """Hold its text."""
        self.text = text


class EncodedList(Encoded):
    """A list whose items are encoded already."""

    __slots__ = ("items",)

    def __init__(self, items: Iterable[bytes]) -> None:
        """Put the items together."""
        self.items = list(items)
        super().__init__(b"[%s]" % b", ".join(self.items))


_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, separators=(", ", ": ")
).encode


def encode(reply: JsonObject) -> bytes:
    """Return the reply as UTF-8 text without a newline, its top level sorted.

    A member may be Encoded.
    """
    reply = {name: reply[name] for name in sorted(reply)}
    if not any(isinstance(value, Encoded) for value in reply.values()):
        return encode_item(reply)
    members = (
        encode_item(name)
        + b": "
        + (value.text if isinstance(value, Encoded) else encode_item(value))
        for name, value in reply.items()
    )
    return b"{%s}" % b", ".join(members)


def encode_item(value: Any) -> bytes:
    """Return a part of a reply as UTF-8 text, its members in the order in which they stand."""
    # A lone surrogate can come in as "\ud800"; it has no UTF-8 form.
    return _encode(value).encode("utf-8", "replace")


def decode(text: bytes | bytearray, *, any_size: bool = False) -> JsonObject:
    """Return the JSON object in `text`.

    Raises NotAnObjectError for anything else: bad UTF-8, bad JSON, another type, NaN and infinities
    (which could never be sent on), numbers too long to convert, nesting beyond MAX_DEPTH. Unless it
    is to take `any_size`, what has too many values is not parsed, and raises TooManyValuesError.
    """
    if not any_size and (
        text.count(b"{") + text.count(b"[") > MAX_CONTAINERS
        or text.count(b",") > MAX_VALUES
    ):
        raise TooManyValuesError
    try:
        value = _decoder.decode(text.decode())
    except (ValueError, RecursionError) as error:
        raise NotAnObjectError from error
    if not isinstance(value, dict):
        raise NotAnObjectError
    if text.count(b"{") + text.count(b"[") > MAX_DEPTH and _is_deeper_than(
        value, MAX_DEPTH
    ):
        raise NotAnObjectError
    return value


def _finite(text: str) -> float:
    """Parse a number with a point or an exponent; 1e999 would become infinity."""
    number = float(text)
    if not isfinite(number):
        raise ValueError(text)
    return number


def _refuse(text: str) -> float:
    """Refuse NaN and the infinities, which Python's parser takes but JSON does not have."""
    raise ValueError(text)


_decoder = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse)


def _is_deeper_than(value: JsonObject, limit: int) -> bool:
    """Say whether a parsed value nests deeper than `limit`, without recursion."""
    level: list[Any] = [value]
    for _ in range(limit):
        below: list[Any] = []
        for item in level:
            children = item.values() if isinstance(item, dict) else item
            below += [child for child in children if isinstance(child, dict | list)]
        if not below:
            return False
        level = below
    return True
