"""The Espressif IoT Cloud integration: Home Assistant as a device, as an owner, as the cloud."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.typing import ConfigType

from .account_entry import async_setup_account_entry
from .config_flow import EspCloudConfigFlow
from .const import CONF_SHOW_DEVICES, DOMAIN, PLATFORMS
from .coordinator import EspCloudConfigEntry
from .entries import is_local
from .local_entry import (
    async_close_local_entry,
    async_remove_local_entry,
    async_setup_local_entry,
)
from .services import async_register_services
from .state_store import StateStore

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the action, which is there whether or not an account is set up."""
    async_register_services(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: EspCloudConfigEntry) -> bool:
    """Set up an account and its devices, or the cloud that Home Assistant is."""
    _async_remove_orphans(
        hass, entry, keep_hardware=entry.options.get(CONF_SHOW_DEVICES, True)
    )
    if is_local(entry):
        await async_setup_local_entry(hass, entry)
    else:
        await async_setup_account_entry(hass, entry)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: EspCloudConfigEntry) -> bool:
    """Unload an entry, the connections first: nobody hears commands without entities."""
    if is_local(entry):
        await async_close_local_entry(entry)
    else:
        await entry.runtime_data.async_close()
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: EspCloudConfigEntry) -> None:
    """Remove what was stored of an account's devices."""
    await StateStore(hass, entry.entry_id).async_remove()
    if is_local(entry):
        await async_remove_local_entry(hass)


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
