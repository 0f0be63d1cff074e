"""The dialogs of a device at the cloud in Home Assistant: make one, or say what it is."""

from collections.abc import Mapping
import json
import secrets
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowContext,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME

from .const import CONF_KIND
from .devices import EspCloudDevices
from .hardware_steps import HardwareSteps
from .identity import Identity, key_hash
from .kinds import catalog
from .local_forms import new_device_form
from .local_hardware import LocalHardware
from .markdown import escaped
from .older_dialogs import async_end_older_dialogs

_BSSID = "18:fe:34:00:00:01"
"""What the tutorial's device gives as its address: its owner puts another one there."""


class LocalDeviceSubentryFlow(
    HardwareSteps[SubentryFlowContext, SubentryFlowResult, tuple[str, str]],
    ConfigSubentryFlow,
):
    """Make a device that a person is about to program, or change what one is."""

    def __init__(self) -> None:
        """Begin with a key of which nobody knows yet."""
        self._choices: dict[str, Any] = {}
        self._device_name = ""
        self._master_key = secrets.token_hex(20)

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask what the device is called."""
        if self._hardware() is None:
            return self.async_abort(reason="account_not_loaded")
        errors: dict[str, str] = {}
        if user_input is not None:
            self._device_name = user_input[CONF_NAME].strip()
            if self._device_name:
                return await self.async_step_kind()
            errors[CONF_NAME] = "name_missing"
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(
                new_device_form(), user_input
            ),
            errors=errors,
            last_step=False,
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Begin to change what the device is."""
        async_end_older_dialogs(self.hass.config_entries.subentries, self)
        subentry = self._get_reconfigure_subentry()
        self._choices = dict(subentry.data)
        self._device_name = subentry.title
        return await self.async_step_kind()

    @override
    async def _async_finish_kind(
        self, choices: Mapping[str, Any]
    ) -> SubentryFlowResult:
        """Show the key of a new device; keep what was chosen for another one."""
        kept = {CONF_KIND: self._choices[CONF_KIND], **choices}
        if self.source == SOURCE_RECONFIGURE:
            subentry = self._get_reconfigure_subentry()
            ids = Identity.from_data(subentry.data).as_data()
            return self.async_update_and_abort(
                self._get_entry(), subentry, data={**ids, **kept}
            )
        self._choices = kept
        return await self.async_step_frames()

    async def async_step_frames(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show the key and what the device sends with it; the device is made after that."""
        if user_input is None:
            return self.async_show_form(
                step_id="frames",
                description_placeholders={
                    "device": self._name,
                    "device_markdown": escaped(self._name),
                    "key": self._master_key,
                    "frames": _frames(self._master_key),
                },
            )
        hardware = self._hardware()
        if hardware is None:
            return self.async_abort(reason="account_not_loaded")
        owned = await hardware.account.async_make_device(
            self._device_name, self._choices[CONF_KIND], self._master_key
        )
        device = owned.device
        identity = Identity(device.id, device.serial, key_hash(self._master_key))
        return self.async_create_entry(
            title=self._device_name,
            unique_id=identity.unique_id,
            data={**identity.as_data(), **self._choices},
        )

    @property
    @override
    def _name(self) -> str:
        return self._device_name

    @property
    @override
    def _suggested_kind(self) -> str:
        kind: str = self._choices.get(CONF_KIND, catalog.RPC)
        return kind

    def _hardware(self) -> LocalHardware | None:
        entry = self._get_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return None
        devices: EspCloudDevices = entry.runtime_data
        assert isinstance(devices.hardware, LocalHardware)
        return devices.hardware


def _frames(master_key: str) -> str:
    """Return the lines of the tutorial for a device, to be pasted (protocol.md §3.2, §2.7)."""
    meta = {"Authorization": f"token {master_key}"}
    frames: list[dict[str, Any]] = [
        {
            "nonce": 1,
            "path": "/v1/device/activate/",
            "method": "POST",
            "body": {
                "encrypt_method": "PLAIN",
                "token": secrets.token_hex(20),
                "bssid": _BSSID,
                "rom_version": "V1.0",
            },
            "meta": meta,
        },
        {"nonce": 2, "path": "/v1/device/identify", "method": "GET", "meta": meta},
        {"path": "/v1/ping/", "method": "POST", "meta": meta},
        {
            "nonce": 3,
            "path": "/v1/datastreams/temperature/datapoint/",
            "method": "POST",
            "body": {"datapoint": {"x": 21.5}},
            "meta": meta,
        },
    ]
    return "\n".join(f"```\n{json.dumps(frame)}\n```" for frame in frames)
