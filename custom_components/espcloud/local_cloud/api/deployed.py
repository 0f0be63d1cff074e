"""Product, device and datastream templates in one call, as in 2014 (protocol.md §2.11)."""

from collections.abc import Iterator

from ..access import Access
from ..errors import ApiError, bad_request
from ..fields import read_flag, read_integer, read_object, read_objects, read_text
from ..models import User, render
from ..quotas import MAX_TEMPLATES, Quotas
from ..request import Request
from ..router import Route
from ..store import Store
from ..wire import JsonObject
from .products import DEFAULT_PTYPE
from .templates import read_template

_NUMBERS = ("dimension", "stream_type")
"""What the examples of 2014 have as texts."""


class DeployedApi:
    """The one call."""

    def __init__(self, store: Store, access: Access, quotas: Quotas) -> None:
        """Make what it makes in `store`."""
        self._store = store
        self._access = access
        self._quotas = quotas

    def routes(self) -> Iterator[Route]:
        """Return the paths of this family."""
        path = "/v1/device/deployed/"
        yield Route(("POST",), path, self._access.user(self._deploy))

    def _deploy(self, request: Request, user: User) -> JsonObject:
        """Make all of it or nothing; `device_key` is the master key.

        Nobody owns the device yet, as where the three are made one by one.
        """
        product = read_object(request.body, "product")
        device = read_object(request.body, "device")
        columns = (
            read_text(product, "name"),
            read_integer(product, "ptype", DEFAULT_PTYPE),
            read_flag(product, "is_private", 1),
        )
        name, serial = read_text(device, "name", ""), read_text(device, "serial", "")
        templates = [
            read_template(_with_numbers(entry))
            for entry in read_objects(
                request.body, "datastreamTmpls", limit=MAX_TEMPLATES
            )
        ]
        if len({each["name"] for each in templates}) < len(templates):
            raise ApiError(409, "two datastreamTmpls have one name")
        self._quotas.check_products(user, 1)
        self._quotas.check_devices(user, 1)
        made = self._store.add_product(user, *columns)
        added = self._store.add_device(name, made.ptype, serial=serial, product=made)
        shown = [self._store.add_template(made, **each) for each in templates]
        master_key = self._store.keyring.master_key(added)
        assert master_key is not None
        times = request.times
        return {
            "datastreamTmpls": [render(each, times) for each in shown],
            "device": render(added, times),
            "device_key": render(master_key, times),
            "product": render(made, times),
            "status": 200,
        }


def _with_numbers(entry: JsonObject) -> JsonObject:
    """Return a template whose numbers are numbers. Raises ApiError 400 for a text that is none."""
    numbers: JsonObject = {}
    for name in _NUMBERS:
        value = entry.get(name)
        if isinstance(value, str):
            if not (value.isascii() and value.isdecimal() and len(value) < 10):
                raise bad_request(f"{name} must be a whole number of 0 or more")
            numbers[name] = int(value)
    return entry | numbers
