"""The contents of firmware files."""

from collections.abc import Awaitable, Callable

from .store_context import StoreContext


async def _nothing(_rom_id: int) -> bytes | None:
    return None


class RomFiles:
    """Hands files to the database, and back, by the ids of their records (`models.RomFile`).

    They go with their records.

    Attributes:
        find: returns a file that the database has; None where it has none.
    """

    def __init__(self, context: StoreContext) -> None:
        """Say in `context` what is new."""
        self._context = context
        self.find: Callable[[int], Awaitable[bytes | None]] = _nothing

    def put(self, rom_id: int, content: bytes) -> None:
        """Keep a file."""
        self._context.uploaded(rom_id, content)

    async def read(self, rom_id: int) -> bytes:
        """Return a file. Raises LookupError where it is gone."""
        content = self._context.batch.contents.get(rom_id)
        if content is None:
            content = await self.find(rom_id)
        if content is None:
            raise LookupError("the file is gone")
        return content
