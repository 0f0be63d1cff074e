"""The entry in which Home Assistant is the cloud: bind, then show, then serve."""

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_track_time_interval

from .backends.local import (
    LocalServer,
    ServerUnusableError,
    database_path,
    remove_database,
)
from .const import ADDRESS_INTERVAL, DOMAIN, PLATFORMS
from .coordinator import EspCloudConfigEntry
from .devices import EspCloudDevices
from .discoveries import Discoveries, is_ignored
from .local_issues import LocalIssues
from .settings import server_settings
from .state_store import StateStore


async def async_setup_local_entry(
    hass: HomeAssistant, entry: EspCloudConfigEntry
) -> None:
    """Set up the cloud with its devices.

    Raises:
        ConfigEntryNotReady: it cannot run right now; the text says why.
    """
    server = LocalServer(
        hass,
        server_settings(entry.data),
        is_ignored=lambda key_hash: is_ignored(hass, key_hash),
    )
    issues = LocalIssues(hass)
    try:
        await server.async_bind()
    except ServerUnusableError as err:
        if err.port is not None:
            issues.raise_port(err.port)
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN,
            translation_key=err.obstacle,
            translation_placeholders={"port": str(err.port or "")},
        ) from err
    issues.clear_port()
    entry.async_on_unload(server.async_close)
    entry.async_on_unload(issues.clear)
    states = StateStore(hass, entry.entry_id)
    await states.async_load(entry.subentries)
    devices = EspCloudDevices.of_server(hass, entry, server, states, issues)
    entry.runtime_data = devices
    assert devices.local is not None
    discoveries = Discoveries(hass, entry, server, devices.local)
    entry.async_on_unload(discoveries.async_close)

    async def async_stop(_event: Event) -> None:
        # Entries are not unloaded when Home Assistant stops.
        discoveries.async_close()
        await async_close_local_entry(entry)

    entry.async_on_unload(
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, async_stop)
    )
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    devices.async_start()
    discoveries.async_start()

    @callback
    def async_entry_changed(change: ConfigEntryChange, changed: ConfigEntry) -> None:
        if changed is entry and change is ConfigEntryChange.UPDATED:
            devices.async_follow_subentries()

    entry.async_on_unload(
        async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, async_entry_changed)
    )
    # Only now: a post that nobody hears must not be acknowledged.
    await server.async_serve()
    entry.async_create_background_task(
        hass, issues.async_look_for_own_address(), "look for accounts that lead here"
    )
    entry.async_on_unload(
        async_track_time_interval(
            hass,
            issues.async_look_for_own_address,
            ADDRESS_INTERVAL,
            cancel_on_shutdown=True,
        )
    )


async def async_close_local_entry(entry: EspCloudConfigEntry) -> None:
    """Close the cloud first: nothing is acknowledged that nobody hears."""
    devices = entry.runtime_data
    assert devices.server is not None
    await devices.server.async_close()
    await devices.async_close()


async def async_remove_local_entry(hass: HomeAssistant) -> None:
    """Remove the database, and with it every key."""
    LocalIssues(hass).clear_port()
    await hass.async_add_executor_job(remove_database, database_path(hass))
