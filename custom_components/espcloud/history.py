"""What happened to a device's connection, for the diagnostics."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from homeassistant.util import dt as dt_util

REMEMBERED = 20


@dataclass(slots=True)
class ConnectionHistory:
    """The latest events, oldest first: when, and what.

    Only the client's own words go in here; they hold no secret (`cloud/errors.py`).
    """

    events: deque[tuple[datetime, str]] = field(
        default_factory=lambda: deque(maxlen=REMEMBERED)
    )

    def note(self, what: str) -> None:
        """Add an event that happens now."""
        self.events.append((dt_util.utcnow(), what))

    def as_list(self) -> list[dict[str, Any]]:
        """Return the events in a form that can be written as JSON."""
        return [{"at": at.isoformat(), "event": what} for at, what in self.events]
