"""The cloud's errors in the user's words."""

from collections.abc import Iterator
from contextlib import contextmanager

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

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
    # It can only happen to a device that is set up.
    key = "taken_over" if isinstance(err, TakenOverError) else error_key(err)
    return kind(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    )


@contextmanager
def translating(**placeholders: str) -> Iterator[None]:
    """Turn an error of the cloud's, within the block, into a HomeAssistantError."""
    try:
        yield
    except CloudError as err:
        raise translated(HomeAssistantError, err, **placeholders) from err


def invalid_call(key: str, **placeholders: str) -> ServiceValidationError:
    """Return the error of an action that was called in a way that cannot work."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    )
