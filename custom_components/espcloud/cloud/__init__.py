"""Client of the Espressif IoT Cloud: its HTTP API and its device socket.

Knows nothing of Home Assistant. Two ways lead in: `CloudClient` speaks the HTTP
API as a user, and as the owner of devices (`OwnerClient`); `DeviceSession` is a device
on the TCP socket.
"""

from .answer import Answer
from .backoff import Backoff, ConnectPacer, refusal_backoff
from .connection import CloudConnection
from .datapoints import StoredPoint
from .devices import (
    CloudDevice,
    OwnedDevice,
    StreamTemplate,
    is_stream_name,
    read_bssid,
)
from .endpoint import Endpoint, Timing
from .errors import (
    AuthenticationError,
    CannotConnectError,
    CloudError,
    CloudTimeoutError,
    CommandRejectedError,
    ConnectionLostError,
    DeviceBusyError,
    DeviceOfflineError,
    FloodError,
    NoTlsError,
    PushRefusedError,
    RateLimitedError,
    RequestRefusedError,
    StalledError,
    TakenOverError,
    UnexpectedAnswerError,
    UnknownAccountError,
    UntrustedCertificateError,
)
from .http import CloudClient
from .in_process_transport import InProcessTransport, ServerCall
from .models import (
    Push,
    PushKind,
    UserKey,
    is_key,
    new_token,
    virtual_bssid,
    virtual_rom_version,
)
from .owner import OwnerClient
from .products import Product, ProductDevice
from .push_limits import AccountPushes, DevicePushes, PushLimits
from .rate_limits import RateLimits
from .roms import Roms, RomVersion
from .session import DeviceSession, SessionStatistics
from .timers import (
    FixedAction,
    FixedTimer,
    LoopPeriod,
    LoopTimer,
    OtherTimer,
    SettableTimer,
    Timer,
    WeeklyAction,
    WeeklyTimer,
)

__all__ = [
    "AccountPushes",
    "Answer",
    "AuthenticationError",
    "Backoff",
    "CannotConnectError",
    "CloudClient",
    "CloudConnection",
    "CloudDevice",
    "CloudError",
    "CloudTimeoutError",
    "CommandRejectedError",
    "ConnectPacer",
    "ConnectionLostError",
    "DeviceBusyError",
    "DeviceOfflineError",
    "DevicePushes",
    "DeviceSession",
    "Endpoint",
    "FixedAction",
    "FixedTimer",
    "FloodError",
    "InProcessTransport",
    "LoopPeriod",
    "LoopTimer",
    "NoTlsError",
    "OtherTimer",
    "OwnedDevice",
    "OwnerClient",
    "Product",
    "ProductDevice",
    "Push",
    "PushKind",
    "PushLimits",
    "PushRefusedError",
    "RateLimitedError",
    "RateLimits",
    "RequestRefusedError",
    "RomVersion",
    "Roms",
    "ServerCall",
    "SessionStatistics",
    "SettableTimer",
    "StalledError",
    "StoredPoint",
    "StreamTemplate",
    "TakenOverError",
    "Timer",
    "Timing",
    "UnexpectedAnswerError",
    "UnknownAccountError",
    "UntrustedCertificateError",
    "UserKey",
    "WeeklyAction",
    "WeeklyTimer",
    "is_key",
    "is_stream_name",
    "new_token",
    "read_bssid",
    "refusal_backoff",
    "virtual_bssid",
    "virtual_rom_version",
]
