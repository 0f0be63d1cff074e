"""The server an account lives on, and its two ports."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from yarl import URL

from homeassistant.const import CONF_PORT, CONF_SSL, CONF_URL, CONF_VERIFY_SSL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util.ssl import client_context, client_context_no_verify

from .cloud import CloudClient, Endpoint


@dataclass(frozen=True, slots=True)
class Server:
    """Where a cloud is; the fields are named as an account's entry data names them.

    Attributes:
        url: origin of the HTTP API, such as `https://iot.espressif.cn`.
        port: the device port, on the same host.
        ssl: whether the device port speaks TLS.
        verify_ssl: whether certificates are checked, on both ports.
    """

    url: str
    port: int
    ssl: bool
    verify_ssl: bool

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read entry data or the form's server section.

        Raises:
            ValueError: the URL is not that of a web server.
        """
        url = URL(data[CONF_URL].strip())
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError("not the URL of a web server")
        return cls(
            url=str(url.origin()),
            port=int(data[CONF_PORT]),
            ssl=data[CONF_SSL],
            verify_ssl=data[CONF_VERIFY_SSL],
        )

    @property
    def host(self) -> str:
        """Name or address of the server."""
        host = URL(self.url).host
        assert host is not None
        return host

    def as_data(self) -> dict[str, Any]:
        """Return the form in which an entry keeps it."""
        return asdict(self)

    def client(self, hass: HomeAssistant) -> CloudClient:
        """Return a client of the HTTP API, on Home Assistant's own web session."""
        session = async_get_clientsession(hass, verify_ssl=self.verify_ssl)
        return CloudClient(session, self.url)

    def endpoint(self) -> Endpoint:
        """Return the device port. The TLS context is Home Assistant's, and shared."""
        context = None
        if self.ssl:
            context = (
                client_context() if self.verify_ssl else client_context_no_verify()
            )
        return Endpoint(self.host, self.port, context)
