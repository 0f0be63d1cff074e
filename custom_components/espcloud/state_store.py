"""What is known of an account's devices and nobody else keeps over a restart."""

from collections.abc import Container, Mapping
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store

from .const import DOMAIN

VERSION = 1
# Seconds from the first change that is not saved to the writing of the file, which is
# done within a second: that much an unclean end may cost.
SAVE_DELAY = 0.9


HARDWARE = "hardware-"
"""Before the unique id of a device that the account has: its key in the file."""


class StateStore:
    """A file in Home Assistant's storage, one for each config entry.

    It holds `{key: {name: value}}`, the key being the id of a virtual device's subentry or,
    of a device that the account has, `HARDWARE` and its unique id.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Know nothing yet; `async_load` reads the file."""
        self._states: dict[str, dict[str, Any]] = {}
        self._unsaved = False
        self._store = Store[dict[str, Any]](
            hass, VERSION, f"{DOMAIN}.{entry_id}", atomic_writes=True
        )

    async def async_load(self, subentry_ids: Container[str]) -> None:
        """Read what is stored of these devices, and of the account's own ones."""
        stored = await self._store.async_load()
        for key, state in (stored or {}).items():
            if isinstance(state, dict) and (
                key in subentry_ids or key.startswith(HARDWARE)
            ):
                self._states[key] = state

    @callback
    def get(self, key: str) -> Mapping[str, Any]:
        """Return what is stored of a device, which may be anything; empty for nothing."""
        return self._states.get(key, {})

    @callback
    def async_set(self, key: str, state: Mapping[str, Any]) -> None:
        """Remember what is known of a device; it is saved within a second."""
        self._states[key] = {**self._states.get(key, {}), **state}
        self._async_schedule_save()

    @callback
    def async_forget(self, key: str) -> None:
        """Forget a device that was removed."""
        if self._states.pop(key, None) is not None:
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
        return dict(self._states)
