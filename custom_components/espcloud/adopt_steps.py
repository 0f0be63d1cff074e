"""The steps in which a person takes in a device that knocks at the cloud in Home Assistant."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.config_entries import ConfigFlow, ConfigFlowContext, ConfigFlowResult
from homeassistant.const import CONF_NAME
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.translation import async_get_translations

from .backends.local import PendingHardware
from .const import CONF_AREA, CONF_KEY_HASH, CONF_KIND, DOMAIN
from .devices import loaded_local
from .entries import local_entry
from .hardware_steps import HardwareSteps
from .identity import Identity
from .local_forms import device_form
from .markdown import escaped


class AdoptSteps(HardwareSteps[ConfigFlowContext, ConfigFlowResult, str], ConfigFlow):
    """Offer a device with an unknown key, and take it in once it is confirmed."""

    # What was typed of the device.
    _device_input: dict[str, Any]
    _pending: PendingHardware

    async def async_step_integration_discovery(
        self, discovery_info: dict[str, Any]
    ) -> ConfigFlowResult:
        """Offer a device with an unknown key."""
        key_hash = discovery_info[CONF_KEY_HASH]
        await self.async_set_unique_id(key_hash)
        self._abort_if_unique_id_configured()
        pending = self._find_pending(key_hash)
        if pending is None:
            return self.async_abort(reason="device_gone")
        kind = await self._async_kind_title(pending.kind)
        # The card has room for about 35 letters: what tells two of a kind apart comes first.
        facts = [pending.address, kind, pending.mac]
        self.context["title_placeholders"] = {"name": " · ".join(filter(None, facts))}
        return await self.async_step_adopt()

    async def async_step_adopt(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what the device is, and how it is called."""
        assert self.unique_id is not None
        pending = self._find_pending(self.unique_id)
        if pending is None:
            return self.async_abort(reason="device_gone")
        self._pending = pending
        self._choices = {}
        errors: dict[str, str] = {}
        if user_input is not None:
            self._device_input = user_input
            if user_input[CONF_NAME].strip():
                return await self._async_go_on_with(user_input[CONF_KIND])
            errors[CONF_NAME] = "name_missing"
        kind = await self._async_kind_title(pending.kind)
        suggested = user_input or {
            CONF_KIND: self._suggested_kind,
            CONF_NAME: f"{kind} {pending.mac[-5:].replace(':', '')}".strip(),
        }
        unknown = "–"
        return self.async_show_form(
            step_id="adopt",
            data_schema=self.add_suggested_values_to_schema(device_form(), suggested),
            errors=errors,
            description_placeholders={
                "kind": kind,
                "mac": pending.mac or unknown,
                "firmware": escaped(pending.firmware) or unknown,
                "address": escaped(pending.address),
                "streams": escaped(", ".join(pending.streams)) or unknown,
            },
        )

    @override
    async def _async_finish_kind(self, choices: Mapping[str, Any]) -> ConfigFlowResult:
        """Take the device in; it comes back by itself."""
        hardware = loaded_local(local_entry(self.hass))
        if hardware is None:
            return self.async_abort(reason="device_gone")
        name = self._name
        try:
            owned = await hardware.account.async_adopt(
                self._pending, name, self._choices[CONF_KIND]
            )
        except LookupError:
            return self.async_abort(reason="device_gone")
        subentry = hardware.async_add_subentry(
            owned, {CONF_KIND: self._choices[CONF_KIND], **choices}
        )
        if (area_id := self._device_input.get(CONF_AREA)) is not None:
            entry = local_entry(self.hass)
            assert entry is not None
            registry = dr.async_get(self.hass)
            registered = registry.async_get_or_create(
                config_entry_id=entry.entry_id,
                config_subentry_id=subentry.subentry_id,
                identifiers={(DOMAIN, Identity.from_data(subentry.data).unique_id)},
                name=name,
            )
            registry.async_update_device(registered.id, area_id=area_id)
        return self.async_abort(
            reason="device_taken_in", description_placeholders={"device": escaped(name)}
        )

    @property
    @override
    def _name(self) -> str:
        name: str = self._device_input[CONF_NAME].strip()
        return name

    @property
    @override
    def _suggested_kind(self) -> str:
        return self._pending.kind

    def _find_pending(self, key_hash: str) -> PendingHardware | None:
        hardware = loaded_local(local_entry(self.hass))
        return hardware.pending(key_hash) if hardware is not None else None

    async def _async_kind_title(self, kind: str) -> str:
        """Return what people call a kind, in Home Assistant's language."""
        texts = await async_get_translations(
            self.hass, self.hass.config.language, "selector", {DOMAIN}
        )
        return texts.get(f"component.{DOMAIN}.selector.kind.options.{kind}", kind)
