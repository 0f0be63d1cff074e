"""The sockets at which a service listens: one at each address of its hosts, all with one port."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
import errno
import logging
import socket
from typing import Any, NamedTuple

_LOGGER = logging.getLogger(__name__)

_TRIES = 16
"""Free ports of one address that are tried at the others as well."""


class Address(NamedTuple):
    """An address of a `host`, as it was named; `place` is what a socket takes, its port apart."""

    host: str
    family: int
    place: tuple[Any, ...]


async def usable_addresses(hosts: Iterable[str]) -> list[Address]:
    """Return the addresses of all hosts, "" being every one of this machine.

    What this machine has no address family for, such as IPv6 where that is switched off, is left out
    as long as something else is there. Raises OSError where nothing is, for a host that does not
    exist, and for an address at which nobody may listen.
    """
    found = [address for host in hosts for address in await _resolve(host)]
    usable: list[Address] = []
    missing: OSError | None = None
    for address in dict.fromkeys(found):
        try:
            _bind(address, 0).close()
        except OSError as error:
            if not _lacks_family(address, error):
                raise
            missing = error
            _LOGGER.info("Not listening at %s: %s", address.place[0], error.strerror)
        else:
            usable.append(address)
    if missing is not None and not usable:
        raise missing
    return usable


def listening_sockets(
    addresses: Sequence[Address], port: int, *, backlog: int
) -> list[socket.socket]:
    """Return a socket that listens at each address, all with one port; 0 is any free one.

    Whoever connects waits until somebody accepts. Raises OSError where one of them cannot be had;
    then there is none.
    """
    tries = _TRIES if port == 0 else 1
    while True:
        try:
            return _listen_at_all(addresses, port, backlog)
        except OSError as error:
            tries -= 1
            if tries == 0 or error.errno != errno.EADDRINUSE:
                raise


def _listen_at_all(
    addresses: Sequence[Address], port: int, backlog: int
) -> list[socket.socket]:
    """Do it once: where the port is any, the others have the first one's."""
    sockets = []
    with ExitStack() as opened:
        for address in addresses:
            sock = opened.enter_context(_listen(address, port, backlog))
            port = sock.getsockname()[1]
            sockets.append(sock)
        opened.pop_all()
    return sockets


async def _resolve(host: str) -> list[Address]:
    kind, flags = socket.SOCK_STREAM, socket.AI_PASSIVE
    try:
        # An address needs no look-up, for which a thread would be left behind.
        infos = socket.getaddrinfo(
            host or None, 0, type=kind, flags=flags | socket.AI_NUMERICHOST
        )
    except socket.gaierror:
        loop = asyncio.get_running_loop()
        infos = await loop.getaddrinfo(host, 0, type=kind, flags=flags)
    return [Address(host, family, place) for family, _, _, _, place in infos]


def _listen(address: Address, port: int, backlog: int) -> socket.socket:
    sock = _bind(address, port)
    try:
        sock.listen(backlog)
    except OSError as error:
        sock.close()
        raise _explained(address, port, error) from error
    return sock


def _bind(address: Address, port: int) -> socket.socket:
    """Return a socket that has the port; one for IPv6 leaves that of IPv4 to others."""
    try:
        # asyncio switches the delay of small segments off only where the protocol is named
        # (protocol.md §3.9, 8).
        sock = socket.socket(address.family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as error:
        raise _explained(address, port, error) from error
    try:
        sock.setblocking(False)
        # Connections of a server that has just ended do not keep its port.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if address.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address.place[0], port, *address.place[2:]))
    except OSError as error:
        sock.close()
        raise _explained(address, port, error) from error
    return sock


def _explained(address: Address, port: int, error: OSError) -> OSError:
    """Return the error with what it is about; its type follows from its number, as ever."""
    reason = (error.strerror or str(error)).lower()
    where = (address.place[0], port, *address.place[2:])
    return OSError(error.errno, f"cannot listen at {where}: {reason}")


def _lacks_family(address: Address, error: OSError) -> bool:
    """Say whether it is the machine's lack of a family, rather than a wrong address of this one.

    IPv4 that is there at all has every address that somebody names rightly.
    """
    return error.errno == errno.EAFNOSUPPORT or (
        error.errno == errno.EADDRNOTAVAIL and address.family == socket.AF_INET6
    )
