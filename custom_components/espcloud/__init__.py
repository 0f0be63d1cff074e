"""The Espressif IoT Cloud integration: Home Assistant as a device, and as an owner."""

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.typing import ConfigType

from .backends.account import EspCloudAccount
from .config_flow import EspCloudConfigFlow
from .const import ACCOUNT_INTERVAL, DEVICES_INTERVAL, DOMAIN
from .coordinator import EspCloudConfigEntry
from .devices import EspCloudDevices
from .services import async_register_services
from .state_store import StateStore

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.EVENT,
    Platform.LIGHT,
    Platform.REMOTE,
    Platform.SENSOR,
    Platform.SWITCH,
    Platform.UPDATE,
]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the action, which is there whether or not an account is set up."""
    async_register_services(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: EspCloudConfigEntry) -> bool:
    """Set up an account and its devices."""
    account = EspCloudAccount(hass, entry)
    await account.async_sign_in()
    entry.async_on_unload(account.async_close)
    states = StateStore(hass, entry.entry_id)
    await states.async_load(entry.subentries)
    devices = EspCloudDevices(hass, entry, account, states)
    entry.runtime_data = devices
    _async_remove_orphans(hass, entry, keep_hardware=account.shows_devices)

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
    return True


async def async_unload_entry(hass: HomeAssistant, entry: EspCloudConfigEntry) -> bool:
    """Unload an account, the connections first: nobody hears commands without entities."""
    await entry.runtime_data.async_close()
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: EspCloudConfigEntry) -> None:
    """Remove what was stored of an account's devices."""
    await StateStore(hass, entry.entry_id).async_remove()


async def async_migrate_entry(hass: HomeAssistant, entry: EspCloudConfigEntry) -> bool:
    """Accept what this version can read: its own major version, any minor one.

    A minor version only adds, so an entry of a newer one works after a downgrade.
    """
    return entry.version == EspCloudConfigFlow.VERSION


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: EspCloudConfigEntry, device: dr.DeviceEntry
) -> bool:
    """Remove a device, where it would not come back.

    A virtual one comes from its subentry, whose *Delete* does the same. One that the
    account has stays for as long as the account lists it.
    """
    subentry_id = device.config_subentry_id
    if subentry_id is not None:
        if subentry_id in entry.subentries:
            hass.config_entries.async_remove_subentry(entry, subentry_id)
        return True
    if entry.state is not ConfigEntryState.LOADED:
        return True
    return entry.runtime_data.of(device) is None


@callback
def _async_remove_orphans(
    hass: HomeAssistant, entry: EspCloudConfigEntry, *, keep_hardware: bool
) -> None:
    """Remove devices whose subentry is gone, and those that are not to be shown."""
    registry = dr.async_get(hass)
    for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
        if device.config_subentry_id is None:
            is_orphan = not keep_hardware
        else:
            is_orphan = device.config_subentry_id not in entry.subentries
        if is_orphan:
            registry.async_remove_device(device.id)
