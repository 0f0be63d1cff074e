"""Infrared remote controls."""

import asyncio
from collections.abc import Iterable
from typing import Any, override

from homeassistant.components.remote import (
    ATTR_DELAY_SECS,
    ATTR_DEVICE,
    ATTR_NUM_REPEATS,
    DEFAULT_DELAY_SECS,
    DEFAULT_NUM_REPEATS,
    RemoteEntity,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import EspCloudConfigEntry, EspCloudCoordinator
from .entity import EspCloudEntity
from .errors import invalid_call
from .kinds.remote import RemoteKind, Signal, sent

# Each device takes its commands in turn; its coordinator sees to that.
PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EspCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up a remote for each remote control of the account."""

    @callback
    def async_add(coordinator: EspCloudCoordinator) -> None:
        if isinstance(coordinator.kind, RemoteKind):
            async_add_entities(
                [EspCloudRemote(coordinator)],
                config_subentry_id=coordinator.registry_subentry_id,
            )

    entry.async_on_unload(entry.runtime_data.async_for_each_device(async_add))


class EspCloudRemote(EspCloudEntity, RemoteEntity):
    """A remote control: `device` is the address of what listens, `command` the button."""

    _attr_name = None
    # It has no switch of its own.
    _attr_is_on = True

    def __init__(self, coordinator: EspCloudCoordinator) -> None:
        """Name the remote after its device."""
        super().__init__(coordinator, "remote")

    @override
    async def async_send_command(self, command: Iterable[str], **kwargs: Any) -> None:
        """Send one button after the other, each as often as asked for.

        Raises:
            ServiceValidationError: an address or a button is no number.
            HomeAssistantError: the device did not acknowledge.
        """
        address = _number(kwargs.get(ATTR_DEVICE))
        buttons = [_number(each) for each in command]
        repeats = kwargs.get(ATTR_NUM_REPEATS, DEFAULT_NUM_REPEATS)
        delay = kwargs.get(ATTR_DELAY_SECS, DEFAULT_DELAY_SECS)
        for index, button in enumerate(buttons):
            if index:
                await asyncio.sleep(delay)
            await self.coordinator.async_change(
                sent(Signal(address, button, max(repeats - 1, 0))),
                action="send_command",
                context=self._context,
            )

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Refuse: it has no switch of its own."""
        raise invalid_call("remote_has_no_switch")

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Refuse: it has no switch of its own."""
        raise invalid_call("remote_has_no_switch")


def _number(text: str | None) -> int:
    """Return a number as people write those of remote controls: 12, 0x0C."""
    try:
        number = int(text or "", 0)
    except ValueError:
        number = -1
    if not 0 <= number <= 0xFFFFFFFF:
        raise invalid_call("bad_signal", value=text or "")
    return number
