"""What a person has to put right about a device; each issue clears itself."""

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .cloud import AuthenticationError, CloudError
from .const import DOMAIN
from .markdown import escaped
from .refusals import Refusals

ISSUE_KEY_REFUSED = "device_key_refused"
ISSUE_SET_UP_TWICE = "set_up_twice"
ISSUE_TAKEN_OVER = "taken_over"
LEARN_MORE = "https://github.com/espcloud/espcloud#troubleshooting"


@callback
def key_is_refused(hass: HomeAssistant, subentry: ConfigSubentry) -> bool:
    """Tell whether the issue is there that says so of a device."""
    issue_id = f"{ISSUE_KEY_REFUSED}_{subentry.subentry_id}"
    return ir.async_get(hass).async_get_issue(DOMAIN, issue_id) is not None


class DeviceIssues:
    """The repair issues of one device."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry
    ) -> None:
        """Raise nothing yet."""
        self._hass = hass
        self._entry = entry
        self._subentry = subentry
        self._refusals = Refusals()

    @callback
    def note_disconnected(self, reason: CloudError, *, is_contested: bool) -> None:
        """Say so where a person can do something about it."""
        if isinstance(reason, AuthenticationError):
            if self._refusals.note():
                self._raise(ISSUE_KEY_REFUSED, ir.IssueSeverity.ERROR)
        elif is_contested:
            self._raise(ISSUE_TAKEN_OVER, ir.IssueSeverity.WARNING)

    @callback
    def raise_set_up_twice(self, account: str) -> None:
        """Say that another account has the device, and that one of them is too many."""
        self._raise(
            ISSUE_SET_UP_TWICE,
            ir.IssueSeverity.WARNING,
            is_fixable=False,
            account=account,
        )

    @callback
    def note_connected(self) -> None:
        """The key works."""
        self._refusals.clear()
        self._clear(ISSUE_KEY_REFUSED)

    @callback
    def clear_taken_over(self) -> None:
        """Nobody else uses the key any more."""
        self._clear(ISSUE_TAKEN_OVER)

    @callback
    def clear(self) -> None:
        """The device is not there any more, so nothing is wrong with it."""
        self.note_connected()
        self.clear_taken_over()
        self._clear(ISSUE_SET_UP_TWICE)

    def _raise(
        self,
        key: str,
        severity: ir.IssueSeverity,
        *,
        is_fixable: bool = True,
        account: str | None = None,
    ) -> None:
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id(key),
            data={
                "entry_id": self._entry.entry_id,
                "subentry_id": self._subentry.subentry_id,
            },
            is_fixable=is_fixable,
            learn_more_url=LEARN_MORE,
            severity=severity,
            translation_key=key,
            translation_placeholders={
                "device": self._subentry.title,
                "device_markdown": escaped(self._subentry.title),
                "account_markdown": escaped(account or self._entry.title),
            },
        )

    def _clear(self, key: str) -> None:
        ir.async_delete_issue(self._hass, DOMAIN, self._issue_id(key))

    def _issue_id(self, key: str) -> str:
        return f"{key}_{self._subentry.subentry_id}"
