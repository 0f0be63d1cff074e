"""The steps in which a person says which device Home Assistant becomes."""

from abc import abstractmethod
from collections import Counter
from typing import Any

import voluptuous as vol

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.const import CONF_NAME
from homeassistant.core import callback
from homeassistant.data_entry_flow import FlowContext, FlowHandler, FlowResult

from .cloud import CloudDevice, ProductDevice
from .const import (
    CONF_DEVICE,
    CONF_DEVICE_ID,
    CONF_DEVICE_KEY,
    CONF_SERIAL,
    CONF_TAKE_OVER,
    SUBENTRY_TYPE_DEVICE,
)
from .enrollment import CannotCreateError, Enrollment, EnrollmentError, normalized_key
from .forms import create_device_fields, device_key_fields, pick_device_fields


class DeviceSteps[ContextT: FlowContext, ResultT: FlowResult[Any, Any], HandlerT](
    FlowHandler[ContextT, ResultT, HandlerT]
):
    """The end of both dialogs that add a device; `async_step_device` is where it begins.

    A dialog that has them sets `_enrollment` before, with the account's key in it.
    """

    _enrollment: Enrollment

    async def async_step_device(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Offer the ways to a device that the server supports."""
        products = self._enrollment.products
        await products.read(self._enrollment.user_key)
        options = ["create_device", "pick_device", "device_key"]
        if not products.can_create:
            options.remove("create_device")
        if not self._devices_to_pick():
            options.remove("pick_device")
        return self.async_show_menu(
            step_id="device", menu_options=[*options, *self._more_ways()]
        )

    async def async_step_create_device(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask for the name of a new device; it is made when the form is submitted."""
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                return await self._async_create_device(user_input)
            except CannotCreateError:
                errors["base"] = "cannot_create_device"
                return self._async_show_key_form(None, errors)
            except EnrollmentError as err:
                field = "base" if err.field == CONF_DEVICE_KEY else err.field
                errors[field] = err.key
        fields = create_device_fields() | self._more_device_fields()
        return self.async_show_form(
            step_id="create_device",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(fields), user_input
            ),
            errors=errors,
        )

    async def async_step_pick_device(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask which of the devices that the account's products have."""
        errors: dict[str, str] = {}
        if user_input is not None:
            picked = self._enrollment.products.devices[user_input[CONF_DEVICE]]
            try:
                return await self._async_add_device(picked.master_key, user_input)
            except EnrollmentError as err:
                field = CONF_DEVICE if err.field == CONF_DEVICE_KEY else err.field
                errors[field] = err.key
        fields = pick_device_fields(
            _titles(self._devices_to_pick()),
            offer_take_over=self._enrollment.may_take_over,
        )
        return self.async_show_form(
            step_id="pick_device",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(fields | self._more_device_fields()), user_input
            ),
            errors=errors,
        )

    async def async_step_device_key(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask for the key of a device."""
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                return await self._async_add_device(
                    normalized_key(user_input[CONF_DEVICE_KEY]), user_input
                )
            except EnrollmentError as err:
                errors[err.field] = err.key
        return self._async_show_key_form(user_input, errors)

    @callback
    def _async_show_key_form(
        self, user_input: dict[str, Any] | None, errors: dict[str, str]
    ) -> ResultT:
        fields = device_key_fields(offer_take_over=self._enrollment.may_take_over)
        return self.async_show_form(
            step_id="device_key",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(fields | self._more_device_fields()), user_input
            ),
            errors=errors,
        )

    @abstractmethod
    def _more_ways(self) -> list[str]:
        """Return the steps of this dialog that end it in another way."""

    @abstractmethod
    def _more_device_fields(self) -> dict[Any, Any]:
        """Return the fields that this dialog adds to each form of a device."""

    @abstractmethod
    def _device_options(self, user_input: dict[str, Any]) -> dict[str, Any]:
        """Return what a subentry keeps besides the device; raises EnrollmentError."""

    @abstractmethod
    def _async_finish(
        self, device: ConfigSubentryData, user_input: dict[str, Any]
    ) -> ResultT:
        """End the dialog with its device."""

    async def _async_create_device(self, user_input: dict[str, Any]) -> ResultT:
        """Make a device and add it; raises EnrollmentError or CannotCreateError."""
        name = user_input[CONF_NAME].strip()
        if not name:
            raise EnrollmentError(CONF_NAME, "name_missing")
        options = self._device_options(user_input)
        master_key = await self._enrollment.make_device(name)
        # It is of this account's own product, and nobody has used it yet.
        device = await self._enrollment.enroll(master_key, take_over=True, name=name)
        return self._async_finish(_subentry(device, master_key, options), user_input)

    async def _async_add_device(
        self, master_key: str, user_input: dict[str, Any]
    ) -> ResultT:
        """Add the device of a master key; raises EnrollmentError."""
        options = self._device_options(user_input)
        device = await self._enrollment.enroll(
            master_key, take_over=user_input.get(CONF_TAKE_OVER, False)
        )
        return self._async_finish(_subentry(device, master_key, options), user_input)

    def _devices_to_pick(self) -> dict[str, ProductDevice]:
        """Return the devices that Home Assistant does not have yet, by their ids."""
        return {
            device_id: each
            for device_id, each in self._enrollment.products.devices.items()
            if not self._enrollment.is_set_up(each.device, each.master_key)
        }


def _titles(devices: dict[str, ProductDevice]) -> dict[str, str]:
    """Return what a list calls the devices; their ids tell those of one name apart."""
    titles = Counter(each.device.title for each in devices.values())
    return {
        device_id: each.device.title
        if titles[each.device.title] == 1
        else f"{each.device.title} ({device_id})"
        for device_id, each in devices.items()
    }


def _subentry(
    device: CloudDevice, master_key: str, options: dict[str, Any]
) -> ConfigSubentryData:
    return ConfigSubentryData(
        subentry_type=SUBENTRY_TYPE_DEVICE,
        unique_id=str(device.id),
        title=device.title,
        data={
            CONF_DEVICE_ID: device.id,
            CONF_DEVICE_KEY: master_key,
            CONF_SERIAL: device.serial,
            **options,
        },
    )
