"""What a page hears of its stream of events."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from typing import Any

from aiohttp import ClientResponse

from .person import Person

WAIT = 20


class Stream:
    """An open stream.

    Attributes:
        response: the answer that it is read from.
        text: what has been read so far, as it came.
        events: the same as name and data of each event.
    """

    def __init__(self, response: ClientResponse) -> None:
        """Read from the answer."""
        self.response = response
        self.text = ""
        self.events: list[tuple[str, Any]] = []

    async def next(self) -> tuple[str, Any] | None:
        """Return the name and the data of the next event, None at the end of the stream."""
        name = ""
        async with asyncio.timeout(WAIT):
            async for line in self.response.content:
                self.text += line.decode()
                if line.startswith(b"event: "):
                    name = line.decode().partition(" ")[2].strip()
                elif line.startswith(b"data: "):
                    self.events.append((name, json.loads(line.partition(b" ")[2])))
                    return self.events[-1]
        return None

    async def until(self, name: str, **wanted: Any) -> dict[str, Any]:
        """Return the data of the next event of this name that has these members."""
        while (event := await self.next()) is not None:
            if event[0] == name and wanted.items() <= event[1].items():
                data: dict[str, Any] = event[1]
                return data
        raise AssertionError(f"the stream ended without {name} {wanted}")

    def of(self, wanted: str) -> list[Any]:
        """Return the data of the events of a name that have been read so far."""
        return [data for name, data in self.events if name == wanted]


@asynccontextmanager
async def event_stream(person: Person, path: str = "/events") -> AsyncIterator[Stream]:
    """Open a stream."""
    async with person.session.get(person.server.url + path) as response:
        assert response.content_type == "text/event-stream"
        yield Stream(response)
