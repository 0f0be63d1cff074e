"""What a page hears while it is open."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import json
from typing import Any

from aiohttp import ClientResponse

from .person import Person

WAIT = 20


class EventStream:
    """A stream of events, read by hand."""

    def __init__(self, response: ClientResponse) -> None:
        """Read what `response` brings."""
        self._response = response

    async def next(self) -> tuple[str, Any]:
        """Return the name and the data of the next event."""
        name = ""
        async with asyncio.timeout(WAIT):
            async for line in self._response.content:
                field, _, value = line.decode().rstrip("\n").partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    return name, json.loads(value)
        raise EOFError("the stream has ended")


@asynccontextmanager
async def event_stream(person: Person, path: str) -> AsyncGenerator[EventStream]:
    """Open a stream; what happens from then on is in it."""
    async with person.session.get(person.server.url + path) as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        # The first thing that is sent: the stream has begun.
        assert await response.content.readline() == b": begin\n"
        yield EventStream(response)
