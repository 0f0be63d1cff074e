"""Repairing a device whose key is refused: the way to its reconfigure dialog."""

import voluptuous as vol

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.components.repairs.const import FlowType
from homeassistant.config_entries import SOURCE_RECONFIGURE, SubentryFlowContext
from homeassistant.core import HomeAssistant

from .const import SUBENTRY_TYPE_DEVICE


async def async_create_fix_flow(
    hass: HomeAssistant,
    issue_id: str,
    data: dict[str, str | int | float | None] | None,
) -> RepairsFlow:
    """Return the repair of the only kind of issue that has one."""
    return DeviceKeyRepairFlow()


class DeviceKeyRepairFlow(RepairsFlow):
    """Explain, then go on in the device's own dialog.

    The issue stays until the device is connected, which is when it clears itself.
    """

    async def async_step_init(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Explain what is wrong."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Go on in the reconfigure dialog."""
        assert self.data is not None
        entry_id = str(self.data["entry_id"])
        subentry_id = str(self.data["subentry_id"])
        entry = self.hass.config_entries.async_get_entry(entry_id)
        if entry is None or subentry_id not in entry.subentries:
            return self.async_abort(reason="device_gone")
        if user_input is None:
            return self.async_show_form(
                step_id="confirm",
                data_schema=vol.Schema({}),
                description_placeholders={
                    "device": entry.subentries[subentry_id].title
                },
            )
        dialog = await self.hass.config_entries.subentries.async_init(
            (entry_id, SUBENTRY_TYPE_DEVICE),
            context=SubentryFlowContext(
                source=SOURCE_RECONFIGURE, subentry_id=subentry_id
            ),
        )
        return self.async_abort(
            reason="continue_in_dialog",
            next_flow=(FlowType.CONFIG_SUBENTRIES_FLOW, dialog["flow_id"]),
        )
