"""What a product says of its datastreams: name, values, unit, symbol (protocol.md §2.11)."""

from collections.abc import Callable, Iterator
from typing import Any

from ..access import Access
from ..errors import ApiError, bad_request
from ..fields import read_integer, read_objects, read_text
from ..models import DIMENSIONS, Product, User, render
from ..quotas import MAX_TEMPLATES, Quotas
from ..request import Answer, Request
from ..router import Route
from ..store import Store
from ..stream_names import is_stream_name
from ..wire import JsonObject
from .products import product_in_path

_MAX_TEXT = {"description": 255, "tags": 64, "unit": 32, "symbol": 32}
"""Characters of the texts, which every list of devices has for each device."""

type _ProductHandler = Callable[[Request, Product], Answer]


class TemplateApi:
    """The datastream templates of a product, for the account that made it."""

    def __init__(self, store: Store, access: Access, quotas: Quotas) -> None:
        """Keep the templates in `store`."""
        self._store = store
        self._access = access
        self._quotas = quotas

    def routes(self) -> Iterator[Route]:
        """Return the paths of this family."""
        for method, handler in (
            ("GET", self._list),
            ("POST", self._add),
            ("DELETE", self._remove),
        ):
            yield Route(
                (method,),
                "/v1/products/*/datastreamTmpls/",
                self._access.user(self._of_product(handler)),
            )

    def _of_product(
        self, handler: _ProductHandler
    ) -> Callable[[Request, User], Answer]:
        def of_product(request: Request, user: User) -> Answer:
            return handler(request, product_in_path(self._store, request, user))

        return of_product

    def _list(self, request: Request, product: Product) -> JsonObject:
        """List the templates."""
        templates = self._store.templates_of(product.id).values()
        shown = [render(each, request.times) for each in templates]
        return {"datastreamTmpls": shown, "status": 200}

    def _add(self, request: Request, product: Product) -> JsonObject:
        """Add templates, all of a request or none; each needs a name that is new to the product."""
        entries = read_objects(request.body, "datastreamTmpls", limit=MAX_TEMPLATES)
        wanted = [read_template(entry) for entry in entries]
        self._quotas.check_templates(product, len(wanted))
        names = [each.name for each in self._store.templates_of(product.id).values()]
        names += [each["name"] for each in wanted]
        if len(set(names)) < len(names):
            raise ApiError(409, "a datastreamTmpl of this name is there already")
        added = [self._store.add_template(product, **columns) for columns in wanted]
        shown = [render(each, request.times) for each in added]
        return {"datastreamTmpls": shown, "status": 200}

    def _remove(self, request: Request, product: Product) -> JsonObject:
        """Remove templates, all of a request or none."""
        entries = read_objects(request.body, "datastreamTmpls", limit=MAX_TEMPLATES)
        numbers = {read_integer(entry, "id") for entry in entries}
        templates = self._store.templates_of(product.id)
        if not numbers <= templates.keys():
            raise ApiError(404, "datastreamTmpl not exists")
        for number in numbers:
            self._store.remove_template(templates[number])
        return {"status": 200}


def read_template(entry: JsonObject) -> dict[str, Any]:
    """Return the columns of a template. Raises ApiError 400 where one is wrong."""
    name = read_text(entry, "name")
    if not is_stream_name(name):
        raise bad_request("name must be that of a datastream")
    dimension = read_integer(entry, "dimension", 1)
    if not 1 <= dimension <= len(DIMENSIONS):
        raise bad_request(f"dimension must be 1 to {len(DIMENSIONS)}")
    if read_integer(entry, "stream_type", 1) != 1:
        raise bad_request("stream_type must be 1")
    texts = {
        text: read_text(entry, text, "", limit=limit)
        for text, limit in _MAX_TEXT.items()
    }
    return {"name": name, "dimension": dimension, **texts}
