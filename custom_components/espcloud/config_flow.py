"""The dialogs of the entries: an account at a cloud, or the cloud itself."""

from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.core import callback

from .account_steps import AccountSteps
from .adopt_steps import AdoptSteps
from .const import (
    DOMAIN,
    SUBENTRY_TYPE_DEVICE,
    SUBENTRY_TYPE_HARDWARE,
    SUBENTRY_TYPE_LOCAL,
)
from .device_flow import DeviceSubentryFlow
from .entries import is_local, local_entry
from .firmware_flow import FirmwareOptionsFlow
from .hardware_flow import HardwareSubentryFlow
from .local_device_flow import LocalDeviceSubentryFlow
from .local_steps import LocalSteps
from .options_flow import EspCloudOptionsFlow


class EspCloudConfigFlow(AccountSteps, LocalSteps, AdoptSteps, domain=DOMAIN):
    """Add or change an account, or be the cloud and take in what knocks there."""

    VERSION = 1
    MINOR_VERSION = 1

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return the dialogs of an account's devices, or of the cloud's."""
        if is_local(config_entry):
            return {SUBENTRY_TYPE_LOCAL: LocalDeviceSubentryFlow}
        return {
            SUBENTRY_TYPE_DEVICE: DeviceSubentryFlow,
            SUBENTRY_TYPE_HARDWARE: HardwareSubentryFlow,
        }

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the dialog of what an account shows, or of the cloud's firmware."""
        if is_local(config_entry):
            return FirmwareOptionsFlow()
        return EspCloudOptionsFlow()

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which cloud: one somewhere, or Home Assistant itself."""
        if local_entry(self.hass) is not None:
            # There is no second one.
            return await self.async_step_account()
        return self.async_show_menu(step_id="user", menu_options=["account", "local"])

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Change the account, or the cloud."""
        if is_local(self._get_reconfigure_entry()):
            return await self.async_step_local_reconfigure(user_input)
        return await self._async_reconfigure_account(user_input)
