"""Firmware at the server, for a product or a kind of device: listed, uploaded, deleted."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web

from local_cloud.errors import ApiError
from local_cloud.firmware import FILE_NAMES, MAX_VERSION
from local_cloud.models import Device
from local_cloud.roms import Model

from .. import questions
from ..holdings import holding
from ..responses import json_response, redirect
from ..routing import Route
from ..tabs import tab
from ..upgrades import Step
from ..visits import Visit
from .products import product_of

_HTTP = 80
"""Where devices look for firmware; they know no other port (protocol.md §10.4)."""


@dataclass(frozen=True, slots=True)
class Place:
    """A page with firmware: its address, whose firmware it is, and what its template shows."""

    path: str
    model: Model
    template: str
    facts: dict[str, Any]


type PlaceOf = Callable[[Visit, int], Place]


def of_device(visit: Visit, number: int) -> Place:
    """Return the page of a device. Raises ApiError 404."""
    found = holding(visit, number)
    facts = tab(visit, found, "firmware") | {
        "upgrade": visit.upgrades.of(found.device),
        "steps": list(Step),
        "told": visit.told,
    }
    path = f"/devices/{number}/firmware"
    return Place(path, Model.of(found.device), "device_firmware.html", facts)


def of_product(visit: Visit, number: int) -> Place:
    """Return the page of a product. Raises ApiError 404."""
    product = product_of(visit, number)
    path = f"/products/{number}/firmware"
    return Place(path, Model.of(product), "product_firmware.html", {"product": product})


async def show(place_of: PlaceOf, visit: Visit, number: int) -> web.StreamResponse:
    """Show the versions, and to who may upload the form for one more."""
    return _page(visit, place_of(visit, number))


async def upload(place_of: PlaceOf, visit: Visit, number: int) -> web.StreamResponse:
    """Take a version with both its files in."""
    place = place_of(visit, number)
    _check_may_change(visit, place.model)
    version = ""
    try:
        form = await visit.uploads.read(visit)
        version = form.fields.get("version", "")
        await visit.cloud.add_firmware_of(
            visit.signed_in.user, place.model, version, form.files
        )
    except ApiError as error:
        if visit.is_script:
            raise
        return _page(visit, place, version, error)
    target = f"{place.path}?done=firmware_added"
    return json_response({"path": target}) if visit.is_script else redirect(target)


async def ask(place_of: PlaceOf, visit: Visit, number: int) -> web.StreamResponse:
    """Ask once more before a version is deleted."""
    place = place_of(visit, number)
    _check_may_change(visit, place.model)
    version = visit.query.get("version", "")
    if version not in visit.cloud.store.roms.versions(place.model):
        raise ApiError(404, "bin not found")
    return questions.ask(
        visit,
        "delete_firmware",
        version,
        action=f"{place.path}/delete",
        back=place.path,
        fields={"version": version},
    )


async def delete(place_of: PlaceOf, visit: Visit, number: int) -> web.StreamResponse:
    """Delete a version and its files."""
    form = await questions.confirmed(visit)
    place = place_of(visit, number)
    _check_may_change(visit, place.model)
    visit.cloud.store.remove_firmware(place.model, form.get("version", ""))
    await visit.cloud.flush()
    return redirect(f"{place.path}?done=firmware_deleted")


def versions_of(visit: Visit, item: Device | Model) -> list[dict[str, Any]]:
    """Return what a page shows of each version, the newest first."""
    roms = visit.cloud.store.roms
    model = item if isinstance(item, Model) else Model.of(item)
    return [
        {
            "version": version,
            "is_newest": version == roms.latest(model),
            "is_beta": version.startswith("b"),
            "added": roms.find(model, version, FILE_NAMES[0]).created,
            "sizes": [
                (name, roms.find(model, version, name).size) for name in FILE_NAMES
            ],
        }
        for version in roms.versions(model)
    ]


def _page(
    visit: Visit, place: Place, typed: str = "", error: ApiError | None = None
) -> web.StreamResponse:
    addresses = visit.cloud.addresses
    return visit.page(
        place.template,
        status=error.status if error else 200,
        **place.facts,
        base=place.path,
        versions=versions_of(visit, place.model),
        may_change=_may_change(visit, place.model),
        is_of_kind=not place.model.product_id,
        ptype=place.model.ptype,
        most=MAX_VERSION,
        file_names=FILE_NAMES,
        other_port=None if addresses.http == _HTTP else addresses.http,
        typed=typed,
        error=visit.told(error),
    )


def _may_change(visit: Visit, model: Model) -> bool:
    """Say whether the account may upload and delete, as the API has it (protocol.md §2.10)."""
    if not model.product_id:
        return visit.is_operator
    product = visit.cloud.store.products.get(model.product_id)
    return product is not None and product.user_id == visit.signed_in.user.id


def _check_may_change(visit: Visit, model: Model) -> None:
    if not _may_change(visit, model):
        raise ApiError(403, "this firmware is of somebody else")


def _routes() -> Iterator[Route]:
    pages: tuple[tuple[str, str, Callable[..., Awaitable[Any]]], ...] = (
        ("GET", "", show),
        ("POST", "", upload),
        ("GET", "/ask", ask),
        ("POST", "/delete", delete),
    )
    for kind, place_of in (("devices", of_device), ("products", of_product)):
        for method, path, page in pages:
            yield Route(
                method,
                f"/{kind}/{{number:number}}/firmware{path}",
                partial(page, place_of),
            )


ROUTES = tuple(_routes())
