"""What a person has chosen for a device, read from its subentry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_PORT

from .backends.local import ServerSettings
from .cloud import CloudDevice, StreamTemplate
from .const import (
    CONF_API_PORT,
    CONF_DEVICE_ID,
    CONF_DIM_ACTION,
    CONF_DIM_MAXIMUM,
    CONF_DIM_PARAMETER,
    CONF_HAS_WHITE,
    CONF_IS_SILENT,
    CONF_KIND,
    CONF_LAMP_SHOWS,
    CONF_SHOWN_AS,
    CONF_STREAMS,
    CONF_TURN_OFF_ACTION,
    CONF_TURN_ON_ACTION,
    DEFAULT_DIM_MAXIMUM,
    DEFAULT_DIM_PARAMETER,
    DEFAULT_TURN_OFF_ACTION,
    DEFAULT_TURN_ON_ACTION,
    SHOWN_AS,
    SUBENTRY_TYPE_HARDWARE,
    SUBENTRY_TYPE_LOCAL,
)
from .kinds import catalog
from .kinds.base import Kind
from .kinds.lamp import LampKind, LampShows
from .kinds.rpc import DimAction
from .kinds.self_made import StreamTemplate as KindTemplate


def server_settings(data: Mapping[str, Any]) -> ServerSettings:
    """Return what a person has chosen for the cloud in Home Assistant, by its entry's data."""
    return ServerSettings(data[CONF_PORT], data.get(CONF_API_PORT))


def lamp_kind(data: Mapping[str, Any]) -> LampKind:
    """Return the lamp that Home Assistant is, by the data of its subentry."""
    action = data.get(CONF_DIM_ACTION)
    dim = (
        DimAction(
            action,
            data.get(CONF_DIM_PARAMETER, DEFAULT_DIM_PARAMETER),
            int(data.get(CONF_DIM_MAXIMUM, DEFAULT_DIM_MAXIMUM)),
        )
        if action
        else None
    )
    return LampKind(
        data[CONF_TURN_ON_ACTION],
        data[CONF_TURN_OFF_ACTION],
        shows=LampShows(data.get(CONF_LAMP_SHOWS, LampShows.ONOFF)),
        dim=dim,
    )


@dataclass(frozen=True, slots=True)
class HardwareSettings:
    """What a person has chosen for a device of the account.

    Attributes:
        kind: what it is, None for what it seems to be.
        choices: the rest of the subentry's data.
    """

    kind: str | None = None
    choices: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_entry(cls, entry: ConfigEntry) -> dict[int, tuple[ConfigSubentry, Self]]:
        """Return what was chosen for an account's devices, by their ids."""
        return {
            subentry.data[CONF_DEVICE_ID]: (
                subentry,
                cls(subentry.data.get(CONF_KIND), dict(subentry.data)),
            )
            for subentry_type in (SUBENTRY_TYPE_HARDWARE, SUBENTRY_TYPE_LOCAL)
            for subentry in entry.get_subentries_of_type(subentry_type)
        }

    def kind_name(
        self, device: CloudDevice, templates: Sequence[StreamTemplate]
    ) -> str:
        """Return what a device is: what a person says, or what it seems to be."""
        return self.kind or catalog.kind_of(
            ptype=device.ptype,
            rom_version=device.rom_version,
            streams=[template.stream for template in templates],
        )

    def make_kind(
        self, device: CloudDevice, templates: Sequence[StreamTemplate]
    ) -> Kind[Any]:
        """Return the kind of a device, with what was chosen for it."""
        choices = self.choices
        known = [_template(template) for template in templates]
        named = {template.name for template in known}
        known += [
            KindTemplate(name)
            for name in choices.get(CONF_STREAMS, [])
            if name not in named
        ]
        return catalog.make(
            self.kind_name(device, templates),
            catalog.Settings(
                has_white=choices.get(CONF_HAS_WHITE) or None,
                turn_on_action=choices.get(CONF_TURN_ON_ACTION, DEFAULT_TURN_ON_ACTION),
                turn_off_action=choices.get(
                    CONF_TURN_OFF_ACTION, DEFAULT_TURN_OFF_ACTION
                ),
                templates=tuple(known),
                is_silent=choices.get(CONF_IS_SILENT, False),
                is_switch=choices.get(CONF_SHOWN_AS) == SHOWN_AS[1],
            ),
        )


def _template(template: StreamTemplate) -> KindTemplate:
    """Return what a product says of a datastream in the terms of the kinds."""
    return KindTemplate(
        name=template.stream,
        dimension=template.dimension or 0,
        tags=template.tags,
        unit=template.unit,
        symbol=template.symbol,
    )
