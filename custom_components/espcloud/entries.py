"""The two sorts of config entries: an account at a cloud, and the cloud in Home Assistant."""

from collections.abc import Iterator

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from .const import DOMAIN, LOCAL_UNIQUE_ID


def is_local(entry: ConfigEntry) -> bool:
    """Tell whether in an entry Home Assistant is the cloud."""
    return entry.unique_id == LOCAL_UNIQUE_ID


def local_entry(hass: HomeAssistant) -> ConfigEntry | None:
    """Return the entry in which Home Assistant is the cloud, None where it is none."""
    return hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, LOCAL_UNIQUE_ID)


def account_entries(hass: HomeAssistant) -> Iterator[ConfigEntry]:
    """Return the entries of accounts at clouds; what a person ignored has no data."""
    for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False):
        if not is_local(entry):
            yield entry
