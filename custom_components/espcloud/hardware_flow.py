"""The dialog in which a person says what a device of the account is."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowResult,
)

from .actions import two_actions
from .choices import hardware_data, hardware_unique_id
from .cloud import is_stream_name
from .const import CONF_DEVICE, CONF_DEVICE_ID, CONF_KIND, CONF_SERIAL, CONF_STREAMS
from .coordinator import EspCloudCoordinator
from .devices import EspCloudDevices
from .enrollment import EnrollmentError
from .forms import hardware_form, light_form, pick_hardware_form, self_made_form
from .kinds import catalog
from .markdown import escaped
from .older_dialogs import async_end_older_dialogs


class HardwareSubentryFlow(ConfigSubentryFlow):
    """Choose what a device is, and how it shows; `async_step_user` and reconfigure begin."""

    def __init__(self) -> None:
        """Begin with nothing chosen."""
        self._coordinator: EspCloudCoordinator | None = None
        self._data: dict[str, Any] = {}

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
        self._data = dict(self._get_reconfigure_subentry().data)
        return await self.async_step_kind()

    async def async_step_kind(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask what the device is."""
        if user_input is not None:
            self._data[CONF_KIND] = kind = user_input[CONF_KIND]
            if kind == catalog.RPC:
                return await self.async_step_self_made()
            if kind == catalog.OLD_LIGHT:
                return await self.async_step_light()
            return self._async_finish({})
        return self.async_show_form(
            step_id="kind",
            data_schema=self.add_suggested_values_to_schema(
                hardware_form(), {CONF_KIND: self._present_kind()}
            ),
            description_placeholders={
                "device": self._name,
                "device_markdown": escaped(self._name),
            },
            last_step=False,
        )

    async def async_step_light(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for what a light cannot tell."""
        if user_input is not None:
            return self._async_finish(user_input)
        return self.async_show_form(
            step_id="light",
            data_schema=self.add_suggested_values_to_schema(light_form(), self._data),
            description_placeholders={
                "device": self._name,
                "device_markdown": escaped(self._name),
            },
        )

    async def async_step_self_made(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the actions and datastreams of a self-made device."""
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                return self._async_finish(_self_made(user_input))
            except EnrollmentError as err:
                errors[err.field] = err.key
        return self.async_show_form(
            step_id="self_made",
            data_schema=self.add_suggested_values_to_schema(
                self_made_form(), user_input or self._data
            ),
            errors=errors,
            description_placeholders={
                "device": self._name,
                "device_markdown": escaped(self._name),
            },
        )

    def _async_finish(self, choices: Mapping[str, Any]) -> SubentryFlowResult:
        """Keep what was chosen; the device follows its subentry."""
        kept = {CONF_KIND: self._data[CONF_KIND], **choices}
        if self.source == SOURCE_RECONFIGURE:
            subentry = self._get_reconfigure_subentry()
            ids = {name: subentry.data[name] for name in (CONF_DEVICE_ID, CONF_SERIAL)}
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
            data={**hardware_data(self._coordinator), **kept},
        )

    def _present_kind(self) -> str:
        if self._coordinator is not None:
            return self._coordinator.kind.name
        kind: str = self._data[CONF_KIND]
        return kind

    @property
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


def _self_made(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a subentry keeps of a self-made device; raises EnrollmentError."""
    streams: list[str] = []
    for text in user_input.get(CONF_STREAMS, []):
        if (stream := text.strip()) and stream not in streams:
            if not is_stream_name(stream):
                raise EnrollmentError(CONF_STREAMS, "bad_stream")
            streams.append(stream)
    return {**user_input, **two_actions(user_input), CONF_STREAMS: streams}
