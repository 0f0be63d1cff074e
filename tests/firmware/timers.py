"""The timers that a device runs by itself (protocol.md §3.6, §10.2, 6)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .clock import Clock

_MONDAY = 1388937600
"""Monday, 6 January 2014, 00:00 in Beijing, from which firmware counts weeks."""
_WEEK = 7 * 86400
_MAX_DIGITS, _MAX_ACTION = 10, 14


@dataclass(frozen=True, slots=True)
class Entry:
    """A timer: `f` once at that second, `l` each so many seconds, `w` weekly so long after Monday."""

    kind: str
    seconds: int
    action: str

    def wait(self, now: int) -> int:
        """Return the seconds until it fires; 0 or less is a fixed time that has passed."""
        match self.kind:
            case "f":
                return self.seconds - now
            case "l":
                return self.seconds - now % self.seconds
        return (self.seconds - (now - _MONDAY)) % _WEEK or _WEEK


def parse(text: str, room: int) -> list[Entry]:
    """Return the entries of a text. Raises AssertionError for what overflows a buffer or is no timer.

    Real firmware does not notice: it writes over other memory. `room` is for so many entries.
    """
    entries = []
    for entry in text.split(";") if text else ():
        number, found, action = entry[1:].partition("=")
        assert found and entry[0] in "flw", f"{entry!r} is no timer"
        assert len(number) <= _MAX_DIGITS, f"the number of {entry!r} overflows"
        assert number.isdigit(), f"{entry!r} has no number"
        assert len(action) <= _MAX_ACTION, f"the action of {entry!r} overflows"
        entries.append(Entry(entry[0], int(number), action))
    assert len(entries) <= room, f"{len(entries)} timers overflow the room for {room}"
    return entries


async def run(
    entries: Iterable[Entry], now: int, clock: Clock, perform: Callable[[str], None]
) -> None:
    """Fire timers from epoch second `now` on, until there are none to come.

    It waits for the soonest, and so for ever where that is a fixed time which has passed: as long as
    that is in the list, no other one fires.
    """
    entries = list(entries)
    began = clock.now() - now
    while True:
        waits = [entry.wait(now) for entry in entries]
        if not waits or min(waits) <= 0:
            return
        soonest = min(waits)
        now += soonest
        await clock.sleep(began + now - clock.now())
        for entry, wait in zip(entries, waits, strict=True):
            if wait == soonest:
                perform(entry.action)
