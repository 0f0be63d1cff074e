"""What a connection was given to send and the other side has not confirmed."""

import asyncio
import sys

if sys.platform == "linux":
    from fcntl import ioctl
    import struct
    from termios import TIOCOUTQ

_TLS_RECORD = 32
"""What TLS adds to each write, at most with the ciphers of TLS 1.3 and those of 1.2 in use today."""


def size_on_wire(data: bytes, *, tls: bool) -> int:
    """Return about how many bytes a write takes on the wire."""
    return len(data) + _TLS_RECORD if tls else len(data)


def undelivered_bytes(transport: asyncio.Transport) -> int:
    """Return how many bytes the other side has not confirmed; a system call.

    That is what waits in the transport, for TLS too, and what waits in the socket: for Linux
    SIOCOUTQ, which goes by the name of TIOCOUTQ for terminals. Elsewhere only the transport's.
    """
    waiting = transport.get_write_buffer_size()
    if sys.platform == "linux":
        try:
            answer = ioctl(
                transport.get_extra_info("socket").fileno(), TIOCOUTQ, bytes(4)
            )
        except OSError, ValueError:  # the socket is closed
            return waiting
        waiting += int(struct.unpack("i", answer)[0])
    return waiting
