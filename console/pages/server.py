"""The server as the person who runs it sees it: accounts, connections, storage and addresses."""

from functools import partial
from typing import Any

from aiohttp import web

from local_cloud.listeners import DeviceConnected, DeviceDisconnected, Event
from local_cloud.usage import used_by

from ..events import Send
from ..routing import Route
from ..visits import Visit

_ACCOUNTS = 50
"""Accounts on a page: what each of them uses is counted anew every time."""
_CONNECTIONS = 200
"""Connections that are shown, the newest."""


async def show(visit: Visit) -> web.StreamResponse:
    """Show all of it."""
    cloud = visit.cloud
    users = sorted(cloud.store.users.values(), key=lambda each: each.id)
    text = visit.query.get("page", "")
    page = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 1
    pages = -(-len(users) // _ACCOUNTS)
    page = min(max(page, 1), pages)
    shown = users[(page - 1) * _ACCOUNTS : page * _ACCOUNTS]
    return visit.page(
        "server.html",
        accounts=[(user, used_by(cloud.store, user)) for user in shown],
        account_count=len(users),
        page=page,
        pages=pages,
        is_operators=cloud.operator.is_operator,
        addresses=cloud.addresses,
        hosts=cloud.hosts,
        started_at=int(cloud.operator.started_at),
        storage=await cloud.operator.storage_size(),
        sign_up=cloud.sign_up.value,
        invitations=cloud.operator.invitations(),
        device_count=len(cloud.store.devices),
        **_connections(visit),
    )


async def show_connections(visit: Visit) -> web.StreamResponse:
    """Show the connections alone."""
    return visit.page("server_connections.html", **_connections(visit))


async def stream(visit: Visit) -> web.StreamResponse:
    """Tell when devices come and go; who has not identified is seen with the next one that has."""
    return await visit.events.follow(visit, partial(_tell, visit))


def _connections(visit: Visit) -> dict[str, Any]:
    operator = visit.cloud.operator
    open_now = sorted(operator.connections(), key=lambda each: -each.since)
    user = visit.signed_in.user
    own = {key.device_id for key in visit.cloud.store.keyring.held_by(user)}
    return {
        "connections": open_now[:_CONNECTIONS],
        "connection_count": len(open_now),
        "own_devices": own,
        "refused": operator.refused_peers,
    }


def _tell(visit: Visit, send: Send, event: Event) -> None:
    if isinstance(event, DeviceConnected | DeviceDisconnected) and visit.is_operator:
        send("changed", {})


ROUTES = (
    Route("GET", "/server", show, is_for_operator=True),
    Route("GET", "/server/connections", show_connections, is_for_operator=True),
    Route("GET", "/server/events", stream, is_for_operator=True),
)
