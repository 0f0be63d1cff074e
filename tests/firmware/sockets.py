"""Sockets of devices, each at an address of its own where it has one."""

import socket


def new_socket(source: str = "") -> socket.socket:
    """Return a socket that does not block, bound to an IPv4 address or, if empty, to none."""
    new = socket.socket()
    try:
        new.setblocking(False)
        if source:
            new.bind((source, 0))
    except OSError:
        new.close()
        raise
    return new
