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
    DeviceSession,
    RateLimitedError,
    UntrustedCertificateError,
)
from .const import DOMAIN


def error_key(err: CloudError) -> str:
    """Return the translation key that explains an error and says what to do next."""
    match err:
        case AuthenticationError():
            return "key_refused"
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


def not_sent(session: DeviceSession | None, device: str, action: str) -> Exception:
    """Return why a command cannot be sent: a CloudError, or one with a text of its own."""
    if session is not None and session.refused:
        return AuthenticationError("the master key is refused")
    if session is not None and session.contested:
        return HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="taken_over",
            translation_placeholders={"device": device, "action": action},
        )
    return DeviceOfflineError("not connected")
