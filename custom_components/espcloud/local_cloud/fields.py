"""Reading the members of a request's body: each with its type, or a 400 that names it."""

from .errors import bad_request
from .wire import JsonObject

MAX_TEXT = 255
"""Characters of a name, an address and the like."""
_MAX_INTEGER = (1 << 63) - 1


def read_text(
    body: JsonObject, name: str, default: str | None = None, *, limit: int = MAX_TEXT
) -> str:
    """Return a text. Raises ApiError 400 where it is missing without default, no text, or too long.

    A lone surrogate, as JSON can write it, has no UTF-8 form: a question mark takes its place.
    """
    value = body.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise bad_request(f"{name} must be a text")
    if len(value) > limit:
        raise bad_request(f"{name} is longer than {limit} characters")
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def read_integer(body: JsonObject, name: str, default: int | None = None) -> int:
    """Return a whole number of 0 or more. Raises ApiError 400 for anything else."""
    value = body.get(name)
    if value is None and default is not None:
        return default
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or not 0 <= value <= _MAX_INTEGER
    ):
        raise bad_request(f"{name} must be a whole number of 0 or more")
    return value


def read_flag(body: JsonObject, name: str, default: int) -> int:
    """Return 0 or 1, given as that or as false or true. Raises ApiError 400 for anything else."""
    value = body.get(name, default)
    if value not in (0, 1) or not isinstance(value, int):
        raise bad_request(f"{name} must be 0 or 1")
    return int(value)


def read_object(body: JsonObject, name: str) -> JsonObject:
    """Return a member that is an object. Raises ApiError 400 for anything else."""
    value = body.get(name)
    if not isinstance(value, dict):
        raise bad_request(f"{name} must be an object")
    return value


def read_objects(body: JsonObject, name: str, *, limit: int) -> list[JsonObject]:
    """Return a list of 1 to `limit` objects. Raises ApiError 400 for anything else."""
    value = body.get(name)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise bad_request(f"{name} must be a list of objects")
    if not 1 <= len(value) <= limit:
        raise bad_request(f"{name} must have 1 to {limit} entries")
    return value
