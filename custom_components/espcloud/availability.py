"""Whether a device is there: at once for the log, with patience for the states."""

from collections.abc import Callable
from datetime import datetime
import logging

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from .cloud import AuthenticationError, CloudError, FloodError
from .const import GRACE_TIME, LONG_OUTAGE, STABLE_TIME
from .history import ConnectionHistory

_LOGGER = logging.getLogger(__name__)


class Availability:
    """Follows the connection of one device.

    Attributes:
        connected: whether the device is identified at the cloud right now.
        available: `connected`, but an outage within the grace time does not count.
        last_error: why the device is not connected, None while it is.
        history: what happened, for the diagnostics.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        name: str,
        *,
        has_patience: bool,
        on_change: Callable[[], None],
        on_stable: Callable[[], None],
    ) -> None:
        """Start as not connected, and not available.

        Args:
            hass: Home Assistant.
            name: how the log calls the device.
            has_patience: whether an outage may be over within the grace time, and is
                worth a warning when it is not over for long. A device that is switched
                off is neither.
            on_change: called when `connected` or `available` may have changed.
            on_stable: called when a connection has lived for the stable time.
        """
        self.connected = False
        self.available = False
        self.last_error: CloudError | None = None
        self.history = ConnectionHistory()
        self._refusal_is_said = False
        # The level at which the log speaks of this outage, None while it does not.
        self._said_at: int | None = None
        self._hass = hass
        self._name = name
        self._has_patience = has_patience
        self._on_change = on_change
        self._on_stable = on_stable
        self._cancel_timer: CALLBACK_TYPE | None = None

    @callback
    def note_connected(self) -> None:
        """The device is identified."""
        if self._said_at is not None:
            _LOGGER.log(self._said_at, "%s: connected to the cloud again", self._name)
        self.last_error = None
        self._said_at = None
        self._refusal_is_said = False
        self.history.note("connected")
        self.connected = True
        self.available = True
        self._start_timer(STABLE_TIME, self._async_stable)
        self._on_change()

    @callback
    def note_disconnected(self, reason: CloudError) -> None:
        """The connection was lost, or could not be made once more."""
        is_new = self.last_error is None
        # One line per outage, however many attempts it takes to end it; a key that
        # is refused needs a person, perhaps, which is news.
        is_refused = isinstance(reason, AuthenticationError)
        if is_new or (is_refused and not self._refusal_is_said):
            self._refusal_is_said = is_refused
            # Whoever notices a flood says so.
            if not isinstance(reason, FloodError):
                self._said_at = self._said_at or logging.INFO
                _LOGGER.info("%s: not connected to the cloud: %s", self._name, reason)
        self.last_error = reason
        self.history.note(f"{type(reason).__name__}: {reason}")
        was_connected, self.connected = self.connected, False
        if not self._has_patience:
            self.close()
            self.available = False
            if was_connected:
                self._on_change()
        elif was_connected:
            self._start_timer(GRACE_TIME, self._async_grace_ended)
            self._on_change()
        elif is_new:
            # It was never there.
            self._start_timer(LONG_OUTAGE, self._async_outage_is_long)

    @callback
    def close(self) -> None:
        """Leave no timer behind."""
        if self._cancel_timer is not None:
            self._cancel_timer()
            self._cancel_timer = None

    def _start_timer(self, seconds: float, action: Callable[[datetime], None]) -> None:
        """Start the only timer there is: each follows another or rules it out."""
        self.close()
        self._cancel_timer = async_call_later(self._hass, seconds, action)

    @callback
    def _async_stable(self, _now: datetime) -> None:
        self._cancel_timer = None
        self._on_stable()

    @callback
    def _async_grace_ended(self, _now: datetime) -> None:
        self._start_timer(LONG_OUTAGE - GRACE_TIME, self._async_outage_is_long)
        self.available = False
        self._on_change()

    @callback
    def _async_outage_is_long(self, _now: datetime) -> None:
        self._cancel_timer = None
        self._said_at = logging.WARNING
        _LOGGER.warning(
            "%s: not connected to the cloud for %.0f minutes: %s",
            self._name,
            LONG_OUTAGE / 60,
            self.last_error,
        )
