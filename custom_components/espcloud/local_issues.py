"""What a person has to put right about the cloud in Home Assistant; each issue clears itself."""

import asyncio
from datetime import datetime
import socket

from homeassistant.components.network import async_get_adapters
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .backends.server import Server
from .const import DOMAIN
from .entries import account_entries
from .issues import LEARN_MORE
from .markdown import escaped

ISSUE_PORT = "local_port"
ISSUE_KEY_CONTESTED = "key_contested"
ISSUE_OWN_ADDRESS = "own_address"


class LocalIssues:
    """The repair issues of the cloud."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Raise nothing yet."""
        self._hass = hass
        self._contested: set[int] = set()
        self._misled: set[str] = set()

    @callback
    def raise_port(self, port: int) -> None:
        """Say that the cloud cannot have its port."""
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            ISSUE_PORT,
            is_fixable=False,
            learn_more_url=LEARN_MORE,
            severity=ir.IssueSeverity.ERROR,
            translation_key=ISSUE_PORT,
            translation_placeholders={"port": str(port)},
        )

    @callback
    def clear_port(self) -> None:
        """The cloud has its port, or does not want it any more."""
        ir.async_delete_issue(self._hass, DOMAIN, ISSUE_PORT)

    @callback
    def raise_contested(
        self, device_id: int, device: str, addresses: tuple[str, str]
    ) -> None:
        """Say that two devices have one key, and where they are."""
        self._contested.add(device_id)
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            f"{ISSUE_KEY_CONTESTED}_{device_id}",
            is_fixable=False,
            learn_more_url=LEARN_MORE,
            severity=ir.IssueSeverity.WARNING,
            translation_key=ISSUE_KEY_CONTESTED,
            translation_placeholders={
                "device": device,
                "device_markdown": escaped(device),
                "one": escaped(addresses[0]),
                "other": escaped(addresses[1]),
            },
        )

    @callback
    def clear_contested(self, device_id: int) -> None:
        """Nobody else uses the key of a device any more."""
        if device_id in self._contested:
            self._contested.discard(device_id)
            ir.async_delete_issue(
                self._hass, DOMAIN, f"{ISSUE_KEY_CONTESTED}_{device_id}"
            )

    async def async_look_for_own_address(self, _now: datetime | None = None) -> None:
        """Say of each account at the public cloud whose name leads to Home Assistant itself.

        The address of a server of somebody's own may be that of this machine.
        """
        own = {
            address["address"]
            for adapter in await async_get_adapters(self._hass)
            for address in (*adapter["ipv4"], *adapter["ipv6"])
        }
        for entry in account_entries(self._hass):
            server = Server.from_data(entry.data)
            if server.web_page is not None and own & await _addresses(server.host):
                self._raise_own_address(entry, server.host)
            elif entry.entry_id in self._misled:
                self._clear_own_address(entry.entry_id)

    def _raise_own_address(self, entry: ConfigEntry, host: str) -> None:
        self._misled.add(entry.entry_id)
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            f"{ISSUE_OWN_ADDRESS}_{entry.entry_id}",
            is_fixable=False,
            learn_more_url=LEARN_MORE,
            severity=ir.IssueSeverity.WARNING,
            translation_key=ISSUE_OWN_ADDRESS,
            translation_placeholders={
                "account_markdown": escaped(entry.title),
                "host": host,
            },
        )

    def _clear_own_address(self, entry_id: str) -> None:
        self._misled.discard(entry_id)
        ir.async_delete_issue(self._hass, DOMAIN, f"{ISSUE_OWN_ADDRESS}_{entry_id}")

    @callback
    def clear(self) -> None:
        """The cloud is not there any more, so nothing is wrong with it."""
        for device_id in list(self._contested):
            self.clear_contested(device_id)
        for entry_id in list(self._misled):
            self._clear_own_address(entry_id)


async def _addresses(host: str) -> set[str]:
    """Return the addresses that a name has now; none where it has none."""
    loop = asyncio.get_running_loop()
    try:
        infos = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return set()
    return {str(place[0]) for _, _, _, _, place in infos}
