"""What the cloud answers when it does not do what was asked (protocol.md §2.2)."""


class ApiError(Exception):
    """A request that is refused.

    `status` goes into the JSON and, over HTTP, into the status line as well: the real mapping is
    unknown, and sending both alike serves every known client (protocol.md §2.1).
    """

    def __init__(self, status: int, message: str) -> None:
        """Refuse with a JSON `status` and a `message` for people, which never repeats a secret."""
        super().__init__(message)
        self.status = status
        self.message = message


class UnknownKeyError(ApiError):
    """A key that the cloud does not know."""


class StateFileError(Exception):
    """The state file cannot be used; the message says why and what to do."""


def bad_request(message: str) -> ApiError:
    """Answer a request whose text, fields or types are wrong."""
    return ApiError(400, message)


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
