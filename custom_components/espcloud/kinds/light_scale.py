"""On which scale a lamp of the old stream reports its channels (protocol.md §10.2, 4).

All of them take 0 to 22222 at a period of 1000. NONOS reports the same numbers, RTOS
reports 0 to 1023, and nothing but the numbers tells which of them a lamp runs.
"""

from dataclasses import dataclass, replace

type Levels = tuple[int, int, int, int]
"""How bright the LEDs are: red, green, blue, white, each 0 to 255."""

type Channels = tuple[int | None, int | None, int | None, int | None]
"""What a lamp reports of the same, on a scale of its own; None is missing."""

PERIOD = 1000  # µs; the app and this integration set no other
RTOS_MAXIMUM = 1023
LONGEST_PERIOD = 10000


def period_maximum(period: int = PERIOD) -> int:
    """Return the largest number of a channel at a period (protocol.md §4)."""
    return period * 1000 // 45


def to_channel(level: int, period: int = PERIOD) -> int:
    """Return what a level of 0 to 255 is in a command, which rounds up (§10.3)."""
    return -(-level * period_maximum(period) // 255)


def to_level(channel: int, maximum: int) -> int:
    """Return the level, 0 to 255, of a channel on a scale."""
    return min(255, (channel * 255 + maximum // 2) // maximum)


@dataclass(frozen=True, slots=True)
class ReadBack:
    """How the reports of a lamp are to be read, as far as they have shown it.

    Attributes:
        is_rtos: whether they go to 1023, otherwise the period gives their scale.
        proven: whether that is certain, or the best guess so far.
        sent: what the lamp was set to, until a report has confirmed a proven scale.
    """

    is_rtos: bool = False
    proven: bool = False
    sent: Levels | None = None

    def maximum(self, period: int) -> int:
        """Return the number that full brightness is reported as."""
        return RTOS_MAXIMUM if self.is_rtos else period_maximum(period)

    def after_set(self, levels: Levels) -> ReadBack:
        """Return what is known once a lamp has accepted levels."""
        return replace(self, sent=levels if any(levels) else None)

    def learned(self, period: int, channels: Channels) -> ReadBack:
        """Return what is known after a report.

        A lamp that still fades may pass what looks like a proof of the other scale.
        One report alone overturns nothing that is proven, the next one like it does;
        only a number that RTOS cannot report is beyond doubt.
        """
        shown = [channel for channel in channels if channel is not None]
        if not shown:
            return self
        if max(shown) > RTOS_MAXIMUM:
            return ReadBack(is_rtos=False, proven=True)
        if (fits_rtos := self._scale_that_fits(period, channels)) is not None:
            if not self.proven:
                return replace(self, is_rtos=fits_rtos, proven=True)
            if fits_rtos != self.is_rtos:
                return replace(self, proven=False)
            return replace(self, sent=None)
        if not self.proven and RTOS_MAXIMUM in shown and not _is_set(period):
            return replace(self, is_rtos=True)
        return self

    def _scale_that_fits(self, period: int, channels: Channels) -> bool | None:
        """Tell whether what was sent is reported as by RTOS or by NONOS, None: neither.

        The two are never near each other, apart from 0.
        """
        if self.sent is None:
            return None
        pairs = [
            (level, channel)
            for level, channel in zip(self.sent, channels, strict=True)
            if channel is not None
        ]
        if not any(level for level, _ in pairs):
            return None
        if all(
            abs(channel - to_channel(level, period)) <= 1 for level, channel in pairs
        ):
            return False
        full = period_maximum()
        if all(
            # However the firmware rounds, it is less than 1 away.
            abs(channel * full - to_channel(level) * RTOS_MAXIMUM) < full
            for level, channel in pairs
        ):
            return True
        return None


def _is_set(period: int) -> bool:
    """Tell whether some level is 1023 in a command at a period, rounded up or down.

    The app rounds down. At a period of 1000 none is.
    """
    maximum = period_maximum(period)
    level = RTOS_MAXIMUM * 255 // maximum
    return any(
        RTOS_MAXIMUM in (each * maximum // 255, to_channel(each, period))
        for each in (level, level + 1)
    )
