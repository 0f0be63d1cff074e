"""How many pushes are carried out: a flood is refused, and a greater one ends it."""

from collections.abc import Callable
from dataclasses import dataclass

from .errors import FloodError


@dataclass(frozen=True, slots=True, kw_only=True)
class PushLimits:
    """How many pushes are carried out, of a device and of an account.

    A home sends a device some commands a minute, and an automation gone wild some a
    second. What Home Assistant can take, and its recorder store, is far less than what
    a cloud can send.

    Attributes:
        device_rate: pushes a second that a device carries out.
        device_burst: pushes that it carries out at once, after a rest.
        account_rate: pushes a second that all devices of an account carry out.
        account_burst: pushes that they carry out at once, after a rest.
        flood_rate: pushes to one device within a second, carried out or refused, beyond
            which the connection ends.
    """

    device_rate: float = 50
    device_burst: int = 200
    account_rate: float = 500
    account_burst: int = 2000
    flood_rate: int = 1000


class _Bucket:
    """A token bucket, as the one moment at which it will be full again."""

    __slots__ = ("_full_at", "_slack", "_spacing")

    def __init__(self, rate: float, burst: float) -> None:
        self._spacing = 1 / rate
        # Half a token more, for the sums of floats.
        self._slack = (burst - 0.5) / rate
        self._full_at = 0.0

    def take(self, now: float) -> bool:
        """Take a token; return whether there was one."""
        full_at = self._full_at
        if full_at <= now:
            full_at = now
        elif full_at - now > self._slack:
            return False
        self._full_at = full_at + self._spacing
        return True


class AccountPushes:
    """What the devices of an account have in common."""

    def __init__(self, limits: PushLimits | None = None) -> None:
        """Begin with a full burst."""
        self.limits = limits or PushLimits()
        self._bucket = _Bucket(self.limits.account_rate, self.limits.account_burst)

    def take(self, now: float) -> bool:
        """Take one of the account's pushes; return whether there was one."""
        return self._bucket.take(now)


class DevicePushes:
    """Decides on each push of one device, over all its connections."""

    def __init__(
        self, account: AccountPushes, on_refused: Callable[[], None] | None = None
    ) -> None:
        """Begin with a full burst; `on_refused` is called for each push over the limit."""
        limits = account.limits
        self._account = account
        self._on_refused = on_refused
        self._bucket = _Bucket(limits.device_rate, limits.device_burst)
        self._flood_rate = limits.flood_rate
        self._second_began = float("-inf")
        self._in_this_second = 0

    def admit(self, now: float) -> bool:
        """Tell whether a push is carried out, at a time of the loop's.

        Raises:
            FloodError: there are so many that the connection has to end.
        """
        if now - self._second_began >= 1:
            self._second_began = now
            self._in_this_second = 0
        self._in_this_second += 1
        is_flood = self._in_this_second > self._flood_rate
        if not is_flood and self._bucket.take(now) and self._account.take(now):
            return True
        if self._on_refused is not None:
            self._on_refused()
        if is_flood:
            raise FloodError("a flood of commands")
        return False
