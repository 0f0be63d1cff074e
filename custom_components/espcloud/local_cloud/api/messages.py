"""What a device reports of its upgrades (protocol.md §3.7)."""

from collections.abc import Iterator

from ..access import MASTER_OR_OWNER, Access
from ..fields import read_text
from ..listeners import Listeners, UpgradeReported
from ..models import Device, Key
from ..request import Request
from ..router import Route
from ..store import Store
from ..wire import JsonObject


class MessageApi:
    """Messages of devices."""

    def __init__(self, store: Store, access: Access, listeners: Listeners) -> None:
        """Note in `store` what devices report, and tell `listeners`."""
        self._store = store
        self._access = access
        self._listeners = listeners

    def routes(self) -> Iterator[Route]:
        """Return the paths of this family."""
        take = self._access.device(MASTER_OR_OWNER, self._take)
        yield Route(("POST",), "/v1/messages/", take)

    def _take(self, request: Request, device: Device, key: Key) -> JsonObject:
        """Take a message; a successful upgrade tells which firmware the device has now."""
        match request.query.get("action"):
            case "device_upgrade_success":
                device.rom_version = read_text(request.body, "rom_version")
                device.updated = self._store.context.now()
                self._store.context.changed(device)
                self._listeners.tell(
                    UpgradeReported(device, device.rom_version, failed=False)
                )
            case "device_upgrade_failed":
                self._listeners.tell(UpgradeReported(device, "", failed=True))
        # Firmware looks for these words (protocol.md §3.9, 2).
        return {"message": "send message success", "status": 200}
