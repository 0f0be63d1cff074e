"""The entry of an account at a cloud."""

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_track_time_interval

from .backends.cloud_account import EspCloudAccount
from .const import ACCOUNT_INTERVAL, DEVICES_INTERVAL, DOMAIN, PLATFORMS
from .coordinator import EspCloudConfigEntry
from .devices import EspCloudDevices
from .state_store import StateStore


async def async_setup_account_entry(
    hass: HomeAssistant, entry: EspCloudConfigEntry
) -> None:
    """Set up an account and its devices.

    Raises:
        ConfigEntryNotReady: the cloud cannot be asked right now.
    """
    account = EspCloudAccount(hass, entry)
    await account.async_sign_in()
    entry.async_on_unload(account.async_close)
    states = StateStore(hass, entry.entry_id)
    await states.async_load(entry.subentries)
    devices = EspCloudDevices.of_account(hass, entry, account, states)
    entry.runtime_data = devices

    # Entries are not unloaded when Home Assistant stops.
    entry.async_on_unload(
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, devices.async_close)
    )
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    # Only now: a command that nobody hears must not be acknowledged.
    devices.async_start()

    @callback
    def async_entry_changed(change: ConfigEntryChange, changed: ConfigEntry) -> None:
        # The others', too: a device that one gives up may be waited for here. One that
        # is unloaded has not given up anything: it may just be reloaded.
        if changed.domain == DOMAIN and (
            change is ConfigEntryChange.REMOVED
            or changed.state is ConfigEntryState.LOADED
        ):
            devices.async_follow_subentries()

    # Not an update listener: with one, Home Assistant forbids the flow helpers that
    # reload, and an account that failed to set up has to be reloaded by its flow.
    entry.async_on_unload(
        async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, async_entry_changed)
    )
    entry.async_on_unload(
        async_track_time_interval(
            hass,
            account.async_refresh,
            DEVICES_INTERVAL if account.shows_devices else ACCOUNT_INTERVAL,
            cancel_on_shutdown=True,
        )
    )
    entry.async_on_unload(
        async_track_time_interval(
            hass,
            devices.async_retry_refused_keys,
            ACCOUNT_INTERVAL,
            cancel_on_shutdown=True,
        )
    )
