"""Groups of devices, such as rooms: made, renamed, deleted, and which devices are in them."""

from aiohttp import web

from local_cloud.errors import ApiError
from local_cloud.models import DeviceGroup

from .. import questions
from ..fields import read_name
from ..grouping import API, move
from ..holdings import Holding, holdings
from ..responses import redirect
from ..routing import Route
from ..standing import is_online
from ..visits import Visit

_FIELD = "device-"
"""Begins the name of a device's box in the form."""


async def show_all(visit: Visit) -> web.StreamResponse:
    """Show the groups with their devices, and the form for one more."""
    return _list(visit)


async def make(visit: Visit) -> web.StreamResponse:
    """Make a group, and go on to choose its devices."""
    form = await visit.form()
    try:
        group = {"name": read_name(form)}
        reply = await visit.call("POST", API, {"deviceGroups": [group]})
    except ApiError as error:
        return _list(visit, form.get("name", ""), error)
    return redirect(f"/groups/{reply['deviceGroups'][0]['id']}?done=group_made")


async def show(visit: Visit, number: int) -> web.StreamResponse:
    """Show a group's name, and which of the devices are in it."""
    return _one(visit, number)


async def rename(visit: Visit, number: int) -> web.StreamResponse:
    """Give a group another name."""
    form = await visit.form()
    try:
        group = {"id": number, "name": read_name(form)}
        await visit.call("PUT", API, {"deviceGroups": [group]})
    except ApiError as error:
        return _one(visit, number, error)
    return redirect(f"/groups/{number}?done=group_renamed")


async def choose(visit: Visit, number: int) -> web.StreamResponse:
    """Have the devices in the group whose boxes are ticked, and no other one that was shown."""
    form = await visit.form()
    group = _group(visit, number)
    try:
        for each in _movable(visit):
            device = each.device.id
            if (is_wanted := f"{_FIELD}{device}" in form) != (
                device in group.device_ids
            ):
                await move(visit, number, device, into=is_wanted)
    except ApiError as error:
        return _one(visit, number, error)
    return redirect(f"/groups/{number}?done=group_chosen")


async def ask(visit: Visit, number: int) -> web.StreamResponse:
    """Ask once more before a group is deleted."""
    return questions.ask(
        visit,
        "delete_group",
        _group(visit, number).name,
        action=f"/groups/{number}/delete",
        back=f"/groups/{number}",
    )


async def delete(visit: Visit, number: int) -> web.StreamResponse:
    """Delete a group; its devices stay."""
    await questions.confirmed(visit)
    await visit.call("DELETE", API, {"deviceGroups": [{"id": number}]})
    return redirect("/groups?done=group_deleted")


def _list(
    visit: Visit, name: str = "", error: ApiError | None = None
) -> web.StreamResponse:
    found = _movable(visit)
    groups = visit.cloud.store.groups_of(visit.signed_in.user).values()
    return visit.page(
        "groups.html",
        status=error.status if error else 200,
        groups=[(group, _members(group, found)) for group in groups],
        name=name,
        error=visit.told(error),
    )


def _one(
    visit: Visit, number: int, error: ApiError | None = None
) -> web.StreamResponse:
    group = _group(visit, number)
    others = [
        each
        for each in visit.cloud.store.groups_of(visit.signed_in.user).values()
        if each is not group
    ]
    found = _movable(visit)
    return visit.page(
        "group.html",
        status=error.status if error else 200,
        group=group,
        devices=[
            (
                each.device,
                is_online(visit.cloud, each.device),
                [other.name for other in others if each.device.id in other.device_ids],
            )
            for each in found
        ],
        field=_FIELD,
        error=visit.told(error),
    )


def _movable(visit: Visit) -> list[Holding]:
    """Return the devices that may be in groups: those to which the account has a key."""
    return [each for each in holdings(visit) if each.key is not None]


def _members(group: DeviceGroup, found: list[Holding]) -> list[Holding]:
    return [each for each in found if each.device.id in group.device_ids]


def _group(visit: Visit, number: int) -> DeviceGroup:
    group = visit.cloud.store.groups_of(visit.signed_in.user).get(number)
    if group is None:
        raise ApiError(404, "group not exists")
    return group


_GROUP = "/groups/{number:number}"
ROUTES = (
    Route("GET", "/groups", show_all),
    Route("POST", "/groups", make),
    Route("GET", _GROUP, show),
    Route("POST", f"{_GROUP}/rename", rename),
    Route("POST", f"{_GROUP}/devices", choose),
    Route("GET", f"{_GROUP}/ask-delete", ask),
    Route("POST", f"{_GROUP}/delete", delete),
)
