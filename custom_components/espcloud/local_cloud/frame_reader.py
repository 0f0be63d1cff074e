"""Objects out of lines: one a line from devices, over several lines as a person pastes them."""

import re

from .frames import LineTooLongError
from .wire import JsonObject, NotAnObjectError, decode

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_VERSION_AND_QUOTE = re.compile(rb'("rom_version":"[^"\\]{1,14})""\}\}\s*$')
"""How firmware ends its message about an upgrade to a version of 14 characters: it takes 15 of the
push, and so the quote behind the version (protocol.md §3.9, 11)."""


class FrameReader:
    """Puts an object that spans lines together.

    Whether the cloud takes one is unknown (protocol.md §3.1). People paste what tutorials print over
    several lines, though, and a dozen refusals tell them nothing.

    Attributes:
        limit: the most bytes that an object may have in all its lines.
    """

    def __init__(self, limit: int) -> None:
        """Take objects of up to `limit` bytes in all their lines."""
        self.limit = limit
        self._unfinished = bytearray()
        self._depth = 0

    def __len__(self) -> int:
        """Return how many bytes wait for the rest of their object."""
        return len(self._unfinished)

    def take(self, line: bytes) -> list[JsonObject | None]:
        """Return what a line completes, in order; None stands for something that is no object.

        A line that is a frame by itself ends what was unfinished before it: a broken line costs only
        itself. Raises LineTooLongError where an object exceeds the limit.
        """
        try:
            frame = decode(line)
        except NotAnObjectError:
            message, repairs = _VERSION_AND_QUOTE.subn(rb'\1"}}', line)
            return self.take(message) if repairs else self._take_part(line)
        if not self._unfinished:
            return [frame]
        if "path" not in frame and "nonce" not in frame:
            # A record within the object that is pasted may well fill a line.
            return self._take_part(line)
        self.clear()
        return [None, frame]

    def clear(self) -> None:
        """Forget what is unfinished."""
        self._unfinished.clear()
        self._depth = 0

    def _take_part(self, line: bytes) -> list[JsonObject | None]:
        if not self._unfinished and not line.startswith(b"{"):
            return [None]
        # No text of JSON goes on in the next line.
        bare = _STRING.sub(b"", line)
        self._depth += bare.count(b"{") - bare.count(b"}")
        self._unfinished += line + b"\n"
        if len(self._unfinished) > self.limit:
            raise LineTooLongError
        if self._depth > 0 and b'"' not in bare:
            return []
        text = bytes(self._unfinished)
        self.clear()
        try:
            return [decode(text)]
        except NotAnObjectError:
            return [None]
