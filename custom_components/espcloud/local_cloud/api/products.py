"""Products and the devices made of them: how a person creates devices (protocol.md §2.11)."""

from collections.abc import Iterator

from ..access import Access
from ..errors import ApiError
from ..fields import read_flag, read_integer, read_objects, read_text
from ..lists import Lists
from ..models import Device, Product, User, render
from ..quotas import MAX_PRODUCTS, Quotas
from ..request import Answer, Request
from ..router import Route
from ..store import Store
from ..wire import JsonObject

MAX_AT_ONCE = 100
"""Devices of one request."""
DEFAULT_PTYPE = 45772
"""The light: what a product is that does not say (protocol.md §4)."""


class ProductApi:
    """The developer's side; all of it takes the user key of the account that made the product."""

    def __init__(
        self, store: Store, access: Access, lists: Lists, quotas: Quotas
    ) -> None:
        """Serve the products of `store`."""
        self._store = store
        self._access = access
        self._lists = lists
        self._quotas = quotas

    def routes(self) -> Iterator[Route]:
        """Return the paths of this family."""
        user = self._access.user
        devices = "/v1/products/*/devices/"
        yield Route(("GET",), "/v1/products/", user(self._list))
        yield Route(("POST",), "/v1/products/", user(self._add))
        yield Route(("GET",), devices, user(self._list_devices))
        yield Route(("POST",), devices, user(self._add_devices))

    def _list(self, request: Request, user: User) -> Answer:
        """List the account's products."""
        products = list(self._store.products_of(user))
        return self._lists.answer(
            request,
            "products",
            products,
            lambda product: render(product, request.times),
        )

    def _add(self, request: Request, user: User) -> JsonObject:
        """Make products: `name`, and optionally `ptype` and `is_private`, of each."""
        wanted = [
            (
                read_text(product, "name"),
                read_integer(product, "ptype", DEFAULT_PTYPE),
                read_flag(product, "is_private", 1),
            )
            for product in read_objects(request.body, "products", limit=MAX_PRODUCTS)
        ]
        self._quotas.check_products(user, len(wanted))
        products = [
            render(self._store.add_product(user, *columns), request.times)
            for columns in wanted
        ]
        return {"products": products, "status": 200}

    def _list_devices(self, request: Request, user: User) -> Answer:
        """List the product's devices with their master keys."""
        product = product_in_path(self._store, request, user)
        devices = list(self._store.devices_of(product))
        return self._lists.answer(
            request,
            "devices",
            devices,
            lambda each: self._with_master_key(each, request),
        )

    def _add_devices(self, request: Request, user: User) -> JsonObject:
        """Make devices, each with a master key in `key.token`.

        `name` and `serial` are optional. Nobody owns them yet: whoever activates one and authorizes
        becomes its owner.
        """
        product = product_in_path(self._store, request, user)
        wanted = [
            (read_text(device, "name", ""), read_text(device, "serial", ""))
            for device in read_objects(request.body, "devices", limit=MAX_AT_ONCE)
        ]
        self._quotas.check_devices(user, len(wanted))
        devices = [
            self._with_master_key(
                self._store.add_device(
                    name, product.ptype, serial=serial, product=product
                ),
                request,
            )
            for name, serial in wanted
        ]
        return {"devices": devices, "status": 200}

    def _with_master_key(self, device: Device, request: Request) -> JsonObject:
        key = self._store.keyring.master_key(device)
        return {
            **render(device, request.times),
            "key": render(key, request.times) if key else None,
        }


def product_in_path(store: Store, request: Request, user: User) -> Product:
    """Return the product in the path. Raises ApiError 404; another account's is as good as none."""
    number = request.segments[2]
    if number.isascii() and number.isdecimal() and len(number) <= 18:
        product = store.products.get(int(number))
        if product and product.user_id == user.id:
            return product
    raise ApiError(404, "product not exists")
