"""The dialog of what an account shows."""

from typing import Any

import voluptuous as vol

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload

from .const import CONF_SHOW_DEVICES

OPTIONS = vol.Schema({vol.Required(CONF_SHOW_DEVICES, default=True): bool})


class EspCloudOptionsFlow(OptionsFlowWithReload):
    """Change what an account shows; it is reloaded where that changes anything."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether the account's own devices are shown."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                OPTIONS, self.config_entry.options
            ),
        )
