"""The address at which devices of the network reach this server, as far as it can know."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
import socket
from urllib.parse import urlsplit

from aiohttp import web

_ANYWHERE = ("192.0.2.1", 9)
"""An address of the documentation (RFC 5737), to learn which interface leads away from here."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Where devices find this server.

    `address` is an IPv4 address, for firmware asks DNS for no other; "" where none is known. Where
    `is_loopback_only`, no device can reach it, and the address is the one that it could have.
    """

    address: str
    is_loopback_only: bool


def reach(hosts: tuple[str, ...], http: web.BaseRequest) -> Reach:
    """Say how a server that listens at `hosts`, and that a browser reached by `http`, is reached."""
    is_loopback_only = all(map(is_loopback, hosts))
    return Reach(
        address=next(filter(_is_of_network, _candidates(hosts, http)), ""),
        is_loopback_only=is_loopback_only,
    )


def site_url(hosts: tuple[str, ...], http: web.BaseRequest) -> str:
    """Return where others find the site: as this browser did, or else at the address of the network.

    Without a slash at the end.
    """
    found = reach(hosts, http)
    host = http.host
    if is_loopback(_host_of(http)) and found.address and not found.is_loopback_only:
        _, _, port = host.rpartition(":")
        host = f"{found.address}:{port}" if port.isdecimal() else found.address
    return f"{http.scheme}://{host}"


def _candidates(hosts: tuple[str, ...], http: web.BaseRequest) -> Iterator[str]:
    """Name addresses, the surest first; some are none that a device could use."""
    yield from hosts
    yield _host_of(http)
    if http.transport is not None:
        here = http.transport.get_extra_info("sockname")
        yield here[0].removeprefix("::ffff:") if isinstance(here, tuple) else ""
    yield _of_interface()


def _host_of(http: web.BaseRequest) -> str:
    """Return what the person typed as the address of the site."""
    try:
        return urlsplit(f"//{http.host}").hostname or ""
    except ValueError:
        return ""


def _of_interface() -> str:
    """Return the address of the interface that leads away; "connecting" UDP sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ANYWHERE)
        except OSError:
            return ""
        return str(probe.getsockname()[0])


def _is_of_network(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return isinstance(address, IPv4Address) and not (
        address.is_loopback or address.is_unspecified or address.is_multicast
    )


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
