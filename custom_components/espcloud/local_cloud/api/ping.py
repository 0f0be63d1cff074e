"""The ping, which is also the clock of devices and apps (protocol.md §2.4, §3.3)."""

from collections.abc import Iterator

from ..request import Request
from ..router import ANY_METHOD, Route
from ..store import Store
from ..times import local_time
from ..wire import JsonObject


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
