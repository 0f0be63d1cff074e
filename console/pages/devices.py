"""All devices of the account, as a list that keeps itself up to date."""

from functools import partial

from aiohttp import web

from local_cloud.errors import ApiError
from local_cloud.listeners import (
    DatapointReceived,
    DeviceActivated,
    DeviceConnected,
    DeviceDisconnected,
    Event,
)

from ..events import Send
from ..holdings import concerns, holdings
from ..responses import redirect
from ..routing import Route
from ..standing import is_online, is_sensor, online_event
from ..visits import Visit


async def show(visit: Visit) -> web.StreamResponse:
    """Show the list, in the account's groups where it has any."""
    found = holdings(visit)
    by_group = []
    rest = {each.device.id: each for each in found}
    for group in visit.cloud.store.groups_of(visit.signed_in.user).values():
        members = [each for each in found if each.device.id in group.device_ids]
        by_group.append((group, members))
        for each in members:
            rest.pop(each.device.id, None)
    return visit.page(
        "devices.html",
        by_group=by_group,
        rest=list(rest.values()),
        is_online=lambda each: is_online(visit.cloud, each.device),
        products=list(visit.cloud.store.products_of(visit.signed_in.user)),
        count=len(found),
    )


async def join(visit: Visit) -> web.StreamResponse:
    """Take a device with the token that its owner shared, or that it activated with."""
    form = await visit.form()
    token = form.get("token", "").strip()
    try:
        reply = await visit.call("POST", "/v1/key/authorize/", {"token": token})
    except ApiError as error:
        if error.status == 404:
            raise ApiError(404, "token not exists") from None
        raise
    return redirect(f"/devices/{reply['device']['id']}?done=joined")


async def stream(visit: Visit) -> web.StreamResponse:
    """Tell which of the devices are there, and then which come, go and post."""

    def begin(send: Send) -> None:
        for each in holdings(visit):
            send("online", online_event(visit.cloud, each.device))

    return await visit.events.follow(visit, partial(_tell, visit), begin)


def _tell(visit: Visit, send: Send, event: Event) -> None:
    """Send on what happened to a device that the account has now."""
    match event:
        case (
            DeviceConnected()
            | DeviceDisconnected()
            | DeviceActivated()
            | DatapointReceived()
        ):
            if not concerns(visit, event.device.id):
                return
    match event:
        case DeviceConnected() | DeviceDisconnected():
            send("online", online_event(visit.cloud, event.device))
            send("seen", {"id": event.device.id})
        case DeviceActivated():
            send("seen", {"id": event.device.id})
        case DatapointReceived():
            if is_sensor(event.device):
                send("online", online_event(visit.cloud, event.device))
            send(
                "datapoint",
                {
                    "id": event.device.id,
                    "stream": event.stream,
                    "values": event.values,
                    "at": event.at,
                },
            )


ROUTES = (
    Route("GET", "/devices", show),
    Route("POST", "/devices/join", join),
    Route("GET", "/events", stream),
)
