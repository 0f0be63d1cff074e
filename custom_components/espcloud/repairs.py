"""Repairing what is wrong with a device's key."""

from abc import abstractmethod
from typing import override

import voluptuous as vol

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.components.repairs.const import FlowType
from homeassistant.config_entries import SOURCE_RECONFIGURE, SubentryFlowContext
from homeassistant.core import HomeAssistant

from .choices import async_choose
from .const import CONF_DEVICE_ID, CONF_IS_SILENT, SUBENTRY_TYPE_DEVICE
from .coordinator import EspCloudConfigEntry
from .devices import loaded_devices
from .issues import ISSUE_TAKEN_OVER
from .markdown import escaped
from .unanswered import ISSUE_NEVER_ANSWERS
from .virtual_devices import backend_of


async def async_create_fix_flow(
    hass: HomeAssistant,
    issue_id: str,
    data: dict[str, str | int | float | None] | None,
) -> RepairsFlow:
    """Return the repair of an issue."""
    if issue_id.startswith(ISSUE_NEVER_ANSWERS):
        return SilentDeviceRepairFlow()
    return DeviceRepairFlow()


class _ConfirmFlow(RepairsFlow):
    """A repair that explains what is wrong with a device, and does what helps."""

    async def async_step_init(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Explain what is wrong."""
        return await self.async_step_confirm()

    @abstractmethod
    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Explain what is wrong, or do what helps."""

    def _entry(self) -> EspCloudConfigEntry | None:
        """Return the account of the device, None where it is gone."""
        assert self.data is not None
        return self.hass.config_entries.async_get_entry(str(self.data["entry_id"]))

    def _explain(self, device: str) -> RepairsFlowResult:
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            description_placeholders={
                "device": device,
                "device_markdown": escaped(device),
            },
        )


class SilentDeviceRepairFlow(_ConfirmFlow):
    """Ask whether a device never answers, and remember it."""

    @override
    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Keep the answer as what a person has chosen for the device."""
        assert self.data is not None
        entry = self._entry()
        if entry is None or (devices := loaded_devices(entry)) is None:
            return self.async_abort(reason="device_gone")
        coordinator = devices.hardware.coordinators.get(
            int(self.data[CONF_DEVICE_ID] or 0)
        )
        if coordinator is None:
            return self.async_abort(reason="device_gone")
        if user_input is None:
            return self._explain(coordinator.name)
        async_choose(self.hass, entry, coordinator, {CONF_IS_SILENT: True})
        return self.async_create_entry(data={})


class DeviceRepairFlow(_ConfirmFlow):
    """Put right what is wrong with the key of a device that Home Assistant is."""

    @override
    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Do what helps, where the device is still there."""
        assert self.data is not None
        subentry_id = str(self.data["subentry_id"])
        entry = self._entry()
        if entry is None or subentry_id not in entry.subentries:
            return self.async_abort(reason="device_gone")
        if user_input is None:
            return self._explain(entry.subentries[subentry_id].title)
        if self.issue_id.startswith(ISSUE_TAKEN_OVER):
            return await self._async_connect_now(entry, subentry_id)
        return await self._async_ask_for_key(entry, subentry_id)

    async def _async_ask_for_key(
        self, entry: EspCloudConfigEntry, subentry_id: str
    ) -> RepairsFlowResult:
        """Go on in the device's own dialog.

        The issue stays until the device is connected, which is when it clears itself.
        """
        dialog = await self.hass.config_entries.subentries.async_init(
            (entry.entry_id, SUBENTRY_TYPE_DEVICE),
            context=SubentryFlowContext(
                source=SOURCE_RECONFIGURE, subentry_id=subentry_id
            ),
        )
        return self.async_abort(
            reason="continue_in_dialog",
            next_flow=(FlowType.CONFIG_SUBENTRIES_FLOW, dialog["flow_id"]),
        )

    async def _async_connect_now(
        self, entry: EspCloudConfigEntry, subentry_id: str
    ) -> RepairsFlowResult:
        """Take the device's place back now; the issue returns with the other client."""
        if (devices := loaded_devices(entry)) is not None:
            # There is none where another account has taken the device over meanwhile.
            coordinator = devices.virtual_device(subentry_id)
            if (
                coordinator is not None
                and await backend_of(coordinator).async_connect_now()
            ):
                return self.async_create_entry(data={})
        return self.async_abort(
            reason="not_connected",
            description_placeholders={
                "device_markdown": escaped(entry.subentries[subentry_id].title)
            },
        )
