"""Devices that an account does not list any more: for how long, and whether they are gone."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from time import monotonic
from typing import Final

MISSED_LISTS: Final = 5
MISSING_TIME: Final = 600.0
"""A device that so many lists in a row, over so many seconds, do not have is gone."""


@dataclass(slots=True)
class _Missing:
    """Since when a device is missing, and from how many lists."""

    since: float
    lists: int = 0


class MissingDevices:
    """Tells a device that is gone from one that a list does not have."""

    def __init__(self) -> None:
        """Begin with none missing."""
        self._missing: dict[str, _Missing] = {}

    def note(self, known: AbstractSet[str], listed: AbstractSet[str]) -> set[str]:
        """Note a list, and return those of the known devices that are gone by now.

        A server that has lost its state must not cost anybody a history, so a list that
        has none of the devices known says nothing.

        Args:
            known: the unique ids of the devices that Home Assistant has.
            listed: those of the devices that the account lists.
        """
        if known.isdisjoint(listed):
            return set()
        now = monotonic()
        self._missing = {
            unique_id: self._missing.get(unique_id) or _Missing(now)
            for unique_id in known - listed
        }
        gone = set()
        for unique_id, each in self._missing.items():
            each.lists += 1
            if each.lists >= MISSED_LISTS and now - each.since >= MISSING_TIME:
                gone.add(unique_id)
        return gone
