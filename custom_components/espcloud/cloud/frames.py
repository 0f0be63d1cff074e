"""The device socket's framing: one JSON object a line (protocol.md §3.1)."""

from collections.abc import Mapping
import logging
from typing import Any, NoReturn

import orjson

from .errors import UnexpectedAnswerError

_LOGGER = logging.getLogger(__name__)

# The only documented limit: a longer line closes the link (protocol.md §3.1).
MAX_LINE_BYTES = 1024 * 1024

# A push of a thousand datapoints, the most that there are in a request (protocol.md
# §2.7), has as many objects. Counted in long lines alone: short ones cannot have more.
MAX_LINE_NESTS = 4096

type Frame = dict[str, Any]


def encode_frame(frame: Mapping[str, Any]) -> bytes:
    """Return the frame as one line, ready to send.

    Compact JSON is right in this direction: only firmware depends on spacing, and
    firmware is never at the other end of this client's socket (protocol.md §3.9).
    """
    return orjson.dumps(frame, option=orjson.OPT_APPEND_NEWLINE)


class FrameDecoder:
    """Turns a stream of bytes into frames, however it is cut up.

    Attributes:
        bad_lines: how many lines were skipped since they held no JSON object.
    """

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        """Start with an empty line."""
        self.bad_lines = 0
        self._max_line_bytes = max_line_bytes
        self._unfinished = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        r"""Return the frames that `data` completes; `\r` and blank lines are ignored.

        A line that is no JSON object costs only itself.

        Raises:
            UnexpectedAnswerError: a line is too long, or is not text at all; there is
                no way to find back into step, so the connection has to end.
        """
        *lines, rest = data.split(b"\n")
        frames: list[Frame] = []
        if lines and self._unfinished:
            lines[0] = bytes(self._unfinished) + lines[0]
            self._unfinished.clear()
        for line in lines:
            if len(line) > self._max_line_bytes:
                self._refuse_length()
            self._decode_line(line, frames)
        if rest:
            self._unfinished += rest
            if len(self._unfinished) > self._max_line_bytes:
                self._refuse_length()
        return frames

    def _refuse_length(self) -> NoReturn:
        raise UnexpectedAnswerError(f"a line of more than {self._max_line_bytes} bytes")

    def _decode_line(self, line: bytes, frames: list[Frame]) -> None:
        if (
            len(line) > MAX_LINE_NESTS
            and line.count(b"[") + line.count(b"{") > MAX_LINE_NESTS
        ):
            self._skip_line()
            return
        try:
            frame = orjson.loads(line)
        except orjson.JSONDecodeError:
            if not line.strip():
                return
            if b"\0" in line:
                raise UnexpectedAnswerError("binary noise instead of text") from None
            self._skip_line()
            return
        if isinstance(frame, dict):
            frames.append(frame)
        else:
            self._skip_line()

    def _skip_line(self) -> None:
        # Once is enough: what sends one such line sends more.
        if self.bad_lines == 0:
            _LOGGER.warning("The cloud sent a line that is no frame; it is skipped")
        self.bad_lines += 1
