"""The cloud's LED actions as a light."""

from typing import Any, override

from homeassistant.components.light import ColorMode, LightEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import EspCloudConfigEntry, EspCloudCoordinator
from .entity import EspCloudEntity

# The cloud takes commands in any order and number; each waits for its own answer.
PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EspCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up a light for each device of the account."""

    @callback
    def async_add(coordinator: EspCloudCoordinator) -> None:
        async_add_entities(
            [EspCloudLight(coordinator)],
            config_subentry_id=coordinator.subentry.subentry_id,
        )

    entry.async_on_unload(entry.runtime_data.async_for_each_device(async_add))


class EspCloudLight(EspCloudEntity, LightEntity):
    """A light whose state is the last command that arrived. It never guesses."""

    _attr_name = None
    _attr_color_mode = ColorMode.ONOFF
    _attr_supported_color_modes = {ColorMode.ONOFF}

    def __init__(self, coordinator: EspCloudCoordinator) -> None:
        """Name the light after its device."""
        super().__init__(coordinator, "light")

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the commands for as long as the entity is there."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self.coordinator.async_listen_state(self._async_handle_state)
        )

    @callback
    def _async_handle_state(self) -> None:
        """Write the state, and whose doing it is.

        Home Assistant would credit it to whoever pressed the light last.
        """
        self.async_set_context(self.coordinator.context)
        self.async_write_ha_state()

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether the last command turned the light on, None before any command."""
        return self.coordinator.data.is_on

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Turn on, and return when the device has acknowledged."""
        await self.coordinator.async_turn(True, self._context)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Turn off, and return when the device has acknowledged."""
        await self.coordinator.async_turn(False, self._context)
