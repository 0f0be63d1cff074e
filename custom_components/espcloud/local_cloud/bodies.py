"""Reading the bodies of HTTP requests, within limits for each and for all together."""

import asyncio
from urllib.parse import parse_qsl

from aiohttp import StreamReader, web

from .errors import ApiError, bad_request
from .limits import Limits
from .wire import JsonObject, NotAnObjectError, TooManyValuesError, decode

_FORGOTTEN = 16 << 20
"""Bytes of a body beyond its limit that are read before the connection is given up."""

_FIELDS = 32
"""Fields of a form."""


class _GaveWayError(Exception):
    """All bodies together became too large, and this was the longest."""


class Bodies:
    """Reads bodies; the longest gives way where all that are under way exceed the limit."""

    def __init__(self, limits: Limits) -> None:
        """Keep to `limits`."""
        self._limits = limits
        self._sizes: dict[StreamReader, int] = {}
        """What was received of each body that is not complete."""
        self.total = 0

    async def read(
        self, http: web.BaseRequest, limit: int, *, is_form: bool = False
    ) -> JsonObject:
        """Return the JSON object in a body of up to `limit` bytes; a blank one counts as `{}`.

        Where it `is_form`, what is no object may be the fields of a form. Raises ApiError 400
        for anything else, 408 where it takes too long, 413 where it is too large, 415 where it is
        compressed (nothing is inflated: a little of it can be very much), 503 where it gave way.
        """
        if http.headers.get("Expect", "").lower() == "100-continue":
            # curl waits a second for this before it sends a longer body.
            await http.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            http.writer.output_size = 0
        compressed = http.headers.get("Content-Encoding", "identity") != "identity"
        try:
            async with asyncio.timeout(self._limits.http_body):
                body = await self._receive(http.content, 0 if compressed else limit)
        except TimeoutError:
            raise ApiError(408, "the body did not come in time") from None
        except web.RequestPayloadError:
            raise bad_request("the body is malformed") from None
        except _GaveWayError:
            raise ApiError(503, "too much at once, try again in a moment") from None
        finally:
            self._forget(http.content)
        if body is None and compressed:
            raise ApiError(415, "the body must not be compressed")
        if body is None:
            raise ApiError(413, "the body is too large")
        if is_form and not body.lstrip().startswith(b"{"):
            return read_form(body)
        return read_body(body)

    async def _receive(self, content: StreamReader, limit: int) -> bytes | None:
        """Return the body, None where it is longer than `limit`.

        Of a longer one some more is read and forgotten: a client that is still sending when the
        connection ends would see that, and not the answer.
        """
        body = bytearray()
        size = 0
        async for chunk in content.iter_any():
            size += len(chunk)
            if size <= limit:
                body += chunk
                self._count(content, len(body))
            elif size > limit + _FORGOTTEN:
                break
            else:
                body.clear()
                self._forget(content)
        return bytes(body) if size <= limit else None

    def _count(self, content: StreamReader, size: int) -> None:
        self.total += size - self._sizes.get(content, 0)
        self._sizes[content] = size
        if self.total > self._limits.http_bodies:
            longest = max(self._sizes, key=lambda each: self._sizes[each])
            self._forget(longest)
            longest.set_exception(_GaveWayError())

    def _forget(self, content: StreamReader) -> None:
        self.total -= self._sizes.pop(content, 0)


def read_body(body: bytes) -> JsonObject:
    """Return the JSON object in a body, `{}` for a blank one. Raises ApiError 400 or 413."""
    if not body.strip():
        return {}
    try:
        return decode(body)
    except TooManyValuesError:
        raise ApiError(413, "the body has too many values") from None
    except NotAnObjectError:
        raise bad_request("the body must be a JSON object") from None


def read_form(body: bytes) -> JsonObject:
    """Return the fields of a form, all texts. Raises ApiError 400."""
    try:
        return dict(parse_qsl(body.decode(), max_num_fields=_FIELDS))
    except ValueError:
        raise bad_request("the body must be a JSON object or a form") from None
