"""Client of the Espressif IoT Cloud: its HTTP API and its device socket.

Knows nothing of Home Assistant. Two ways lead in: `CloudClient` speaks the HTTP
API as a user, `DeviceSession` is a device on the TCP socket.
"""

from .backoff import Backoff, ConnectPacer, refusal_backoff
from .connection import CloudConnection
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
    StalledError,
    TakenOverError,
    UnexpectedAnswerError,
    UnknownAccountError,
    UntrustedCertificateError,
)
from .http import CloudClient
from .models import (
    CloudDevice,
    OwnedDevice,
    Push,
    PushKind,
    UserKey,
    is_key,
    new_token,
    virtual_bssid,
    virtual_rom_version,
)
from .products import Product, ProductDevice
from .push_limits import AccountPushes, DevicePushes, PushLimits
from .session import DeviceSession, SessionStatistics

__all__ = [
    "AccountPushes",
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
    "FloodError",
    "NoTlsError",
    "OwnedDevice",
    "Product",
    "ProductDevice",
    "Push",
    "PushKind",
    "PushLimits",
    "PushRefusedError",
    "RateLimitedError",
    "SessionStatistics",
    "StalledError",
    "TakenOverError",
    "Timing",
    "UnexpectedAnswerError",
    "UnknownAccountError",
    "UntrustedCertificateError",
    "UserKey",
    "is_key",
    "new_token",
    "refusal_backoff",
    "virtual_bssid",
    "virtual_rom_version",
]
