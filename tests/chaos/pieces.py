"""How a stream may arrive: whole, in pieces, twice."""

from collections.abc import Callable


def whole(data: bytes) -> list[bytes]:
    """As it came."""
    return [data]


def bytewise(data: bytes) -> list[bytes]:
    """One byte at a time."""
    return [data[at : at + 1] for at in range(len(data))]


def split_at(offset: int) -> Callable[[bytes], list[bytes]]:
    """In two pieces, cut at the offset, or at the end of what is shorter."""
    return lambda data: [piece for piece in (data[:offset], data[offset:]) if piece]


def twice(data: bytes) -> list[bytes]:
    """Every line twice, in one piece."""
    return [b"".join(line * 2 for line in data.splitlines(keepends=True))]
