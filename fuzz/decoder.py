"""Frames as the client reads them: the same ones however the bytes are cut."""

from custom_components.espcloud.cloud import UnexpectedAnswerError
from custom_components.espcloud.cloud.frames import Frame, FrameDecoder

from .wire import Pieces, cut

_LONGEST = 200
"""Short, so that the fuzzer reaches the limit."""


def target(data: bytes) -> None:
    """Decode the same bytes in pieces and at once."""
    in_pieces, at_once = cut(data), [data[1:]]
    frames, bad_lines, failed = _decode(in_pieces)
    if failed:
        # A line that is too long is noticed as soon as it is, so before what stands behind it.
        assert _decode(at_once)[2]
        return
    assert (frames, bad_lines, failed) == _decode(at_once)
    assert all(isinstance(frame, dict) for frame in frames)
    *lines, _ = data[1:].split(b"\n")
    filled = [line for line in lines if line.strip()]
    assert len(frames) + bad_lines == len(filled)


def _decode(pieces: Pieces) -> tuple[list[Frame], int, bool]:
    decoder = FrameDecoder(_LONGEST)
    frames: list[Frame] = []
    for piece in pieces:
        try:
            frames += decoder.feed(piece)
        except UnexpectedAnswerError:
            return frames, decoder.bad_lines, True
    return frames, decoder.bad_lines, False
