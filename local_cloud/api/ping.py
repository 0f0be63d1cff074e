"""The ping, which is also the clock of devices and apps (protocol.md §2.4, §3.3)."""

from collections.abc import Iterator

from local_cloud.request import Request
from local_cloud.router import ANY_METHOD, Route
from local_cloud.store import Store
from local_cloud.times import local_time
from local_cloud.wire import JsonObject


class PingApi:
    """Answers pings, with or without a key."""

    def __init__(self, store: Store) -> None:
        """Tell the time of `store`."""
        self._store = store

    def routes(self) -> Iterator[Route]:
        """Return the paths of this family."""
        yield Route(ANY_METHOD, "/v1/ping/", self._ping)

    def _ping(self, request: Request) -> JsonObject:
        """Answer; `datetime` is a text whatever the time zone, `epoch` is UTC now."""
        now = self._store.context.now()
        return {
            "datetime": local_time(now, request.time_zone).isoformat(" ")[:19],
            "epoch": now,
            "message": "ping success",
            "status": 200,
        }
