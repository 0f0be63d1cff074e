"""The cloud's errors in the user's words."""

from homeassistant.exceptions import HomeAssistantError

from .cloud import (
    AuthenticationError,
    CannotConnectError,
    CloudError,
    CloudTimeoutError,
    CommandRejectedError,
    DeviceBusyError,
    DeviceOfflineError,
    RateLimitedError,
    TakenOverError,
    UntrustedCertificateError,
)
from .const import DOMAIN


def error_key(err: CloudError) -> str:
    """Return the translation key that explains an error and says what to do next."""
    match err:
        case AuthenticationError():
            return "key_refused"
        case TakenOverError():
            return "taken_over"
        case UntrustedCertificateError():
            return "untrusted_certificate"
        case CloudTimeoutError():
            return "timeout"
        case CannotConnectError():
            return "cannot_connect"
        case DeviceOfflineError():
            return "device_offline"
        case DeviceBusyError():
            return "device_busy"
        case CommandRejectedError():
            return "command_rejected"
        case RateLimitedError():
            return "rate_limited"
    return "unexpected_answer"


def translated[ErrorT: HomeAssistantError](
    kind: type[ErrorT], err: CloudError, **placeholders: str
) -> ErrorT:
    """Return an error of Home Assistant's for an error of the cloud's."""
    if isinstance(err, CommandRejectedError):
        placeholders["status"] = str(err.status)
    return kind(
        translation_domain=DOMAIN,
        translation_key=error_key(err),
        translation_placeholders=placeholders,
    )
