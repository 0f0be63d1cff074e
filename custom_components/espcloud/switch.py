"""Plugs, and the sockets of power strips."""

from abc import abstractmethod
from typing import Any, override

from homeassistant.components.switch import SwitchDeviceClass, SwitchEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import EspCloudConfigEntry, EspCloudCoordinator
from .entity import EspCloudStateEntity
from .kinds import plug, rpc, strip
from .kinds.base import Change
from .kinds.plug import PlugKind, PlugState
from .kinds.rpc import RpcKind, RpcState
from .kinds.strip import StripKind, StripState

# Each device takes its commands in turn; its coordinator sees to that.
PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EspCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the switches of each device that has any."""

    def add(coordinator: EspCloudCoordinator, *switches: SwitchEntity) -> None:
        async_add_entities(
            switches, config_subentry_id=coordinator.registry_subentry_id
        )

    @callback
    def async_add(coordinator: EspCloudCoordinator) -> None:
        match coordinator.kind:
            case PlugKind():
                add(coordinator, EspCloudPlug(coordinator))
            case RpcKind(is_switch=True):
                add(coordinator, EspCloudActionSwitch(coordinator))
            case StripKind():
                add_sockets(coordinator)

    def add_sockets(coordinator: EspCloudCoordinator) -> None:
        """Add sockets as the strip tells how many it has."""
        known = 0

        @callback
        def add_new() -> None:
            nonlocal known
            count = coordinator.data.count
            add(
                coordinator,
                *(EspCloudSocket(coordinator, index) for index in range(known, count)),
            )
            known = max(known, count)

        add_new()
        coordinator.async_on_shutdown(coordinator.async_listen_state(add_new))

    entry.async_on_unload(entry.runtime_data.async_for_each_device(async_add))


class _Switch(EspCloudStateEntity, SwitchEntity):
    """Something with two states."""

    @abstractmethod
    def _change(self, is_on: bool) -> Change[Any]:
        """Return what switches it."""

    @abstractmethod
    def _toggle(self) -> Change[Any]:
        """Return what switches it over, whatever it is."""

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Turn on, and return when the device has acknowledged."""
        await self._async_change(self._change(True), "turn_on")

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Turn off, and return when the device has acknowledged."""
        await self._async_change(self._change(False), "turn_off")

    @override
    async def async_toggle(self, **kwargs: Any) -> None:
        """Switch over from the state at its turn: two in a row are no change."""
        await self._async_change(self._toggle(), "toggle", is_toggle=True)


class EspCloudPlug(_Switch):
    """A plug."""

    _attr_device_class = SwitchDeviceClass.OUTLET
    _attr_name = None

    def __init__(self, coordinator: EspCloudCoordinator) -> None:
        """Name the switch after its device."""
        super().__init__(coordinator, "switch")

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether it is on, None before it has said so."""
        state: PlugState = self.coordinator.data
        return state.is_on

    @override
    def _change(self, is_on: bool) -> Change[Any]:
        return plug.switched(is_on)

    @override
    def _toggle(self) -> Change[Any]:
        return plug.toggled()


class EspCloudSocket(_Switch):
    """A socket of a power strip."""

    _attr_device_class = SwitchDeviceClass.OUTLET
    _attr_translation_key = "socket"

    def __init__(self, coordinator: EspCloudCoordinator, index: int) -> None:
        """Attach to a socket; they count from 0 here, and from 1 for people."""
        super().__init__(coordinator, f"socket-{index}")
        self._index = index
        self._attr_translation_placeholders = {"number": str(index + 1)}

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether it is on, None before the strip has said so."""
        state: StripState = self.coordinator.data
        return state.is_on(self._index)

    @override
    def _change(self, is_on: bool) -> Change[Any]:
        return strip.switched(self._index, is_on)

    @override
    def _toggle(self) -> Change[Any]:
        return strip.toggled(self._index)


class EspCloudActionSwitch(_Switch):
    """A self-made device that two actions switch."""

    _attr_name = None

    def __init__(self, coordinator: EspCloudCoordinator) -> None:
        """Name the switch after its device."""
        super().__init__(coordinator, "switch")

    @property
    @override
    def assumed_state(self) -> bool:
        """Whether nothing but what was sent tells how it is."""
        return not self.coordinator.data.is_answered

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether the last command turned it on, None before any."""
        state: RpcState = self.coordinator.data
        return state.is_on

    @override
    def _change(self, is_on: bool) -> Change[Any]:
        return rpc.turned_on() if is_on else rpc.turned_off()

    @override
    def _toggle(self) -> Change[Any]:
        return rpc.toggled()
