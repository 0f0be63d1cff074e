"""Frames of the device server: lines of bytes in, requests out, and what firmware can take."""

from .errors import bad_request
from .presence import Link
from .request import Request, make_request
from .wire import Encoded, JsonObject, encode, encode_item

_HELD_SEGMENT = 1460
"""Firmware holds a segment of exactly this size until the next one comes (protocol.md §3.9, 9)."""
_FIRMWARE_BUFFER = 2047
"""A longer frame overflows or is dropped (protocol.md §3.9, 9)."""
_FIRMWARE_WORDS = (b"timers", b"ping success", b"send message success")
"""What firmware takes for the answer to another request, wherever it stands (protocol.md §3.9, 2)."""
_MAX_NONCE = 2**63 - 1


class LineTooLongError(Exception):
    """A line is longer than the limit."""


class LineBuffer:
    """Cuts a stream of bytes into lines.

    Attributes:
        limit: the most bytes that a line may have.
    """

    def __init__(self, limit: int) -> None:
        """Take lines of up to `limit` bytes."""
        self.limit = limit
        self._data = bytearray()
        self._searched = 0

    def __len__(self) -> int:
        """Return how many bytes wait for the rest of their line, or for their turn."""
        return len(self._data)

    def feed(self, data: bytes) -> None:
        """Add what has arrived."""
        self._data += data

    def next_line(self) -> bytes | None:
        """Return the next whole line without its newline, or None.

        Raises LineTooLongError as soon as that is certain, newline or not.
        """
        end = self._data.find(b"\n", self._searched)
        if (len(self._data) if end < 0 else end) > self.limit:
            raise LineTooLongError
        if end < 0:
            self._searched = len(self._data)
            return None
        line = bytes(self._data[:end])
        # CPython drops the front of a bytearray without moving the rest.
        del self._data[: end + 1]
        self._searched = 0
        return line

    def ends_with(self, byte: bytes) -> bool:
        """Say whether the bytes without a newline so far end with this one."""
        return self._data.endswith(byte)

    def clear(self) -> None:
        """Forget what has arrived."""
        self._data.clear()
        self._searched = 0


def request_from_frame(frame: JsonObject, peer: str, link: Link) -> Request:
    """Return the request in a frame (protocol.md §3.1).

    Raises ApiError 400 where `path`, `method`, `meta`, `get` or `body` has a type it cannot have.
    A missing or null one counts as empty, and an empty `body` as the `post` that some firmware
    sends in its place; method is GET where there is none.
    """
    meta = _object(frame, "meta")
    return make_request(
        _text(frame, "method") or "GET",
        _text(frame, "path") or "",
        {
            name: _query_text(name, value)
            for name, value in _object(frame, "get").items()
        },
        _object(frame, "body") or _object(frame, "post"),
        authorization=_text(meta, "Authorization"),
        time_zone=_text(meta, "Time-Zone"),
        peer=peer,
        link=link,
    )


def read_nonce(frame: JsonObject) -> int | None:
    """Return the frame's nonce, None where it has none. Raises ApiError 400 for no whole number."""
    nonce = frame.get("nonce")
    if nonce is None:
        return None
    if not isinstance(nonce, int) or isinstance(nonce, bool) or abs(nonce) > _MAX_NONCE:
        raise bad_request("nonce must be a whole number")
    return nonce


def line(frame: bytes) -> bytes:
    """Return a frame as it goes out: with its newline, and never a multiple of 1460 bytes long."""
    if (len(frame) + 1) % _HELD_SEGMENT == 0:
        frame += b" "
    return frame + b"\n"


def fit_firmware(reply: JsonObject) -> JsonObject:
    """Return an activate or identify reply that firmware takes for what it is.

    Its records are encoded, so that the texts in them, the device's name above all, hold none of the
    words that firmware looks for (protocol.md §10.2, 7). A device with long texts gets the short form
    that the firmware takes as well (protocol.md §3.9, 9). The nonce is added later; it has to come
    before byte 1460, where the network cuts, for firmware that saw half a nonce would not know its
    activation again.
    """
    device = reply["device"]
    safe = {name: Encoded(_without_words(value)) for name, value in reply.items()}
    if (
        len(safe["device"].text) <= _HELD_SEGMENT - 100
        and len(encode(safe)) <= _FIRMWARE_BUFFER - 40
    ):
        return safe
    short = {"id": device["id"], "activate_status": device["activate_status"]}
    return {"device": short, "status": 200}


def _without_words(value: object) -> bytes:
    r"""Return the encoded value, in which a word of the firmware's ends with `\u0073`, an s to JSON."""
    text = encode_item(value)
    for word in _FIRMWARE_WORDS:
        text = text.replace(word, word[:-1] + rb"\u0073")
    return text


def _object(members: JsonObject, name: str) -> JsonObject:
    value = members.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad_request(f"{name} must be an object")
    return value


def _text(members: JsonObject, name: str) -> str | None:
    value = members.get(name)
    if value is not None and not isinstance(value, str):
        raise bad_request(f"{name} must be a text")
    return value


def _query_text(name: str, value: object) -> str:
    """Return a member of `get` as it would stand in a query."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
    raise bad_request(f"{name} must be a text")
