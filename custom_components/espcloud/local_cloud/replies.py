"""The answers to the requests of one device connection."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
import logging

from .errors import ApiError, for_firmware
from .wire import JsonObject, encode

_LOGGER = logging.getLogger(__name__)

_INTERNAL_ERROR: JsonObject = {"message": "internal error", "status": 500}


class Replies:
    """Sends answers, those that are there and those that are still to come."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        """Hand frames to `send`."""
        self._send = send
        self._pending: set[asyncio.Future[JsonObject]] = set()

    def __len__(self) -> int:
        """Return how many are still to come."""
        return len(self._pending)

    def give(self, reply: JsonObject, nonce: int | None) -> None:
        """Answer: the nonce is the request's own, or none (protocol.md §3.1)."""
        frame = {"status": 200, **reply}
        frame.pop("nonce", None)
        if nonce is not None:
            frame["nonce"] = nonce
        self._send(encode(frame))

    def give_later(
        self, answer: Awaitable[JsonObject], nonce: int | None
    ) -> asyncio.Future[JsonObject]:
        """Answer when it is there; what is returned is done then."""
        reply: asyncio.Future[JsonObject] = asyncio.ensure_future(answer)
        self._pending.add(reply)
        reply.add_done_callback(partial(self._give_now, nonce))
        return reply

    def refuse(self, error: ApiError, nonce: int | None) -> None:
        """Answer that the request is refused."""
        self.give(
            {"message": for_firmware(error.message), "status": error.status}, nonce
        )

    def fail(self, error: BaseException, nonce: int | None) -> None:
        """Answer that it is our own mistake."""
        _LOGGER.error("A request of the device server failed", exc_info=error)
        self.give(_INTERNAL_ERROR, nonce)

    async def finish(self) -> None:
        """End those that are still to come, so that nothing is left behind."""
        for reply in self._pending:
            reply.cancel()
        await asyncio.gather(*self._pending, return_exceptions=True)

    def _give_now(self, nonce: int | None, reply: asyncio.Future[JsonObject]) -> None:
        self._pending.discard(reply)
        if reply.cancelled():
            return
        match reply.exception():
            case None:
                self.give(reply.result(), nonce)
            case ApiError() as error:
                self.refuse(error, nonce)
            case error:
                self.fail(error, nonce)
