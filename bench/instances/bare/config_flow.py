"""What Home Assistant asks for the version of an entry; nobody sees it."""

from bench.instances.bare import DOMAIN
from homeassistant.config_entries import ConfigFlow


class BareConfigFlow(ConfigFlow, domain=DOMAIN):
    """Has the version of its entries."""
