"""Where a cloud is reached: each service at a plain port, at a TLS port, or at both."""

from collections.abc import Sequence
from dataclasses import dataclass
import socket
import ssl
from typing import Protocol

from .admission import backlog
from .listening import Address, listening_sockets


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The host and the ports that are open; None stands for a port that is not."""

    host: str
    http: int | None
    https: int | None
    device: int | None
    device_tls: int | None
    websocket: int | None = None
    websocket_tls: int | None = None

    @property
    def http_url(self) -> str | None:
        """The plain HTTP API."""
        return self._at(self.http, "http://")

    @property
    def https_url(self) -> str | None:
        """The HTTP API over TLS."""
        return self._at(self.https, "https://")

    @property
    def device_address(self) -> str | None:
        """The plain device port, as HOST:PORT."""
        return self._at(self.device)

    @property
    def device_tls_address(self) -> str | None:
        """The device port that speaks TLS, as HOST:PORT."""
        return self._at(self.device_tls)

    @property
    def websocket_url(self) -> str | None:
        """The device port as a WebSocket."""
        return self._at(self.websocket, "ws://")

    @property
    def websocket_tls_url(self) -> str | None:
        """The device port as a WebSocket over TLS."""
        return self._at(self.websocket_tls, "wss://")

    def _at(self, port: int | None, scheme: str = "") -> str | None:
        if port is None:
            return None
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}{host}:{port}"


class Server(Protocol):
    """What accepts connections, at several ports."""

    async def open(
        self, sockets: Sequence[socket.socket], ssl_context: ssl.SSLContext | None
    ) -> None:
        """Take sockets that listen at one more port, to accept at them once it serves."""


@dataclass(frozen=True, slots=True)
class ServicePorts:
    """The ports that a service is to have; None is none, 0 is any free one."""

    plain: int | None
    tls: int | None
    ssl_context: ssl.SSLContext | None

    async def open(
        self, server: Server, addresses: Sequence[Address]
    ) -> tuple[int | None, int | None]:
        """Open them and return the plain one and the TLS one. Raises OSError."""
        plain, tls = self.plain, self.tls
        if plain is not None:
            plain = await _open(server, addresses, plain, None)
        if tls is not None:
            tls = await _open(server, addresses, tls, self.ssl_context)
        return plain, tls


NO_PORTS = ServicePorts(None, None, None)
"""Of a service that is not offered."""


async def _open(
    server: Server,
    addresses: Sequence[Address],
    port: int,
    ssl_context: ssl.SSLContext | None,
) -> int:
    sockets = listening_sockets(addresses, port, backlog=backlog())
    await server.open(sockets, ssl_context)
    return int(sockets[0].getsockname()[1])


def service_ports(
    plain: int | None, tls: int | None, ssl_context: ssl.SSLContext | None
) -> ServicePorts:
    """Choose any free port where none is named, with TLS if there is a context.

    Raises ValueError for a TLS port without a context.
    """
    if plain is None and tls is None:
        plain, tls = (0, None) if ssl_context is None else (None, 0)
    if tls is not None and ssl_context is None:
        raise ValueError("a TLS port needs an ssl_context")
    return ServicePorts(plain, tls, ssl_context)


def reachable(host: str) -> str:
    """Return an address at which this machine reaches the ports of a listening host."""
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)
