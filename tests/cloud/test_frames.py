"""The device socket's framing."""

from itertools import pairwise
import json
from typing import Any

from hypothesis import given, settings, strategies as st
import orjson
import pytest

from custom_components.espcloud.cloud import UnexpectedAnswerError
from custom_components.espcloud.cloud.frames import (
    MAX_LINE_BYTES,
    MAX_LINE_NESTS,
    FrameDecoder,
    encode_frame,
)

from .helpers import json_values

frames = st.dictionaries(st.text(max_size=8), json_values, max_size=4)


@st.composite
def spelled_frames(draw: st.DrawFn) -> tuple[list[dict[str, Any]], bytes]:
    """Return frames, and one of the many ways to write them down."""
    sent = draw(st.lists(frames, max_size=5))
    text = b""
    for frame in sent:
        text += draw(st.sampled_from([b"", b"\n", b"\r\n", b" \t\n"]))
        text += json.dumps(
            frame,
            ensure_ascii=draw(st.booleans()),
            separators=draw(st.sampled_from([(",", ":"), (", ", ": ")])),
        ).encode()
        text += draw(st.sampled_from([b"\n", b"\r\n", b"\n\n"]))
    return sent, text


def cut(text: bytes, places: list[int]) -> list[bytes]:
    """Return the text in pieces."""
    ends = sorted({place % (len(text) + 1) for place in places} | {0, len(text)})
    return [text[start:end] for start, end in pairwise(ends)]


def decode(decoder: FrameDecoder, pieces: list[bytes]) -> list[dict[str, Any]]:
    """Return the frames of all pieces."""
    return [frame for piece in pieces for frame in decoder.feed(piece)]


@settings(max_examples=100, deadline=None, database=None)
@given(spelled_frames(), st.lists(st.integers(0, 5000), max_size=12))
def test_any_frames_in_any_pieces(
    spelled: tuple[list[dict[str, Any]], bytes], places: list[int]
) -> None:
    """However a stream is cut up, the frames are the same."""
    sent, text = spelled
    decoder = FrameDecoder()
    assert decode(decoder, cut(text, places)) == sent
    assert decoder.bad_lines == 0


@settings(max_examples=50, deadline=None, database=None)
@given(spelled_frames())
def test_one_byte_at_a_time(spelled: tuple[list[dict[str, Any]], bytes]) -> None:
    """Characters of several bytes are cut in the middle and come out whole."""
    sent, text = spelled
    decoder = FrameDecoder()
    pieces = [text[place : place + 1] for place in range(len(text))]
    assert decode(decoder, pieces) == sent
    assert decoder.bad_lines == 0


@settings(max_examples=100, deadline=None, database=None)
@given(frames)
def test_what_is_encoded_is_decoded(frame: dict[str, Any]) -> None:
    """One frame is one line, whatever is in it."""
    line = encode_frame(frame)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert FrameDecoder().feed(line) == [frame]


@settings(max_examples=100, deadline=None, database=None)
@given(
    st.lists(st.binary(max_size=40) | st.sampled_from([b"\n", b"{}\n", b'"\xff"\n']))
)
def test_arbitrary_bytes_raise_nothing_else(pieces: list[bytes]) -> None:
    """Noise is skipped or refused, and nothing but frames comes out of it."""
    decoder = FrameDecoder(max_line_bytes=64)
    try:
        decoded = decode(decoder, pieces)
    except UnexpectedAnswerError:
        return
    assert all(isinstance(frame, dict) for frame in decoded)


def test_character_cut_in_the_middle() -> None:
    """The pieces need not be text, only the whole line."""
    line = encode_frame({"name": "台灯"})
    middle = line.index("灯".encode()) + 1
    decoder = FrameDecoder()
    assert decoder.feed(line[:middle]) == []
    assert decoder.feed(line[middle:]) == [{"name": "台灯"}]


