"""Products: kinds of device that a person makes, their datastreams, and devices of them."""

from aiohttp import web

from local_cloud.device_types import PTYPES
from local_cloud.errors import ApiError
from local_cloud.models import Product
from local_cloud.roms import Model

from ..fields import read_id, read_name, read_number, read_ptype
from ..responses import redirect
from ..routing import Route
from ..standing import is_online
from ..visits import Visit


async def show_all(visit: Visit) -> web.StreamResponse:
    """Show the account's products, and the form for one more."""
    return _list(visit)


async def make(visit: Visit) -> web.StreamResponse:
    """Make a product."""
    form = await visit.form()
    try:
        reply = await visit.call(
            "POST",
            "/v1/products/",
            {
                "products": [
                    {
                        "name": read_name(form),
                        "ptype": read_ptype(form),
                        "is_private": int(form.get("visibility") != "public"),
                    }
                ]
            },
        )
    except ApiError as error:
        return _list(visit, form, error)
    return redirect(f"/products/{reply['products'][0]['id']}?done=made")


async def show(visit: Visit, number: int) -> web.StreamResponse:
    """Show a product with its datastreams and devices."""
    return _one(visit, number)


async def add_devices(visit: Visit, number: int) -> web.StreamResponse:
    """Make devices of a product; who makes them owns them."""
    form = await visit.form()
    count = read_number(form.get("count", "1"), 1, 100)
    name = form.get("name", "").strip()
    names = (
        [name]
        if count == 1
        else [f"{name} {each}".strip() for each in range(1, count + 1)]
    )
    try:
        reply = await visit.call(
            "POST",
            f"/v1/products/{number}/devices/",
            {"devices": [{"name": each} if each else {} for each in names]},
        )
    except ApiError as error:
        return _one(visit, number, form, error)
    made = [visit.cloud.store.devices[each["id"]] for each in reply["devices"]]
    for device in made:
        visit.cloud.own(device, visit.signed_in.user)
    await visit.cloud.flush()
    if count == 1:
        return redirect(f"/devices/{made[0].id}?done=device_made")
    return redirect(f"/products/{number}?done=devices_made")


async def add_stream(visit: Visit, number: int) -> web.StreamResponse:
    """Say of one of the product's datastreams what it is."""
    form = await visit.form()
    template = {
        "name": form.get("name", "").strip(),
        "dimension": read_number(form.get("dimension", "1"), 1, 5),
        "unit": form.get("unit", "").strip(),
        "symbol": form.get("symbol", "").strip(),
        "description": form.get("description", "").strip(),
    }
    try:
        await visit.call(
            "POST",
            f"/v1/products/{number}/datastreamTmpls/",
            {"datastreamTmpls": [template]},
        )
    except ApiError as error:
        return _one(visit, number, form, error)
    return redirect(f"/products/{number}?done=stream_made")


async def remove_stream(visit: Visit, number: int) -> web.StreamResponse:
    """Forget what a datastream is; what is stored in it stays."""
    form = await visit.form()
    await visit.call(
        "DELETE",
        f"/v1/products/{number}/datastreamTmpls/",
        {"datastreamTmpls": [{"id": read_id(form, "id")}]},
    )
    return redirect(f"/products/{number}?done=stream_removed")


def _list(
    visit: Visit,
    form: dict[str, str] | None = None,
    error: ApiError | None = None,
) -> web.StreamResponse:
    store, user = visit.cloud.store, visit.signed_in.user
    return visit.page(
        "products.html",
        status=error.status if error else 200,
        products=[
            (product, len(store.devices_of(product)))
            for product in store.products_of(user)
        ],
        kinds=PTYPES,
        form=form or {},
        error=visit.told(error),
    )


def _one(
    visit: Visit,
    number: int,
    form: dict[str, str] | None = None,
    error: ApiError | None = None,
) -> web.StreamResponse:
    store = visit.cloud.store
    product = product_of(visit, number)
    devices = sorted(store.devices_of(product), key=lambda each: each.id)
    return visit.page(
        "product.html",
        status=error.status if error else 200,
        product=product,
        devices=[(each, is_online(visit.cloud, each)) for each in devices],
        templates=list(store.templates_of(number).values()),
        versions=store.roms.versions(Model.of(product)),
        form=form or {},
        error=visit.told(error),
    )


def product_of(visit: Visit, number: int) -> Product:
    """Return a product that the account has made. Raises ApiError 404."""
    product = visit.cloud.store.products.get(number)
    if product is None or product.user_id != visit.signed_in.user.id:
        raise ApiError(404, "product not exists")
    return product


_PRODUCT = "/products/{number:number}"
ROUTES = (
    Route("GET", "/products", show_all),
    Route("POST", "/products", make),
    Route("GET", _PRODUCT, show),
    Route("POST", f"{_PRODUCT}/devices", add_devices),
    Route("POST", f"{_PRODUCT}/streams", add_stream),
    Route("POST", f"{_PRODUCT}/streams/remove", remove_stream),
)
