"""Answers that list records: pages of them, and whole lists that let others have their turn."""

import asyncio
from collections.abc import Callable, Sequence

from .addresses import network_of
from .errors import bad_request
from .fair_queue import FairQueue
from .request import Answer, Request
from .wire import EncodedList, JsonObject, encode_item

MAX_ROWS = 1000
"""Records of a page (protocol.md §2.7)."""
DEFAULT_ROWS = 100
"""Records of a page where the request does not say how many."""
SLICE = 50
"""Records that are written without a pause: some 1.5 ms."""


def query_number(request: Request, name: str, default: int) -> int:
    """Return a number in the query. Raises ApiError 400 where it is none."""
    text = request.query.get(name) or str(default)
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise bad_request(f"{name} must be a whole number of 0 or more")
    return int(text)


def page_of[T](request: Request, records: Sequence[T]) -> Sequence[T]:
    """Return `row_count` records after `offset`, all of them where the request names neither.

    On the device port a list is always a page: a connection may have many answers under way, which
    would all be there before the first was read. Raises ApiError 400 as `query_number`.
    """
    if request.link is None and not {"offset", "row_count"} & set(request.query):
        return records
    offset = query_number(request, "offset", 0)
    count = query_number(request, "row_count", DEFAULT_ROWS)
    most = SLICE if request.link is not None else MAX_ROWS
    return records[offset : offset + min(count, most)]


class Lists:
    """Writes lists; of long ones one at a time, in slices between which the event loop goes on."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._turns = FairQueue(1)

    def answer[T](
        self,
        request: Request,
        name: str,
        records: Sequence[T],
        show: Callable[[T], JsonObject],
    ) -> Answer:
        """Answer with a page of the records, each as `show` returns it, in a member `name`."""
        page = page_of(request, records)
        if len(page) <= SLICE:
            return {name: [show(record) for record in page], "status": 200}
        return self._long_answer(request, name, page, show)

    async def encoded[T](
        self,
        request: Request,
        records: Sequence[T],
        show: Callable[[T], JsonObject],
    ) -> list[bytes]:
        """Return the records as they are sent. Raises ApiError 429 where the caller has too many waiting."""
        items: list[bytes] = []
        async with self._turns.turn(network_of(request.peer), request.token or ""):
            for start in range(0, len(records), SLICE):
                items += [
                    encode_item(show(record))
                    for record in records[start : start + SLICE]
                ]
                await asyncio.sleep(0)
        return items

    async def _long_answer[T](
        self,
        request: Request,
        name: str,
        page: Sequence[T],
        show: Callable[[T], JsonObject],
    ) -> JsonObject:
        return {
            name: EncodedList(await self.encoded(request, page, show)),
            "status": 200,
        }
