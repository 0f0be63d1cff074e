"""The addresses of peers, as far as limits are concerned."""

from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

IN_PROCESS = "in process"
"""Stands for the address of a caller within this process, whom every account knows; no address of
the network is written so."""
KNOWN_FOR = 30 * 86_400.0
"""Seconds for which an account knows an address after its last use."""
MAX_KNOWN = 16
"""Addresses that an account knows; the one unused for longest goes first."""


_LOCAL = tuple(
    map(
        ip_network,
        (
            *("127.0.0.0/8", "::1/128"),  # loopback
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),  # RFC 1918
            "fc00::/7",  # unique local addresses
            *("169.254.0.0/16", "fe80::/10"),  # link-local
        ),
    )
)
"""What Python calls private is more: the addresses of examples and of benchmarks, for instance."""


@lru_cache(maxsize=4096)
def network_of(peer: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 of an IPv6 address.

    A household gets a /64 at least and may use any address in it.
    """
    try:
        address = ip_address(peer)
    except ValueError:
        return peer
    if not isinstance(address, IPv6Address):
        return peer
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address.packed, 64), strict=False))


@lru_cache(maxsize=4096)
def is_local(peer: str) -> bool:
    """Say whether an address is one of the local network or of this machine.

    An IPv4 address that is written as an IPv6 one counts as what it is.
    """
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in _LOCAL)


class KnownAddresses:
    """Where each account's owner has been lately: a sign-in succeeded there, or a user key worked.

    Kept in memory: after a restart an address is known again once its user key was used.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        """Read the time, in seconds, from `now`."""
        self._now = now
        self._used: dict[int, OrderedDict[str, float]] = {}
        """By account: each address with the time of its last use, newest last."""

    def note(self, user_id: int, peer: str) -> None:
        """Note that the account's owner is at this address."""
        if peer == IN_PROCESS:
            return
        used = self._used.setdefault(user_id, OrderedDict())
        network = network_of(peer)
        used[network] = self._now()
        used.move_to_end(network)
        if len(used) > MAX_KNOWN:
            used.popitem(last=False)

    def has(self, user_id: int, peer: str) -> bool:
        """Say whether the account knows the address."""
        if peer == IN_PROCESS:
            return True
        used = self._used.get(user_id)
        used_at = used.get(network_of(peer)) if used else None
        return used_at is not None and self._now() - used_at < KNOWN_FOR

    def forget(self, user_id: int) -> None:
        """Forget the account's addresses."""
        self._used.pop(user_id, None)
