"""Devices that knock at the cloud in Home Assistant, shown as discovered."""

from datetime import datetime
from typing import Final

from homeassistant.config_entries import SOURCE_IGNORE, SOURCE_INTEGRATION_DISCOVERY
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.discovery_flow import DiscoveryKey, async_create_flow
from homeassistant.helpers.event import async_call_later

from .backends.local import LocalServer, PendingHardware
from .const import CONF_KEY_HASH, DOMAIN
from .coordinator import EspCloudConfigEntry
from .local_hardware import LocalHardware

MOST_PATIENCE: Final = 5.0
"""Seconds that a device has to tell what it is. The server asks it 2 s after its first frame."""


def is_ignored(hass: HomeAssistant, key_hash: str) -> bool:
    """Tell whether a person wants to hear nothing of the device of a key."""
    entry = hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, key_hash)
    return entry is not None and entry.source == SOURCE_IGNORE


class Discoveries:
    """Has Home Assistant show each device with an unknown key, for as long as it knocks."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: EspCloudConfigEntry,
        server: LocalServer,
        hardware: LocalHardware,
    ) -> None:
        """Show nothing yet; `async_start` does."""
        self._hass = hass
        self._entry = entry
        self._server = server
        self._hardware = hardware
        self._timers: dict[str, CALLBACK_TYPE] = {}
        self._stop_listening: CALLBACK_TYPE | None = None

    @callback
    def async_start(self) -> None:
        """Show what is there and what comes."""
        self._stop_listening = self._server.async_listen_pending(self._handle)
        for pending in self._server.pending():
            self._handle(pending, True)

    @callback
    def async_close(self) -> None:
        """Show nothing any more."""
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None
        for cancel in self._timers.values():
            cancel()
        self._timers.clear()
        for flow in self._flows():
            self._hass.config_entries.flow.async_abort(flow)

    @callback
    def _handle(self, pending: PendingHardware, is_there: bool) -> None:
        key_hash = pending.key_hash
        if not is_there:
            self._forget(key_hash)
            return
        subentry = self._hardware.remembered(key_hash)
        if subentry is not None:
            # It was confirmed before: the database is older than Home Assistant's settings.
            self._entry.async_create_task(
                self._hass,
                self._hardware.async_take_back(pending, subentry),
                f"take back {subentry.title}",
            )
        elif pending.is_told:
            self._show(key_hash)
        elif key_hash not in self._timers:

            @callback
            def show(_now: datetime) -> None:
                self._show(key_hash)

            self._timers[key_hash] = async_call_later(
                self._hass, MOST_PATIENCE, HassJob(show, cancel_on_shutdown=True)
            )

    @callback
    def _show(self, key_hash: str) -> None:
        """Offer a device, which changes nothing where it is offered already."""
        if (cancel := self._timers.pop(key_hash, None)) is not None:
            cancel()
        async_create_flow(
            self._hass,
            DOMAIN,
            context={"source": SOURCE_INTEGRATION_DISCOVERY},
            data={CONF_KEY_HASH: key_hash},
            discovery_key=DiscoveryKey(domain=DOMAIN, key=key_hash, version=1),
        )

    def _forget(self, key_hash: str) -> None:
        if (cancel := self._timers.pop(key_hash, None)) is not None:
            cancel()
        for flow in self._flows(key_hash):
            self._hass.config_entries.flow.async_abort(flow)

    def _flows(self, key_hash: str | None = None) -> list[str]:
        """Return the ids of the dialogs of such devices, or of one."""
        return [
            flow["flow_id"]
            for flow in self._hass.config_entries.flow.async_progress_by_handler(
                DOMAIN, match_context={"source": SOURCE_INTEGRATION_DISCOVERY}
            )
            if key_hash in (None, flow["context"].get("unique_id"))
        ]
