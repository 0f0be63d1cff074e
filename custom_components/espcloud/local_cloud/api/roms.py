"""Firmware: uploaded by whoever made the product, fetched by its devices (protocol.md §2.10)."""

from base64 import b64decode, b64encode
import binascii
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from ..access import ANY_DEVICE_KEY, Access
from ..errors import ApiError, bad_request
from ..fields import read_objects, read_text
from ..firmware import FILE_NAMES, MAX_IMAGE, check_files
from ..firmware_uploads import FirmwareUploads, check_version
from ..listeners import FirmwareServed, Listeners
from ..lists import query_number
from ..models import Device, Key, User
from ..request import Answer, FileBody, Request
from ..roms import Model
from ..router import Route
from ..store import Store
from ..wire import JsonObject
from .products import product_in_path

MAX_UPLOAD = 3 << 20
"""Bytes of the body of an upload: two files in base64."""
_MAX_BASE64 = 4 * (MAX_IMAGE // 3 + 1)
_MAX_SLICE = 16 << 10
"""Bytes of a slice: a connection may have many answers under way."""

type _ModelHandler = Callable[[Request, User, Model], Answer]


class RomApi:
    """Firmware of a product, for the account that made it; of a kind of device, for the operator.

    Devices without a product have that of their kind.
    """

    def __init__(
        self,
        store: Store,
        access: Access,
        uploads: FirmwareUploads,
        listeners: Listeners,
        *,
        is_operator: Callable[[User], bool],
    ) -> None:
        """Take firmware in through `uploads`, and tell `listeners` how it goes out.

        `is_operator` says whose account runs the server.
        """
        self._store = store
        self._roms = store.roms
        self._access = access
        self._uploads = uploads
        self._listeners = listeners
        self._is_operator = is_operator

    def routes(self) -> Iterator[Route]:
        """Return the paths of this family."""
        for method, handler in (
            ("GET", self._list),
            ("POST", self._add),
            ("DELETE", self._remove),
        ):
            for path, whose in (
                ("/v1/products/*/roms/", self._of_product),
                ("/v1/roms/", self._of_ptype),
            ):
                yield Route((method,), path, self._access.user(whose(handler)))
        fetch = self._access.device(ANY_DEVICE_KEY, self._fetch)
        yield Route(("GET",), "/v1/device/rom/", fetch)

    def _of_product(self, handler: _ModelHandler) -> Callable[[Request, User], Answer]:
        def of_product(request: Request, user: User) -> Answer:
            product = product_in_path(self._store, request, user)
            return handler(request, user, Model.of(product))

        return of_product

    def _of_ptype(self, handler: _ModelHandler) -> Callable[[Request, User], Answer]:
        def of_ptype(request: Request, user: User) -> Answer:
            if not self._is_operator(user):
                raise ApiError(403, "only the account that runs the server may do this")
            if not request.query.get("ptype"):
                raise bad_request("ptype is missing")
            return handler(request, user, Model(0, query_number(request, "ptype", 0)))

        return of_ptype

    def _list(self, request: Request, user: User, model: Model) -> JsonObject:
        """List the versions, the newest first."""
        return self._listed(request, model)

    def _add(self, request: Request, user: User, model: Model) -> JsonObject:
        """Add a version with both its files, and offer it to the devices if it is the newest."""
        (rom,) = read_objects(request.body, "productRoms", limit=1)
        version = read_text(rom, "version")
        check_version(model, version)
        self._uploads.add(user, model, version, _read_files(rom))
        return {"productRoms": [self._rom(model, version)], "status": 200}

    def _remove(self, request: Request, user: User, model: Model) -> JsonObject:
        """Remove a version and its files."""
        (rom,) = read_objects(request.body, "productRoms", limit=1)
        self._store.remove_firmware(model, read_text(rom, "version"))
        return {"status": 200}

    def _fetch(self, request: Request, device: Device, key: Key) -> Answer:
        """List the versions for a device, or hand out a file or a slice of one."""
        model = Model.of(device)
        match request.query.get("action", ""):
            case "download_rom":
                return self.file(request, device)
            case "download_rom_base64":
                return self._slice(request, model)
            case _:
                return self._listed(request, model)

    def _listed(self, request: Request, model: Model) -> JsonObject:
        """Return the versions; the short form has the newest one alone.

        AT firmware reads the version up to `",`: another member has to follow (protocol.md §2.10).
        """
        latest = self._roms.latest(model)
        if request.query.get("is_format_simple", "").lower() == "true":
            roms = [self._rom(model, latest)] if latest else []
            for rom in roms:
                del rom["files"]
        else:
            roms = [self._rom(model, each) for each in self._roms.versions(model)]
        return {"productRoms": roms, "recommended_rom_version": latest, "status": 200}

    def _rom(self, model: Model, version: str) -> dict[str, Any]:
        """Return a version as it stands in a list."""
        return {
            "recommended": int(version == self._roms.latest(model)),
            "version": version,
            "life_cycle": "beta" if version.startswith("b") else "release",
            "files": [
                {"name": name, "size": self._roms.find(model, version, name).size}
                for name in FILE_NAMES
            ],
        }

    def file(
        self,
        request: Request,
        device: Device,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Awaitable[JsonObject]:
        """Answer with a file, which only HTTP can carry.

        `on_progress` and the listeners hear how many bytes have arrived, of how many. Raises ApiError
        400 over TCP, and 404 for a file that there is not.
        """
        if request.link is not None:
            raise bad_request("download_rom works over HTTP only")
        version = named_version(request)
        name = request.query.get("filename", "")
        file = self._roms.find(Model.of(device), version, name)

        def tell(sent: int) -> None:
            self._listeners.tell(FirmwareServed(device, version, name, sent, file.size))
            if on_progress is not None:
                on_progress(sent, file.size)

        is_heard = self._listeners or on_progress is not None

        async def answer() -> JsonObject:
            content = await self._roms.read(file)
            return {"file": FileBody(name, content, tell if is_heard else None)}

        return answer()

    def _slice(self, request: Request, model: Model) -> Awaitable[JsonObject]:
        """Answer with `size` bytes of a file from `offset` on; at its end there are fewer."""
        query = request.query
        version, name = query.get("version", ""), query.get("filename", "")
        file = self._roms.find(model, version, name)
        offset, size = (
            query_number(request, "offset", 0),
            query_number(request, "size", 0),
        )
        if offset > file.size:
            raise bad_request("offset is behind the end of the file")
        if not 0 < size <= _MAX_SLICE:
            raise bad_request(f"size must be 1 to {_MAX_SLICE}")

        async def answer() -> JsonObject:
            part = (await self._roms.read(file))[offset : offset + size]
            encoded = b64encode(part).decode("ascii")
            return {
                "device_rom": {
                    "rom_base64": encoded,
                    "filename": name,
                    "version": version,
                    "offset": offset,
                    "total": file.size,
                    "size": len(part),
                    "size_base64": len(encoded),
                    "action": "download_rom_base64",
                },
                "status": 200,
            }

        return answer()


def named_version(request: Request) -> str:
    """Return the version that a device asks for.

    Firmware takes 15 characters of a push for it, a quote behind a shorter one as well
    (protocol.md §3.9, 11).
    """
    return request.query.get("version", "").partition('"')[0]


def is_upload(method: str, segments: tuple[str, ...]) -> bool:
    """Say whether a request may have a body of up to MAX_UPLOAD."""
    return method == "POST" and (
        segments == ("v1", "roms")
        or (segments[:2] == ("v1", "products") and segments[3:] == ("roms",))
    )


def _read_files(rom: JsonObject) -> dict[str, bytes]:
    """Return both files by their names. Raises ApiError 400 where one is missing or wrong."""
    entries = read_objects(rom, "files", limit=len(FILE_NAMES))
    files = {read_text(entry, "name"): _read_base64(entry) for entry in entries}
    check_files(files)
    return files


def _read_base64(entry: JsonObject) -> bytes:
    text = read_text(entry, "rom_base64", limit=_MAX_BASE64)
    try:
        return b64decode(text, validate=True)
    except ValueError, binascii.Error:
        raise bad_request("rom_base64 must be base64") from None