@pytest.mark.parametrize(
    "line",
    [
        b"not JSON",
        b'{"cut": ',
        b'"a text"',
        b"[1, 2]",
        b"17",
        b"null",
        b'{"bad": "\xff\xfe"}',
        b'{"bad": "\\ud800"}',
        b"\xef\xbb\xbf{}",
        b"<html>",
        b"[" * 5000,
    ],
)
def test_bad_line_costs_itself_alone(line: bytes, log: list[str]) -> None:
    """What is around a bad line is read; it is counted, and said once."""
    decoder = FrameDecoder()
    text = b'{"a": 1}\n' + line + b'\n{"b": 2}\n' + line + b'\n{"c": 3}\n'
    assert decoder.feed(text) == [{"a": 1}, {"b": 2}, {"c": 3}]
    assert decoder.bad_lines == 2
    assert len(log) == 1


def test_blank_lines_are_no_bad_lines(log: list[str]) -> None:
    """Some servers end a frame with two newlines."""
    decoder = FrameDecoder()
    assert decoder.feed(b'\n\r\n  \n\t\r\n{"a": 1}\n\n') == [{"a": 1}]
    assert decoder.bad_lines == 0
    assert log == []


def test_line_of_the_greatest_length_is_read() -> None:
    """The limit itself is allowed, however the line arrives."""
    line = b'{"a": "' + b"x" * (MAX_LINE_BYTES - 9) + b'"}'
    assert len(line) == MAX_LINE_BYTES
    assert len(FrameDecoder().feed(line + b"\n")) == 1
    decoder = FrameDecoder()
    assert decode(decoder, [line[:1000], line[1000:], b"\n"]) == [orjson.loads(line)]


@pytest.mark.parametrize("ended", [True, False])
def test_line_too_long_ends_it(ended: bool) -> None:
    """Whether its end has come or not, a longer line is given up, and memory with it."""
    line = b'{"a": "' + b"x" * 60 + b'"}' + (b"\n" if ended else b"")
    with pytest.raises(UnexpectedAnswerError, match="more than 64 bytes"):
        FrameDecoder(max_line_bytes=64).feed(line)
    decoder = FrameDecoder(max_line_bytes=64)
    with pytest.raises(UnexpectedAnswerError, match="more than 64 bytes"):
        decode(decoder, [line[:40], line[40:]])


def test_limit_is_per_line() -> None:
    """Many short lines in one piece are no long one."""
    assert len(FrameDecoder(max_line_bytes=64).feed(b'{"a": 1}\n' * 1000)) == 1000


def test_binary_noise_ends_it() -> None:
    """There is no way back into step with something that is not text."""
    with pytest.raises(UnexpectedAnswerError, match="binary"):
        FrameDecoder().feed(b"\x16\x03\x01\x00\x05\n")


@pytest.mark.parametrize(
    "line",
    [
        b"[" * (MAX_LINE_NESTS + 1),
        b"[" + b"{}," * MAX_LINE_NESTS + b"0]",
        b"[" + b"{},[]," * (MAX_LINE_NESTS // 2) + b"0]",
    ],
    ids=["lists", "objects", "both"],
)
def test_line_that_would_take_long_to_parse_costs_itself(
    monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    """It is skipped unparsed: the loop would stand still meanwhile."""
    parsed: list[bytes] = []
    loads = orjson.loads

    def note(line: bytes) -> Any:
        parsed.append(line)
        return loads(line)

    monkeypatch.setattr("custom_components.espcloud.cloud.frames.orjson.loads", note)
    decoder = FrameDecoder()
    assert decoder.feed(line + b"\n" + b'{"nonce": 1}\n') == [{"nonce": 1}]
    assert decoder.bad_lines == 1
    assert parsed == [b'{"nonce": 1}']


def test_line_of_a_thousand_datapoints() -> None:
    """As many as there are in a request (protocol.md §2.7)."""
    point = {"x": 1, "at": "2019-11-26 10:00:00", "z": {"red": 1}}
    frame = {"path": "/v1/datastreams/light/datapoints/", "datapoints": [point] * 1000}
    decoder = FrameDecoder()
    assert decoder.feed(encode_frame(frame)) == [frame]
    assert decoder.bad_lines == 0
