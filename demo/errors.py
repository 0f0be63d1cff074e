"""What the demo cannot go on from."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class DemoError(Exception):
    """A failure with a text that tells a person what happened and what to do."""


@asynccontextmanager
async def deadline(seconds: float, what: str) -> AsyncIterator[None]:
    """Fail when the block takes longer; `what` reads as the subject of the text."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as err:
        raise DemoError(f"{what} did not happen within {seconds:g} s") from err
