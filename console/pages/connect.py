"""Connecting a device: what the router, the firewall and the device need, and whether one has come."""

import asyncio
from functools import partial
import json
import secrets
from typing import Any

from aiohttp import web

from local_cloud.listeners import (
    DatapointReceived,
    DeviceActivated,
    DeviceConnected,
    DeviceDisconnected,
    Event,
    PendingAppeared,
    PendingChanged,
    PendingGone,
    UnknownKey,
)

from .. import frames
from ..events import Send
from ..holdings import concerns, holdings
from ..own_address import reach
from ..pending_handles import listed
from ..routing import Route
from ..standing import is_online
from ..visits import Visit

FIRMWARE_PORT = 8000
"""The only device port that Espressif's firmware knows (protocol.md §3); 8443 is that with TLS."""
FIRMWARE_TLS_PORT = 8443
EXAMPLE_ADDRESS = "192.168.1.5"
"""Stands where the server does not know its own."""


async def show(visit: Visit) -> web.StreamResponse:
    """Show how to connect a device, with this server's own address in place."""
    cloud = visit.cloud
    found = reach(cloud.hosts, visit.http)
    address = found.address or EXAMPLE_ADDRESS
    return visit.page(
        "connect.html",
        reach=found,
        address=address,
        # What this machine itself connects to, where nobody else can.
        assistant=cloud.device_host if found.is_loopback_only else address,
        hosts=", ".join(cloud.hosts),
        port=cloud.addresses.device,
        tls_port=cloud.addresses.device_tls,
        firmware_port=FIRMWARE_PORT,
        firmware_tls_port=FIRMWARE_TLS_PORT,
        rpc=_RPC.format(api=f"{visit.http.scheme}://{visit.http.host}"),
        dnat=_DNAT.format(address=address, port=cloud.addresses.device or 0),
        frames=_frames(),
        **_heard(visit),
    )


async def heard(visit: Visit) -> web.StreamResponse:
    """Show the part of the page that says who has come."""
    return visit.page("connect_heard.html", **_heard(visit))


async def stream(visit: Visit) -> web.StreamResponse:
    """Tell when that part has changed, and of keys that nobody knows."""
    return await visit.events.follow(visit, partial(_tell, visit))


def _heard(visit: Visit) -> dict[str, Any]:
    """Return the account's devices that are here, and for the operator those that wait."""
    return {
        "online": [
            each for each in holdings(visit) if is_online(visit.cloud, each.device)
        ],
        "pending": [
            {"handle": handle, "device": device} for handle, device in listed(visit)
        ],
    }


def _tell(visit: Visit, send: Send, event: Event) -> None:
    match event:
        case (
            DeviceConnected()
            | DeviceDisconnected()
            | DeviceActivated()
            | DatapointReceived()
        ):
            if concerns(visit, event.device.id):
                send("changed", {})
        case PendingAppeared() | PendingChanged() | PendingGone():
            if visit.is_operator:
                send("changed", {})
        case UnknownKey():
            # Strangers learn of what comes from their own address alone.
            if visit.is_operator or event.address == visit.http.remote:
                # The key is noted as pending, where it is, after this.
                asyncio.get_running_loop().call_soon(_tell_unknown, visit, send, event)


def _tell_unknown(visit: Visit, send: Send, event: UnknownKey) -> None:
    waiting = {device.key for device in visit.cloud.operator.pending_devices()}
    if not visit.is_operator or event.key not in waiting:
        send("unknown", {"address": event.address})


def _frames() -> dict[str, str]:
    """Return what a device says, in the order of a session.

    Who knows the token of an activation can take the device, so no two pages have the same one.
    """
    session = {
        "activate": frames.activate(_KEY, 1, secrets.token_hex(20)),
        "identify": frames.identify(_KEY, 2),
        "datapoint": frames.datapoint(_KEY, 3, "light", {"x": 25}),
        "answer": frames.answer(912639262),
        "ping": frames.ping(_KEY, 4),
    }
    return {name: json.dumps(frame, indent=2) for name, frame in session.items()}


_KEY = "MASTER_DEVICE_KEY"
_RPC = """\
curl -H "Authorization: token OWNER_KEY" \\
  "{api}/v1/device/rpc/?deliver_to_device=true&action=LED_ON"\
"""
_DNAT = """\
iptables -t nat -A PREROUTING -d 115.29.202.58,114.215.177.97 \\
  -p tcp --dport 8000 -j DNAT --to-destination {address}:{port}
iptables -t nat -A POSTROUTING -d {address} -p tcp --dport {port} \\
  -m conntrack --ctstate DNAT -j MASQUERADE\
"""
"""For firmware with one of the known addresses of the cloud in it."""
ROUTES = (
    Route("GET", "/connect", show),
    Route("GET", "/connect/heard", heard),
    Route("GET", "/connect/events", stream),
)
