"""The dialog in which a person says what a device of the account is."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowContext,
    SubentryFlowResult,
)

from .choices import hardware_unique_id
from .const import CONF_DEVICE, CONF_KIND
from .coordinator import EspCloudCoordinator
from .devices import EspCloudDevices
from .forms import pick_hardware_form
from .hardware_steps import HardwareSteps
from .identity import Identity
from .older_dialogs import async_end_older_dialogs


class HardwareSubentryFlow(
    HardwareSteps[SubentryFlowContext, SubentryFlowResult, tuple[str, str]],
    ConfigSubentryFlow,
):
    """Choose what a device is, and how it shows; `async_step_user` and reconfigure begin."""

    def __init__(self) -> None:
        """Begin with nothing chosen."""
        self._coordinator: EspCloudCoordinator | None = None
        self._choices: dict[str, Any] = {}

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask which device."""
        devices = self._async_devices()
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
        if self.source == SOURCE_RECONFIGURE:
            subentry = self._get_reconfigure_subentry()
            ids = Identity.from_data(subentry.data).as_data()
            return self.async_update_and_abort(
                self._get_entry(), subentry, data={**ids, **kept}
            )
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
        kind: str = self._choices[CONF_KIND]
        return kind

    @property
    @override
    def _name(self) -> str:
        if self._coordinator is not None:
            return self._coordinator.name
        return self._get_reconfigure_subentry().title

    def _async_devices(self) -> EspCloudDevices | None:
        entry = self._get_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return None
        devices: EspCloudDevices = entry.runtime_data
        return devices
