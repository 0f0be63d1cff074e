"""What a device reports of its upgrades, and the firmware it may fetch (§3.7, §2.10)."""

from collections.abc import Iterator

from ..access import ANY_DEVICE_KEY, MASTER_OR_OWNER, Access
from ..errors import ApiError
from ..fields import read_text
from ..models import Device, Key
from ..request import Request
from ..router import Route
from ..store import Store
from ..wire import JsonObject


class MessageApi:
    """Messages of devices. This cloud has no firmware to hand out, and says so."""

    def __init__(self, store: Store, access: Access) -> None:
        """Note in `store` what devices report."""
        self._store = store
        self._access = access

    def routes(self) -> Iterator[Route]:
        """Return the paths of this family."""
        device = self._access.device
        yield Route(("POST",), "/v1/messages/", device(MASTER_OR_OWNER, self._take))
        yield Route(("GET",), "/v1/device/rom/", device(ANY_DEVICE_KEY, self._rom))

    def _take(self, request: Request, device: Device, key: Key) -> JsonObject:
        """Take a message; a successful upgrade tells which firmware the device has now."""
        if request.query.get("action") == "device_upgrade_success":
            device.rom_version = read_text(request.body, "rom_version")
            device.updated = self._store.context.now()
            self._store.context.changed(device)
        # Firmware looks for these words (protocol.md §3.9, 2).
        return {"message": "send message success", "status": 200}

    def _rom(self, request: Request, device: Device, key: Key) -> JsonObject:
        """Say that there is no firmware, in the form that was asked for."""
        if request.query.get("action", "").startswith("download_rom"):
            raise ApiError(404, "bin not found")
        if request.query.get("is_format_simple", "").lower() == "true":
            # AT firmware reads the version up to `",`: another member has to follow.
            return {"rom_version": "", "status": 200}
        return {"productRoms": [], "recommended_rom_version": "", "status": 200}
