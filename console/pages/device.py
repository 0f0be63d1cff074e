"""A device: what it is, its secrets, and what its owner does with it."""

from aiohttp import web

from local_cloud.errors import ApiError
from local_cloud.models import Device, KeyKind

from .. import grouping, questions
from ..fields import read_id, read_name
from ..holdings import holding, owned
from ..rendering import qr_code
from ..responses import json_response, redirect
from ..routing import Route
from ..tabs import tab
from ..visits import Visit


async def show(visit: Visit, number: int) -> web.StreamResponse:
    """Show the device's page, as the tutorial knows it and with what has been added."""
    found = holding(visit, number)
    store, user = visit.cloud.store, visit.signed_in.user
    owner = store.keyring.owner_key(found.device)
    guests = [
        (key, store.users.get(key.authorized_user_id))
        for key in store.keyring.concerning(user)
        if key.device_id == number and key.kind is KeyKind.SHARED
    ]
    groups = store.groups_of(user).values()
    return visit.page(
        "device.html",
        **tab(visit, found, "overview"),
        owner=store.users.get(owner.authorized_user_id) if owner else None,
        guests=guests if found.is_owner else [],
        groups=list(groups),
        own_groups={group.id for group in groups if number in group.device_ids},
        address=_address(visit, found.device),
    )


async def secrets(visit: Visit, number: int) -> web.StreamResponse:
    """Tell a script the device's secrets, for the person who asked to see them."""
    await visit.json()
    found = holding(visit, number)
    keyring = visit.cloud.store.keyring
    told = {}
    if found.may_see_secrets and (master := keyring.master_key(found.device)):
        told["master_key"] = _shown(master.token)
    if found.key is not None:
        told["device_key"] = _shown(found.key.token)
    return json_response(told)


async def rename(visit: Visit, number: int) -> web.StreamResponse:
    """Give the device another name."""
    form = await visit.form()
    name = read_name(form)
    await visit.call(
        "PUT",
        "/v1/device/",
        {"device": {"name": name}},
        key=owned(visit, number).token,
    )
    return redirect(f"/devices/{number}?done=renamed")


async def put_into_group(visit: Visit, number: int) -> web.StreamResponse:
    """Put the device into one group, or into none."""
    form = await visit.form()
    holding(visit, number)
    wanted = read_id(form, "group")
    groups = visit.cloud.store.groups_of(visit.signed_in.user).values()
    former = [each.id for each in groups if number in each.device_ids]
    # First, since a group that is gone by now must not cost the device the ones that it is in.
    if wanted:
        await grouping.move(visit, wanted, number, into=True)
    for group in former:
        if group != wanted:
            await grouping.move(visit, group, number, into=False)
    return redirect(f"/devices/{number}?done=moved")


async def take_over(visit: Visit, number: int) -> web.StreamResponse:
    """Own a device that the account has made and that nobody owns."""
    await visit.form()
    found = holding(visit, number)
    if visit.cloud.store.keyring.owner_key(found.device) is not None:
        raise ApiError(409, "somebody owns the device already")
    visit.cloud.own(found.device, visit.signed_in.user)
    await visit.cloud.flush()
    return redirect(f"/devices/{number}?done=taken")


async def ask(visit: Visit, number: int, question: str) -> web.StreamResponse:
    """Ask once more before something that cannot be undone."""
    found = owned(visit, number)
    if question not in _QUESTIONS:
        raise ApiError(404, "no such page")
    return questions.ask(
        visit,
        question,
        found.device.name,
        action=f"/devices/{number}/{question}",
        back=f"/devices/{number}",
    )


async def regenerate(visit: Visit, number: int) -> web.StreamResponse:
    """Replace the master key; a device that has the old one is out."""
    await questions.confirmed(visit)
    await visit.call("POST", "/v1/key/regenerate/", key=owned(visit, number).token)
    return redirect(f"/devices/{number}?done=regenerated")


async def delete(visit: Visit, number: int) -> web.StreamResponse:
    """Remove the device with everything that is stored of it."""
    await questions.confirmed(visit)
    visit.cloud.remove_device(owned(visit, number).device)
    await visit.cloud.flush()
    return redirect("/devices?done=deleted")


def _address(visit: Visit, device: Device) -> str:
    """Return where the device's connection comes from, nothing where there is none."""
    for each in visit.cloud.operator.connections():
        if each.device is device:
            return each.address
    return ""


def _shown(key: str) -> dict[str, str]:
    return {"text": key, "qr": str(qr_code(key))}


_QUESTIONS = frozenset({"regenerate", "delete"})

_DEVICE = "/devices/{number:number}"
ROUTES = (
    Route("GET", _DEVICE, show),
    Route("POST", f"{_DEVICE}/secrets", secrets),
    Route("POST", f"{_DEVICE}/rename", rename),
    Route("POST", f"{_DEVICE}/move", put_into_group),
    Route("POST", f"{_DEVICE}/take-over", take_over),
    Route("GET", f"{_DEVICE}/ask/{{question}}", ask),
    Route("POST", f"{_DEVICE}/regenerate", regenerate),
    Route("POST", f"{_DEVICE}/delete", delete),
)
