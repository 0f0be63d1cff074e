"""A self-made device that seems never to answer (protocol.md §10.1): what to do about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .cloud import DeviceBusyError
from .const import CONF_DEVICE_ID, DOMAIN
from .identity import Identity
from .issues import LEARN_MORE
from .markdown import escaped

ISSUE_NEVER_ANSWERS: Final = "never_answers"
MOST_UNANSWERED: Final = 3
"""Commands in a row without an answer, after which a person is asked."""


class UnansweredCalls:
    """Counts the commands of one device that were not answered."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, identity: Identity, name: str
    ) -> None:
        """Begin with none."""
        self._hass = hass
        self._entry = entry
        self._identity = identity
        self._name = name
        self._count = 0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note what becomes of a command within the block, where it reaches the device."""
        try:
            yield
        except DeviceBusyError:
            self._note_unanswered()
            raise
        self.clear()

    @callback
    def _note_unanswered(self) -> None:
        self._count += 1
        if self._count == MOST_UNANSWERED:
            ir.async_create_issue(
                self._hass,
                DOMAIN,
                self._issue_id,
                data={
                    "entry_id": self._entry.entry_id,
                    CONF_DEVICE_ID: self._identity.device_id,
                },
                is_fixable=True,
                learn_more_url=LEARN_MORE,
                severity=ir.IssueSeverity.WARNING,
                translation_key=ISSUE_NEVER_ANSWERS,
                translation_placeholders={
                    "device": self._name,
                    "device_markdown": escaped(self._name),
                },
            )

    @callback
    def clear(self) -> None:
        """It answers, or is not there any more."""
        if self._count >= MOST_UNANSWERED:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)
        self._count = 0

    @property
    def _issue_id(self) -> str:
        unique_id = self._identity.unique_id
        return f"{ISSUE_NEVER_ANSWERS}_{self._entry.entry_id}_{unique_id}"
