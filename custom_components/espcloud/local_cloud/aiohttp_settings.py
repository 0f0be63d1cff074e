"""How aiohttp serves the connections of this cloud."""

import logging
from typing import Any

from .limits import Limits

_LOGGER = logging.getLogger(f"{__name__}.aiohttp")
# aiohttp reports malformed requests with their text, in which there may be a key.
_LOGGER.disabled = True
_READ_AHEAD = 64 << 10
"""Bytes that are taken from a connection before whoever reads the body asks for them."""


def handler_settings(limits: Limits) -> dict[str, Any]:
    """Return the settings of a connection."""
    return {
        "access_log": None,
        "logger": _LOGGER,
        "keepalive_timeout": limits.http_keep_alive,
        # A connection that ends while aiohttp lingers on it would leave its task behind.
        "lingering_time": 0,
        "read_bufsize": _READ_AHEAD,
        "auto_decompress": False,
    }
