"""The dialog in which a person says what a device of the account is."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentryFlow,
    SubentryFlowContext,
    SubentryFlowResult,
)

from .choices import hardware_unique_id
from .const import CONF_DEVICE, CONF_KIND
from .coordinator import EspCloudCoordinator
from .devices import loaded_devices
from .forms import pick_hardware_form
from .hardware_steps import HardwareSteps
from .identity import Identity
from .kinds import catalog
from .older_dialogs import async_end_older_dialogs


class HardwareChoicesFlow(
    HardwareSteps[SubentryFlowContext, SubentryFlowResult, tuple[str, str]],
    ConfigSubentryFlow,
):
    """Choose what a device is, and how it shows; reconfigure begins to change it."""

    def __init__(self) -> None:
        """Begin with nothing chosen."""
        self._choices: dict[str, Any] = {}

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Begin to change what was chosen."""
        async_end_older_dialogs(self.hass.config_entries.subentries, self)
        self._choices = dict(self._get_reconfigure_subentry().data)
        return await self.async_step_kind()

    @override
    async def _async_finish_kind(
        self, choices: Mapping[str, Any]
    ) -> SubentryFlowResult:
        """Keep what was chosen; the device follows its subentry."""
        kept = {CONF_KIND: self._choices[CONF_KIND], **choices}
        if self.source != SOURCE_RECONFIGURE:
            return await self._async_finish_new(kept)
        subentry = self._get_reconfigure_subentry()
        ids = Identity.from_data(subentry.data).as_data()
        return self.async_update_and_abort(
            self._get_entry(), subentry, data={**ids, **kept}
        )

    @abstractmethod
    async def _async_finish_new(self, kept: dict[str, Any]) -> SubentryFlowResult:
        """Go on with a device that has no subentry yet, and what was chosen for it."""

    @property
    @override
    def _suggested_kind(self) -> str:
        kind: str = self._choices.get(CONF_KIND, catalog.RPC)
        return kind

    @property
    @override
    def _name(self) -> str:
        return self._get_reconfigure_subentry().title


class HardwareSubentryFlow(HardwareChoicesFlow):
    """Choose for a device of the account; `async_step_user` begins."""

    def __init__(self) -> None:
        """Begin with no device."""
        super().__init__()
        self._coordinator: EspCloudCoordinator | None = None

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask which device."""
        devices = loaded_devices(self._get_entry())
        if devices is None:
            return self.async_abort(reason="account_not_loaded")
        offered = {
            str(device_id): each
            for device_id, each in devices.hardware.coordinators.items()
            if each.subentry is None
        }
        if not offered:
            return self.async_abort(reason="no_hardware")
        if user_input is not None:
            self._coordinator = offered[user_input[CONF_DEVICE]]
            return await self.async_step_kind()
        return self.async_show_form(
            step_id="user",
            data_schema=pick_hardware_form(
                {device_id: each.name for device_id, each in offered.items()}
            ),
            last_step=False,
        )

    @override
    async def _async_finish_new(self, kept: dict[str, Any]) -> SubentryFlowResult:
        """Make the subentry."""
        assert self._coordinator is not None
        if self._coordinator.subentry is not None:
            # Another dialog was open.
            return self.async_abort(reason="already_configured")
        return self.async_create_entry(
            title=self._coordinator.name,
            unique_id=hardware_unique_id(self._coordinator),
            data={**self._coordinator.identity.as_data(), **kept},
        )

    @property
    @override
    def _suggested_kind(self) -> str:
        if self._coordinator is not None:
            return self._coordinator.kind.name
        return super()._suggested_kind

    @property
    @override
    def _name(self) -> str:
        if self._coordinator is not None:
            return self._coordinator.name
        return super()._name
