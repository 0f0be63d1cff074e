"""What the cloud answers when it does not do what was asked (protocol.md §2.2)."""

from enum import StrEnum


class Reason(StrEnum):
    """Why firmware is refused, for whoever embeds the cloud and speaks to people in their language."""

    BAD_VERSION = "bad_version"
    """The version has another form, or too many characters."""
    OTHER_KIND = "other_kind"
    """The version names another kind of device."""
    FILE_MISSING = "file_missing"
    """There are not exactly the two files of a version."""
    NOT_FIRMWARE = "not_firmware"
    """A file begins with another byte than firmware, or is too short for any."""
    TOO_LARGE = "too_large"
    """A file is larger than the flash of a device."""
    BAD_CHECKSUM = "bad_checksum"
    """A file is damaged, or not complete."""
    SAME_FILE = "same_file"
    """Both files have the same contents."""
    EXISTS = "exists"
    """The version is there already."""
    TOO_MANY_VERSIONS = "too_many_versions"
    """There are as many versions for these devices as there may be."""
    NO_SPACE = "no_space"
    """The account has as many bytes of firmware as it may have."""
    NOT_FOUND = "not_found"
    """There is no such version, or no such file."""


class ApiError(Exception):
    """A request that is refused.

    `status` goes into the JSON and, over HTTP, into the status line as well: the real mapping is
    unknown, and sending both alike serves every known client (protocol.md §2.1). `reason` goes to
    callers within the process alone.
    """

    def __init__(self, status: int, message: str, reason: Reason | None = None) -> None:
        """Refuse with a JSON `status` and a `message` for people, which never repeats a secret."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason


class UnknownKeyError(ApiError):
    """A key that the cloud does not know."""


class StateFileError(Exception):
    """The state file cannot be used; the message says why and what to do."""


def bad_request(message: str, reason: Reason | None = None) -> ApiError:
    """Answer a request whose text, fields or types are wrong."""
    return ApiError(400, message, reason)


def unknown_path() -> ApiError:
    """Answer a path that the cloud does not have; the words are the gateway's own."""
    return ApiError(404, "what is that?")


def key_missing() -> ApiError:
    """Answer a request without any key where one is needed; 401 is our reading (protocol.md §2.2)."""
    return ApiError(401, "authorization required")


def unknown_device_key() -> UnknownKeyError:
    """Answer a key that no live device has; 500 as the cloud sends it."""
    return UnknownKeyError(500, "devicekey not exists")


def unknown_user_key() -> UnknownKeyError:
    """Answer a key that no account has; the cloud's answer is unknown, so the plain meaning."""
    return UnknownKeyError(403, "userkey not exists")


def peer_disconnected() -> ApiError:
    """Answer a delivered call to a device that is away, or that leaves before it answers."""
    return ApiError(404, "remote peer is disconnected")


def device_busy() -> ApiError:
    """Answer a delivered call that the device did not answer in time, in the gateway's spelling."""
    return ApiError(500, "remote device is busy or some errors occured")


def storage_full() -> ApiError:
    """Answer a request whose change could not be written, and was taken back."""
    return ApiError(507, "storage is full")


def for_firmware(message: str) -> str:
    """Return an error message as it may be sent to Espressif's firmware.

    The firmware looks for words anywhere in what it receives. `device` makes it ask for its timers
    again, so "devicekey not exists" as the answer to that very question would be an endless loop;
    `timers` and `ping success` would be taken for the answers of that name (protocol.md §3.9, 2
    and 3). So the device server keeps the status of §2.2 and says "key not exists", with the cloud's
    own word "peer" in place of "device".
    """
    return (
        message.replace("devicekey", "key")
        .replace("device", "peer")
        .replace("timers", "timer")
        .replace("ping success", "ping")
    )
