"""Waiting for what comes about by itself."""

import asyncio
from collections.abc import Callable

_PATIENCE = 30
"""Seconds, for a machine that has much else to do."""


async def wait_for(is_so: Callable[[], bool]) -> None:
    """Return when something is so. Raises TimeoutError."""
    async with asyncio.timeout(_PATIENCE):
        while not is_so():  # noqa: ASYNC110 - devices have no event for it
            await asyncio.sleep(0.02)
