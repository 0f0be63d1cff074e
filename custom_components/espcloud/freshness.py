"""Which answers of a device are worth taking over, while it is being commanded."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

LOOK_AGAIN: Final = 0.5
"""Seconds after a device should have settled at which it is looked at again."""


class Freshness:
    """Knows which questions a command has overtaken, and when a device has settled."""

    def __init__(
        self, hass: HomeAssistant, look: Callable[[], Awaitable[None]]
    ) -> None:
        """Begin with a device that nobody commands; `look` is what asks it."""
        self._hass = hass
        self._look = look
        # How many commands have begun or ended.
        self._commands = 0
        self._cancel: CALLBACK_TYPE | None = None

    @property
    def is_settling(self) -> bool:
        """Whether the device is on its way, and what it says a moment of that."""
        return self._cancel is not None

    def begin_reading(self) -> int:
        """Return what `is_fresh` has to be asked with, for a question of now."""
        return self._commands

    def is_fresh(self, reading: int) -> bool:
        """Tell whether the answer to a question still says how the device is."""
        return reading == self._commands and not self.is_settling

    @contextmanager
    def overtaking(self) -> Iterator[None]:
        """Make what was asked before, or is asked meanwhile, worth nothing."""
        self._commands += 1
        try:
            yield
        finally:
            self._commands += 1

    @callback
    def look_once_settled(self, settles: float) -> None:
        """Look again once a device that takes so many seconds has settled."""
        self.cancel()
        self._cancel = async_call_later(
            self._hass,
            settles + LOOK_AGAIN,
            HassJob(self._async_look, cancel_on_shutdown=True),
        )

    @callback
    def cancel(self) -> None:
        """Leave no timer behind."""
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    async def _async_look(self, _now: datetime) -> None:
        self._cancel = None
        await self._look()
