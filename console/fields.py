"""What people type into fields that more than one form has."""

from collections.abc import Mapping

from local_cloud.device_types import PTYPES
from local_cloud.errors import ApiError

_MOST_ID = 10**15 - 1


def read_number(text: str, least: int, most: int) -> int:
    """Return a number from `least` to `most`. Raises ApiError 400 for anything else."""
    if (
        text.isascii()
        and text.isdecimal()
        and len(text) <= len(str(most))
        and least <= int(text) <= most
    ):
        return int(text)
    raise ApiError(400, f"a number from {least} to {most} is wanted")


def read_id(form: Mapping[str, str], name: str) -> int:
    """Return the id of a record in a field. Raises ApiError 400 for what is none."""
    return read_number(form.get(name, ""), 0, _MOST_ID)


def read_ptype(form: Mapping[str, str]) -> int:
    """Return the kind that was chosen, or the number that was typed for another one.

    Raises ApiError 400 where neither is there.
    """
    chosen = form.get("kind", "")
    if chosen in PTYPES:
        return PTYPES[chosen]
    return read_number(form.get("ptype", ""), 0, 2**31 - 1)


def read_name(form: Mapping[str, str]) -> str:
    """Return the name. Raises ApiError 400 where there is none."""
    if not (name := form.get("name", "").strip()):
        raise ApiError(400, "name must not be empty")
    return name
