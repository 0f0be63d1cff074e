"""Whether a device is there: at once for the log, with patience for the states."""

from collections.abc import Callable
from datetime import datetime
import logging

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from .cloud import AuthenticationError, CloudError
from .const import GRACE_TIME, STABLE_TIME
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
        on_change: Callable[[], None],
        on_stable: Callable[[], None],
    ) -> None:
        """Start as not connected, and not available.

        Args:
            hass: Home Assistant.
            name: how the log calls the device.
            on_change: called when `connected` or `available` may have changed.
            on_stable: called when a connection has lived for the stable time.
        """
        self.connected = False
        self.available = False
        self.last_error: CloudError | None = None
        self.history = ConnectionHistory()
        self._refusal_is_said = False
        self._hass = hass
        self._name = name
        self._on_change = on_change
        self._on_stable = on_stable
        self._cancel_timer: CALLBACK_TYPE | None = None

    @callback
    def note_connected(self) -> None:
        """The device is identified."""
        if self.last_error is not None:
            self.last_error = None
            self._refusal_is_said = False
            _LOGGER.info("%s: connected to the cloud again", self._name)
        self.history.note("connected")
        self.connected = True
        self.available = True
        self._start_timer(STABLE_TIME, self._async_stable)
        self._on_change()

    @callback
    def note_disconnected(self, reason: CloudError) -> None:
        """The connection was lost, or could not be made once more."""
        # One line per outage, however many attempts it takes to end it; a key that
        # is refused needs a person, perhaps, which is news.
        is_refused = isinstance(reason, AuthenticationError)
        if self.last_error is None or (is_refused and not self._refusal_is_said):
            self._refusal_is_said = is_refused
            _LOGGER.info("%s: not connected to the cloud: %s", self._name, reason)
        self.last_error = reason
        self.history.note(f"{type(reason).__name__}: {reason}")
        if self.connected:
            self.connected = False
            self._start_timer(GRACE_TIME, self._async_grace_ended)
            self._on_change()

    @callback
    def close(self) -> None:
        """Leave no timer behind."""
        if self._cancel_timer is not None:
            self._cancel_timer()
            self._cancel_timer = None

    def _start_timer(self, seconds: float, action: Callable[[datetime], None]) -> None:
        """Start the only timer there is: grace ends or stability begins, never both."""
        self.close()
        self._cancel_timer = async_call_later(self._hass, seconds, action)

    @callback
    def _async_stable(self, _now: datetime) -> None:
        self._cancel_timer = None
        self._on_stable()

    @callback
    def _async_grace_ended(self, _now: datetime) -> None:
        self._cancel_timer = None
        self.available = False
        self._on_change()
