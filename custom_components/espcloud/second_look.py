"""Looking at a device again once it should have settled."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

LOOK_AGAIN: Final = 0.5
"""Seconds after a device should have settled at which it is looked at again."""


class SecondLook:
    """A look that is to be taken after a command, one at a time."""

    def __init__(
        self, hass: HomeAssistant, look: Callable[[], Awaitable[None]]
    ) -> None:
        """Plan nothing yet; `look` is what asks the device."""
        self._hass = hass
        self._look = look
        self._cancel: CALLBACK_TYPE | None = None

    @property
    def is_pending(self) -> bool:
        """Whether the device is on its way, and what it says a moment of that."""
        return self._cancel is not None

    @callback
    def plan(self, settles: float) -> None:
        """Look once a device that takes so many seconds has settled."""
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
