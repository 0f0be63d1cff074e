"""What devices report of their own failures, kept for their owners (protocol.md §2.11)."""

from collections.abc import Iterator

from ..access import MASTER_OR_OWNER, Access
from ..debug_reports import MAX_REPORTS, read_entry
from ..fields import read_objects
from ..models import Device, Key, render
from ..request import Request
from ..router import Route
from ..store import Store
from ..wire import JsonObject

_PATH = "/v1/device/debugs/"


class DebugApi:
    """Writing and reading reports."""

    def __init__(self, store: Store, access: Access) -> None:
        """Keep reports in `store`."""
        self._store = store
        self._access = access

    def routes(self) -> Iterator[Route]:
        """Return the paths of this family."""
        device = self._access.device
        yield Route(("GET",), _PATH, device(MASTER_OR_OWNER, self._list))
        yield Route(("POST",), _PATH, device(MASTER_OR_OWNER, self._add))

    def _list(self, request: Request, device: Device, key: Key) -> JsonObject:
        """List what is kept, the oldest first."""
        reports = self._store.debugs.of(device.id).values()
        shown = [render(each, request.times) | each.entry for each in reports]
        return {"debugs": shown, "status": 200}

    def _add(self, request: Request, device: Device, key: Key) -> JsonObject:
        """Keep reports: all of a request or, where one is wrong, none."""
        entries = read_objects(request.body, "debugs", limit=MAX_REPORTS)
        for entry in [read_entry(each) for each in entries]:
            self._store.debugs.add(device, entry)
        return {"status": 200}
