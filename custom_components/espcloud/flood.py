"""More commands than are carried out: said once, until it is over."""

from datetime import datetime
import logging

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_call_later

from .const import DOMAIN
from .issues import LEARN_MORE
from .markdown import escaped

_LOGGER = logging.getLogger(__name__)

QUIET_TIME = 60.0
"""Seconds without a refused command after which a flood is over."""


class FloodWatch:
    """One line in the log and one repair issue for each flood of an account."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Begin without a flood."""
        self._hass = hass
        self._issue_id = f"flood_{entry.entry_id}"
        self._goes_on = False
        self._cancel_check: CALLBACK_TYPE | None = None

    @callback
    def note(self, device: str) -> None:
        """Note a command that was refused; `device` is what people call its device."""
        self._goes_on = True
        if self._cancel_check is not None:
            return
        _LOGGER.warning(
            "%s: more commands arrive than are carried out; the others are refused",
            device,
        )
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            learn_more_url=LEARN_MORE,
            severity=ir.IssueSeverity.WARNING,
            translation_key="flood",
            translation_placeholders={
                "device": device,
                "device_markdown": escaped(device),
            },
        )
        self._check_later()

    @callback
    def close(self) -> None:
        """Leave neither a timer nor an issue behind."""
        if self._cancel_check is not None:
            self._cancel_check()
            self._cancel_check = None
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)

    def _check_later(self) -> None:
        self._goes_on = False
        self._cancel_check = async_call_later(
            self._hass, QUIET_TIME, HassJob(self._check, cancel_on_shutdown=True)
        )

    @callback
    def _check(self, _now: datetime) -> None:
        if self._goes_on:
            self._check_later()
        else:
            self.close()
