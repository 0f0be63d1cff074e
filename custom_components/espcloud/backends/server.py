"""The server an account lives on, and its two ports."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from typing import Any, Self
from urllib.parse import urlsplit

from yarl import URL

from homeassistant.const import CONF_PORT, CONF_SSL, CONF_URL, CONF_VERIFY_SSL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util.network import is_local
from homeassistant.util.ssl import client_context, client_context_no_verify

from ..cloud import CloudClient, Endpoint
from ..const import DEFAULT_URL

# Names that are resolved in the local network and nowhere else (RFC 6761, 6762, 8375;
# .internal: ICANN 2024), or that routers give it.
_LOCAL_SUFFIXES = (".local", ".localhost", ".home.arpa", ".internal", ".lan")


class InvalidServerError(ValueError):
    """What was typed is no server.

    Attributes:
        problem: what is wrong, the translation key of an error.
    """

    def __init__(self, problem: str) -> None:
        """Say what is wrong."""
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Server:
    """Where a cloud is; the fields are named as an account's entry data names them.

    Two servers on one host are two clouds: each counts its accounts and devices from 1.

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
            InvalidServerError: the URL is not that of a web server, or the port is none.
        """
        try:
            text = data[CONF_URL].strip()
            url = URL(text)
            has_user = "@" in urlsplit(text).netloc
            is_web_server = url.scheme in ("http", "https") and bool(url.host)
        except ValueError as err:
            raise InvalidServerError("invalid_url") from err
        if not is_web_server:
            raise InvalidServerError("invalid_url")
        if has_user:
            raise InvalidServerError("url_with_user")
        port = data[CONF_PORT]
        if not 1 <= port <= 65535 or port != int(port):
            raise InvalidServerError("invalid_port")
        return cls(
            url=str(url.origin()),
            port=int(port),
            ssl=data[CONF_SSL],
            verify_ssl=data[CONF_VERIFY_SSL],
        )

    @property
    def host(self) -> str:
        """Name or address of the server."""
        host = URL(self.url).host
        assert host is not None
        return host

    @property
    def name(self) -> str:
        """What tells it from every other server: `host:port` of the HTTP API."""
        url = URL(self.url)
        return f"{url.host_subcomponent}:{url.port}"

    @property
    def web_page(self) -> str | None:
        """Its page for people; only the public cloud has one."""
        return self.url if self.host == URL(DEFAULT_URL).host else None

    @property
    def is_overheard(self) -> bool:
        """Whether a password would travel in clear text beyond the local network."""
        if self.url.startswith("https:"):
            return False
        try:
            address = ip_address(self.host)
        except ValueError:
            return "." in self.host and not self.host.endswith(_LOCAL_SUFFIXES)
        return not is_local(address)

    def account_id(self, user_id: int) -> str:
        """Return the unique id of an account."""
        return f"{self.name}_{user_id}"

    def as_data(self) -> dict[str, Any]:
        """Return the form in which an entry keeps it."""
        return asdict(self)

    def client(self, hass: HomeAssistant) -> CloudClient:
        """Return a client of the HTTP API, on Home Assistant's own web session."""
        session = async_get_clientsession(hass, verify_ssl=self.verify_ssl)
        return CloudClient.over_http(session, self.url)

    def endpoint(self) -> Endpoint:
        """Return the device port. The TLS context is Home Assistant's, and shared."""
        context = None
        if self.ssl:
            context = (
                client_context() if self.verify_ssl else client_context_no_verify()
            )
        return Endpoint(self.host, self.port, context)
