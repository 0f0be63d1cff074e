"""The steps in which a person says what a real device is."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from homeassistant.data_entry_flow import FlowContext, FlowHandler, FlowResult

from .actions import two_actions
from .cloud import is_stream_name
from .const import CONF_KIND, CONF_STREAMS
from .enrollment import EnrollmentError
from .forms import hardware_form, light_form, self_made_form
from .kinds import catalog
from .markdown import escaped


class HardwareSteps[ContextT: FlowContext, ResultT: FlowResult[Any, Any], HandlerT](
    FlowHandler[ContextT, ResultT, HandlerT]
):
    """What the dialogs about a real device have in common; `async_step_kind` begins.

    A dialog that has them sets `_choices` to what was chosen before.
    """

    _choices: dict[str, Any]

    @property
    @abstractmethod
    def _name(self) -> str:
        """What the device is called."""

    @property
    @abstractmethod
    def _suggested_kind(self) -> str:
        """What the device seems to be."""

    @abstractmethod
    async def _async_finish_kind(self, choices: Mapping[str, Any]) -> ResultT:
        """End the dialog with what was chosen besides the kind, which is in `_choices`."""

    async def async_step_kind(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask what the device is."""
        if user_input is not None:
            return await self._async_go_on_with(user_input[CONF_KIND])
        return self.async_show_form(
            step_id="kind",
            data_schema=self.add_suggested_values_to_schema(
                hardware_form(), {CONF_KIND: self._suggested_kind}
            ),
            description_placeholders={
                "device": self._name,
                "device_markdown": escaped(self._name),
            },
            last_step=False,
        )

    async def async_step_light(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask for what a light cannot tell."""
        if user_input is not None:
            return await self._async_finish_kind(user_input)
        return self.async_show_form(
            step_id="light",
            data_schema=self.add_suggested_values_to_schema(
                light_form(), self._choices
            ),
            description_placeholders={
                "device": self._name,
                "device_markdown": escaped(self._name),
            },
        )

    async def async_step_self_made(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask for the actions and datastreams of a self-made device."""
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                return await self._async_finish_kind(_self_made(user_input))
            except EnrollmentError as err:
                errors[err.field] = err.key
        return self.async_show_form(
            step_id="self_made",
            data_schema=self.add_suggested_values_to_schema(
                self_made_form(), user_input or self._choices
            ),
            errors=errors,
            description_placeholders={
                "device": self._name,
                "device_markdown": escaped(self._name),
            },
        )

    async def _async_go_on_with(self, kind: str) -> ResultT:
        """Ask what a kind leaves open, or end the dialog."""
        self._choices[CONF_KIND] = kind
        if kind == catalog.RPC:
            return await self.async_step_self_made()
        if kind == catalog.OLD_LIGHT:
            return await self.async_step_light()
        return await self._async_finish_kind({})


def _self_made(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a subentry keeps of a self-made device; raises EnrollmentError."""
    streams: list[str] = []
    for text in user_input.get(CONF_STREAMS, []):
        if (stream := text.strip()) and stream not in streams:
            if not is_stream_name(stream):
                raise EnrollmentError(CONF_STREAMS, "bad_stream")
            streams.append(stream)
    return {**user_input, **two_actions(user_input), CONF_STREAMS: streams}
