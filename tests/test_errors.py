"""Every error of the cloud's has words of its own."""

import json
from pathlib import Path

import pytest

from custom_components.espcloud.cloud import (
    AuthenticationError,
    CannotConnectError,
    CloudError,
    CloudTimeoutError,
    CommandRejectedError,
    ConnectionLostError,
    DeviceBusyError,
    DeviceOfflineError,
    RateLimitedError,
    TakenOverError,
    UnexpectedAnswerError,
    UnknownAccountError,
    UntrustedCertificateError,
)
from custom_components.espcloud.errors import translated
from homeassistant.exceptions import HomeAssistantError

TEXTS = json.loads(
    (
        Path(__file__).parents[1] / "custom_components/espcloud/translations/en.json"
    ).read_text()
)["exceptions"]


@pytest.mark.parametrize(
    ("err", "key"),
    [
        (AuthenticationError(""), "key_refused"),
        (UnknownAccountError(""), "key_refused"),
        (CannotConnectError(""), "cannot_connect"),
        (TakenOverError(""), "taken_over"),
        (UntrustedCertificateError(""), "untrusted_certificate"),
        (CloudTimeoutError(""), "timeout"),
        (ConnectionLostError(""), "cannot_connect"),
        (DeviceOfflineError(""), "device_offline"),
        (DeviceBusyError(""), "device_busy"),
        (CommandRejectedError(422), "command_rejected"),
        (RateLimitedError(""), "rate_limited"),
        (UnexpectedAnswerError(""), "unexpected_answer"),
    ],
)
def test_error_has_its_words(err: CloudError, key: str) -> None:
    """The text exists, and has all that it wants filled in."""
    placeholders = {"device": "Lamp", "action": "LED_ON", "url": "https://a.example"}
    error = translated(HomeAssistantError, err, **placeholders)
    assert error.translation_key == key
    text = TEXTS[key]["message"].format(**error.translation_placeholders)
    assert "{" not in text
    if isinstance(err, CommandRejectedError):
        assert "422" in text
