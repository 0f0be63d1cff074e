"""The two lines of Espressif's firmware, where they differ (protocol.md §3.6, §3.9, 10, §10.2)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Build:
    """How a line of firmware behaves.

    Attributes:
        timer_entries: how many timer entries have room; one more writes over other memory.
        fetch_delay: seconds between a push about timers and the request for them.
        misses_pongs: whether it ends a connection on which a ping stayed unanswered until the next.
        restarts_activated: whether it starts anew once it has activated, as lights of NONOS do.
    """

    timer_entries: int
    fetch_delay: float
    misses_pongs: bool
    restarts_activated: bool = False


RTOS = Build(timer_entries=10, fetch_delay=0.0, misses_pongs=False)
NONOS = Build(timer_entries=20, fetch_delay=2.0, misses_pongs=True)
NONOS_LIGHT = Build(
    timer_entries=20, fetch_delay=2.0, misses_pongs=True, restarts_activated=True
)
