"""A local Espressif IoT Cloud: the HTTP API for people and apps, the TCP server for devices.

It shares no code with the client in `custom_components/espcloud/cloud`: two readings of one protocol
test each other.
"""

from .limits import Limits
from .server import LocalCloud

__all__ = ["Limits", "LocalCloud"]
