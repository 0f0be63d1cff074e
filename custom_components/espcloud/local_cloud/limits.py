"""How much of the server one peer may have."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Times in seconds, sizes in bytes; the defaults suit a server on the open network."""

    unidentified: float = 60.0
    """Silence after which a device connection that has not identified is dropped."""
    silent: float = 95.0
    """Silence after which an identified one is dropped with the next `sweep`: firmware pings every
    50 s (protocol.md §5), and who calls a device that is gone hears so after two of them."""
    pending: float = 600.0
    """Silence after which a pending device (`pending`) is dropped."""
    doubt: float = 10.0
    """Silence, after it left a push unanswered, after which a device that has answered others is
    dropped."""
    unread: float = 10.0
    """How long a peer may leave its answers unread before it is dropped."""
    line: int = 1 << 20
    """Longest line of a device connection (protocol.md §3.1), and longest HTTP body."""
    websocket_message: int = 64 << 10
    """Longest message of a WebSocket, whoever sends it: it is whole before anything is read of it."""
    early_line: int = 4 << 10
    """Longest line of a device connection that has not shown a good key yet."""
    early_frames: int = 64
    """Frames a minute of one that has not."""
    unfinished_object: float = 5.0
    """How long an object that spans lines may take until its last one."""
    body_without_key: int = 16 << 10
    """Longest HTTP body of a request without a key that exists."""
    http_bodies: int = 64 << 20
    """All unfinished HTTP bodies together; above it the longest one gives way."""
    partial_lines: int = 64 << 20
    """All unfinished lines of all device connections together; above it the longest one goes."""
    write_buffer: int = 256 << 10
    """Unread answers of a device connection above which no more of its requests are taken."""
    requests_at_once: int = 64
    """Unanswered requests of one device connection."""
    connections_of_address: int = 4096
    """Connections of one address at the device port: many devices may be behind one router, and all
    of them behind a server that ends TLS for this one."""
    waiting_pushes: int = 1024
    """Pushes that wait for one device."""
    first_push: float = 2.0
    """How long the first push waits after identify for a frame of the device (protocol.md §10)."""
    gap: float = 0.1
    """Time for firmware to read a frame that it does not answer, before it gets the next one
    (protocol.md §3.9, 8)."""
    tls_handshake: float = 15.0
    """Time for a TLS handshake."""
    http_body: float = 30.0
    """Time for an HTTP request's body."""
    http_request: float = 60.0
    """Time for a whole HTTP request, answering included."""
    http_download: float = 150.0
    """Time to read a firmware file; a device gives up after 120 s (protocol.md §10.4)."""
    downloads: int = 64
    """Firmware files that are being read."""
    downloads_of_address: int = 8
    """Of these, the ones at one address."""
    http_keep_alive: float = 75.0
    """Time until an HTTP connection has sent the head of its first request, or of its next one,
    reading the answer included."""
    sweep: float = 5.0
    """How often the servers look for connections whose time is over."""
