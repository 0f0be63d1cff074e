"""The dialog that gives the cloud in Home Assistant firmware for its devices."""

from typing import Any

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.config_entries import ConfigFlowResult, OptionsFlow

from .backends.local import FILE_NAMES, FirmwareRefusedError, LocalServer
from .const import CONF_USER1, CONF_USER2, CONF_VERSION
from .devices import loaded_devices
from .local_forms import new_firmware_form, pick_firmware_form


class FirmwareOptionsFlow(OptionsFlow):
    """Add a version of firmware, or remove some; it is offered as an update at once."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Begin where there is a cloud that can take it."""
        if self._server() is None:
            return self.async_abort(reason="cloud_not_running")
        return await self.async_step_firmware()

    async def async_step_firmware(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what to do."""
        return self.async_show_menu(
            step_id="firmware", menu_options=["add_firmware", "remove_firmware"]
        )

    async def async_step_add_firmware(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a version with both its files."""
        errors: dict[str, str] = {}
        if user_input is not None:
            if (server := self._server()) is None:
                return self.async_abort(reason="cloud_not_running")
            try:
                files = await self.hass.async_add_executor_job(self._read, user_input)
                await server.async_add_firmware(user_input[CONF_VERSION].strip(), files)
            except FirmwareRefusedError as err:
                field = CONF_VERSION if err.is_about_version else "base"
                errors[field] = err.defect
            except ValueError:
                # An uploaded file is gone with its dialog, or after some time.
                errors["base"] = "firmware_file_missing"
            else:
                return self.async_abort(reason="firmware_added")
        # The files have to be chosen again: what was uploaded has been read.
        shown = {CONF_VERSION: (user_input or {}).get(CONF_VERSION, "")}
        return self.async_show_form(
            step_id="add_firmware",
            data_schema=self.add_suggested_values_to_schema(new_firmware_form(), shown),
            errors=errors,
        )

    async def async_step_remove_firmware(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which versions to remove."""
        if (server := self._server()) is None:
            return self.async_abort(reason="cloud_not_running")
        versions = server.firmware.versions()
        if not versions:
            return self.async_abort(reason="no_firmware")
        if user_input is not None:
            for version in user_input[CONF_VERSION]:
                await server.async_remove_firmware(version)
            return self.async_abort(reason="firmware_removed")
        return self.async_show_form(
            step_id="remove_firmware", data_schema=pick_firmware_form(versions)
        )

    def _read(self, user_input: dict[str, Any]) -> dict[str, bytes]:
        """Return the uploaded files; blocks. Raises ValueError where one is not there."""
        files = {}
        for name, upload in zip(
            FILE_NAMES, (user_input[CONF_USER1], user_input[CONF_USER2]), strict=True
        ):
            with process_uploaded_file(self.hass, upload) as path:
                files[name] = path.read_bytes()
        return files

    def _server(self) -> LocalServer | None:
        devices = loaded_devices(self.config_entry)
        return devices.server if devices is not None else None
