"""Sending an action to a device that never answers one."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from ..cloud import DeviceBusyError

SENT_AFTER: Final = 1.0
"""Seconds after which a command to a device that never answers counts as sent."""

type Call = Coroutine[Any, Any, dict[str, Any]]


class SilentCalls:
    """Calls of one device that nobody waits for to the end."""

    def __init__(
        self, create_task: Callable[[Call], asyncio.Task[dict[str, Any]]]
    ) -> None:
        """Run each call by `create_task`, in the background."""
        self._create_task = create_task
        self._under_way: set[asyncio.Task[dict[str, Any]]] = set()

    async def send(self, call: Call) -> dict[str, Any]:
        """Send a call; return nothing of it.

        Raises:
            CloudError: the cloud says at once that the device is not there.
        """
        task = self._create_task(call)
        self._under_way.add(task)
        task.add_done_callback(self._note_sent)
        done, _ = await asyncio.wait({task}, timeout=SENT_AFTER)
        if not done:
            return {}
        try:
            return task.result()
        except DeviceBusyError:
            return {}

    def cancel(self) -> None:
        """Give up what is under way."""
        for task in self._under_way:
            task.cancel()

    def _note_sent(self, task: asyncio.Task[dict[str, Any]]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            # That it was not answered is no news.
            task.exception()
