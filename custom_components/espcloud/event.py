"""Every command that arrives, as an event that automations can start on."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.components.event import EventEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .commands import Command
from .const import (
    ATTR_ACTION,
    ATTR_PARAMETERS,
    CONF_ACTIONS,
    CONF_TURN_OFF_ACTION,
    CONF_TURN_ON_ACTION,
    EVENT_CUSTOM,
    EVENT_TURN_OFF,
    EVENT_TURN_ON,
)
from .coordinator import EspCloudConfigEntry, EspCloudCoordinator
from .entity import EspCloudEntity

# Events only arrive.
PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EspCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up a command event for each device of the account."""

    @callback
    def async_add(coordinator: EspCloudCoordinator) -> None:
        # Only what Home Assistant is gets commands.
        if coordinator.backend.is_virtual:
            async_add_entities(
                [EspCloudCommandEvent(coordinator)],
                config_subentry_id=coordinator.registry_subentry_id,
            )

    entry.async_on_unload(entry.runtime_data.async_for_each_device(async_add))


class EspCloudCommandEvent(EspCloudEntity, EventEntity):
    """The commands of a device, the ones for the light included.

    The actions of the person's own are types of their own, under their own names.
    """

    _attr_translation_key = "command"
    _attr_event_types = [EVENT_TURN_ON, EVENT_TURN_OFF, EVENT_CUSTOM]

    def __init__(self, coordinator: EspCloudCoordinator) -> None:
        """Attach to the device."""
        super().__init__(coordinator, "command")
        self._names: Mapping[str, Any] = {}
        self._own_actions: list[str] = []
        self._take_own_actions()

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for as long as the entity is there."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self.coordinator.async_listen_commands(self._async_handle_command)
        )

    @property
    @override
    def available(self) -> bool:
        """Always: what comes back after an outage would look like a new command."""
        return True

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Take over what may have changed in the subentry."""
        self._take_own_actions()
        super()._handle_coordinator_update()

    def _take_own_actions(self) -> None:
        subentry = self.coordinator.subentry
        assert subentry is not None
        self._names = subentry.data
        self._own_actions = self._names.get(CONF_ACTIONS, [])
        self._attr_event_types = [
            EVENT_TURN_ON,
            EVENT_TURN_OFF,
            EVENT_CUSTOM,
            *self._own_actions,
        ]

    @callback
    def _async_handle_command(self, command: Command) -> None:
        """Fire the event."""
        names = self._names
        if command.action == names[CONF_TURN_ON_ACTION]:
            event_type = EVENT_TURN_ON
        elif command.action == names[CONF_TURN_OFF_ACTION]:
            event_type = EVENT_TURN_OFF
        elif command.action in self._own_actions:
            event_type = command.action
        else:
            event_type = EVENT_CUSTOM
        self.async_set_context(self.coordinator.context)
        self._trigger_event(
            event_type,
            {ATTR_ACTION: command.action, ATTR_PARAMETERS: command.parameters},
        )
        self.async_write_ha_state()
