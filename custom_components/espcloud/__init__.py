"""The Espressif IoT Cloud integration: Home Assistant as a device of the cloud."""

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from .account import EspCloudAccount, EspCloudConfigEntry

PLATFORMS = [Platform.LIGHT]


async def async_setup_entry(hass: HomeAssistant, entry: EspCloudConfigEntry) -> bool:
    """Set up an account and its devices."""
    account = EspCloudAccount(hass, entry)
    await account.async_sign_in()
    entry.runtime_data = account
    account.async_follow_subentries()

    # Entries are not unloaded when Home Assistant stops.
    entry.async_on_unload(
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, account.async_close)
    )
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)

    @callback
    def async_entry_changed(change: ConfigEntryChange, changed: ConfigEntry) -> None:
        if changed is entry and change is ConfigEntryChange.UPDATED:
            account.async_follow_subentries()

    # Not an update listener: with one, Home Assistant forbids the flow helpers that
    # reload, and an account that failed to set up has to be reloaded by its flow.
    entry.async_on_unload(
        async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, async_entry_changed)
    )
    return True


async def async_unload_entry(hass: HomeAssistant, entry: EspCloudConfigEntry) -> bool:
    """Unload an account; each coordinator closes its own connection."""
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
