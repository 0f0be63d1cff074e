"""The last command of each device of an account, kept over restarts: the cloud keeps none."""

from collections.abc import Container
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store

from .const import DOMAIN

VERSION = 1
# Seconds from the first change that is not saved to the writing of the file, which is
# done within a second: that much an unclean end may cost.
SAVE_DELAY = 0.9


class StateStore:
    """A file in Home Assistant's storage, one for each config entry.

    It holds `{subentry id: {"is_on": bool}}`.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Know nothing yet; `async_load` reads the file."""
        self._states: dict[str, bool] = {}
        self._unsaved = False
        self._store = Store[dict[str, Any]](
            hass, VERSION, f"{DOMAIN}.{entry_id}", atomic_writes=True
        )

    async def async_load(self, subentry_ids: Container[str]) -> None:
        """Read what is stored of these devices; what this class never wrote is ignored."""
        stored = await self._store.async_load()
        for subentry_id, state in (stored or {}).items():
            is_on = state.get("is_on") if isinstance(state, dict) else None
            if subentry_id in subentry_ids and isinstance(is_on, bool):
                self._states[subentry_id] = is_on

    @callback
    def get(self, subentry_id: str) -> bool | None:
        """Return whether the last command turned the device on, None before any."""
        return self._states.get(subentry_id)

    @callback
    def async_set(self, subentry_id: str, is_on: bool) -> None:
        """Remember a command; it is saved within a second."""
        self._states[subentry_id] = is_on
        self._async_schedule_save()

    @callback
    def async_forget(self, subentry_id: str) -> None:
        """Forget a device that was removed."""
        if self._states.pop(subentry_id, None) is not None:
            self._async_schedule_save()

    async def async_flush(self) -> None:
        """Save now what is not saved yet; when Home Assistant stops, at the end of that."""
        if self._unsaved:
            await self._store.async_save(self._data_to_save())

    async def async_remove(self) -> None:
        """Remove the file."""
        await self._store.async_remove()

    @callback
    def _async_schedule_save(self) -> None:
        # Not while one is pending: each call would begin the delay anew, and a steady
        # stream of commands would never be saved.
        if not self._unsaved:
            self._unsaved = True
            self._store.async_delay_save(self._data_to_save, SAVE_DELAY)

    @callback
    def _data_to_save(self) -> dict[str, Any]:
        self._unsaved = False
        return {
            subentry_id: {"is_on": is_on} for subentry_id, is_on in self._states.items()
        }
