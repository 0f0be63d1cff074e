"""Lamps: those that Home Assistant is, and those that the account has."""

from abc import abstractmethod
from typing import Any, override

from homeassistant.components.light import (
    ATTR_BRIGHTNESS,
    ATTR_RGB_COLOR,
    ATTR_RGBW_COLOR,
    ATTR_WHITE,
    ColorMode,
    LightEntity,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import EspCloudConfigEntry, EspCloudCoordinator
from .entity import EspCloudStateEntity
from .kinds import light as lights, rpc
from .kinds.base import Change
from .kinds.lamp import LampKind, LampShows
from .kinds.light import LightState, NewLightKind, OldLightKind
from .kinds.rpc import RpcKind, RpcState

_LAMP_MODES = {
    LampShows.ONOFF: ColorMode.ONOFF,
    LampShows.BRIGHTNESS: ColorMode.BRIGHTNESS,
    LampShows.COLOR: ColorMode.RGB,
}

# Each device takes its commands in turn; its coordinator sees to that.
PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EspCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up a light for each device that is one."""

    @callback
    def async_add(coordinator: EspCloudCoordinator) -> None:
        light: EspCloudLight
        match coordinator.kind:
            case LampKind():
                light = EspCloudLamp(coordinator)
            case OldLightKind() | NewLightKind():
                light = EspCloudColorLight(coordinator)
            case RpcKind(is_switch=False):
                light = EspCloudActionLight(coordinator)
            case _:
                return
        async_add_entities([light], config_subentry_id=coordinator.registry_subentry_id)

    entry.async_on_unload(entry.runtime_data.async_for_each_device(async_add))


class EspCloudLight(EspCloudStateEntity, LightEntity):
    """A light. It never guesses: its state is what the device said or acknowledged."""

    _attr_name = None

    def __init__(self, coordinator: EspCloudCoordinator) -> None:
        """Name the light after its device."""
        super().__init__(coordinator, "light")

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Turn on, and return when the device has acknowledged."""
        await self._async_change(self._turned_on(**kwargs), "turn_on")

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Turn off, and return when the device has acknowledged."""
        await self._async_change(self._turned_off(), "turn_off")

    @abstractmethod
    def _turned_on(self, **kwargs: Any) -> Change[Any]:
        """Return the change that turns on, with what Home Assistant asks for."""

    @abstractmethod
    def _turned_off(self) -> Change[Any]:
        """Return the change that turns off."""


class _StateLight(EspCloudLight):
    """A light with the state that lights have at the cloud."""

    @property
    def _state(self) -> LightState:
        state: LightState = self.coordinator.data
        return state

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether it is on, None while nobody has said it."""
        return self._state.is_on

    @property
    @override
    def brightness(self) -> int:
        """How bright it is when it is on."""
        return self._state.brightness

    @property
    @override
    def rgb_color(self) -> tuple[int, int, int]:
        """Its color when it is on."""
        return self._state.color

    @override
    def _turned_on(self, **kwargs: Any) -> Change[LightState]:
        return lights.turned_on(
            kwargs.get(ATTR_BRIGHTNESS),
            rgb=kwargs.get(ATTR_RGB_COLOR),
            rgbw=kwargs.get(ATTR_RGBW_COLOR),
            white=kwargs.get(ATTR_WHITE),
        )

    @override
    def _turned_off(self) -> Change[LightState]:
        return lights.turned_off()


class EspCloudLamp(_StateLight):
    """The light that follows the commands for a device that Home Assistant is."""

    def __init__(self, coordinator: EspCloudCoordinator) -> None:
        """Show what a person chose."""
        super().__init__(coordinator)
        self._take_mode()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Take over what may have changed in the subentry."""
        self._take_mode()
        super()._handle_coordinator_update()

    def _take_mode(self) -> None:
        # Not as a property: Home Assistant asks for it many times for each state.
        kind = self.coordinator.kind
        assert isinstance(kind, LampKind)
        mode = _LAMP_MODES[kind.shows]
        self._attr_color_mode = mode
        self._attr_supported_color_modes = {mode}

    @callback
    @override
    def _async_handle_state(self) -> None:
        """Write the state, and whose doing it is.

        Home Assistant would credit it to whoever pressed the light last.
        """
        self.async_set_context(self.coordinator.context)
        self.async_write_ha_state()


class EspCloudColorLight(_StateLight):
    """A light that the account has."""

    @property
    @override
    def color_mode(self) -> ColorMode:
        """What its color is made of."""
        return ColorMode(self._state.mode)

    @property
    @override
    def supported_color_modes(self) -> set[ColorMode]:
        """What is known that it can: white may show later."""
        kind = self.coordinator.kind
        assert isinstance(kind, OldLightKind | NewLightKind)
        return {ColorMode(mode) for mode in kind.modes(self._state)}

    @property
    @override
    def rgbw_color(self) -> tuple[int, int, int, int]:
        """Its color and white when it is on."""
        return self._state.rgbw


class EspCloudActionLight(EspCloudLight):
    """A self-made device that two actions turn on and off."""

    _attr_color_mode = ColorMode.ONOFF
    _attr_supported_color_modes = {ColorMode.ONOFF}

    @property
    def _state(self) -> RpcState:
        state: RpcState = self.coordinator.data
        return state

    @property
    @override
    def assumed_state(self) -> bool:
        """Whether nothing but what was sent tells how it is."""
        return not self._state.is_answered

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether the last command turned it on, None before any."""
        return self._state.is_on

    @override
    def _turned_on(self, **kwargs: Any) -> Change[RpcState]:
        return rpc.turned_on()

    @override
    def _turned_off(self) -> Change[RpcState]:
        return rpc.turned_off()
