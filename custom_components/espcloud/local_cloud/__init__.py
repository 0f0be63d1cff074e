"""A local Espressif IoT Cloud: the HTTP API for people and apps, the TCP server for devices.

It shares no code with the client in `custom_components/espcloud/cloud`: two readings of one protocol
test each other.

Whoever embeds it has `LocalCloud`: `call` asks it without a port, `listeners` hear of its devices, `tap`
shows the frames of one, `datapoint_calls` has what they measured, and `operator` is what the person who
runs it sees and does.
"""

from .limits import Limits
from .server import LocalCloud
from .sign_up import SignUp

__all__ = ["Limits", "LocalCloud", "SignUp"]
