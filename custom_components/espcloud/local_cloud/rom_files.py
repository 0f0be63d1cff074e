"""The contents of firmware files."""


class RomFiles:
    """Keeps files by the ids of their records (`models.RomFile`), in memory."""

    def __init__(self) -> None:
        """Start empty."""
        self._contents: dict[int, bytes] = {}

    def put(self, rom_id: int, content: bytes) -> None:
        """Keep a file."""
        self._contents[rom_id] = content

    async def read(self, rom_id: int) -> bytes:
        """Return a file. Raises LookupError where it is gone."""
        return self._contents[rom_id]

    def remove(self, rom_id: int) -> None:
        """Forget a file."""
        self._contents.pop(rom_id, None)
