"""The dialogs of a device at the cloud in Home Assistant: make one, or say what it is."""

import json
import secrets
from typing import Any, override

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.const import CONF_NAME

from .const import CONF_KIND
from .devices import loaded_local
from .hardware_flow import HardwareChoicesFlow
from .identity import Identity, key_hash
from .local_forms import new_device_form
from .markdown import escaped

_BSSID = "18:fe:34:00:00:01"
"""What the tutorial's device gives as its address: its owner puts another one there."""


class LocalDeviceSubentryFlow(HardwareChoicesFlow):
    """Make a device that a person is about to program, or change what one is."""

    def __init__(self) -> None:
        """Begin with a key of which nobody knows yet."""
        super().__init__()
        self._device_name = ""
        self._master_key = secrets.token_hex(20)

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask what the device is called."""
        if loaded_local(self._get_entry()) is None:
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

    @override
    async def _async_finish_new(self, kept: dict[str, Any]) -> SubentryFlowResult:
        """Show the key of the new device."""
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
        hardware = loaded_local(self._get_entry())
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
        return self._device_name or super()._name


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
