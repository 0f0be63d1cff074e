"""What can go wrong between this client and the cloud.

No error text ever holds a key, a password, a token or a whole answer: the texts are
made here, and what the cloud said is quoted only where `CommandRejectedError` says so.
"""


class CloudError(Exception):
    """Base of everything this client raises."""


class CannotConnectError(CloudError):
    """The cloud was not reached: no address, refused, TLS refused, broken off."""


class UntrustedCertificateError(CannotConnectError):
    """The server's certificate is expired, not for this name, or nobody's."""


class NoTlsError(CannotConnectError):
    """The port was reached but no TLS connection came about: it may speak plain HTTP."""


class CloudTimeoutError(CannotConnectError):
    """The cloud was reached but did not answer in time."""


class ConnectionLostError(CannotConnectError):
    """The device socket was up and is not any more."""


class StalledError(ConnectionLostError):
    """This side stood still for so long that what lay in the socket is out of date."""


class FloodError(ConnectionLostError):
    """The cloud sent so many pushes that this side closed the connection."""


class TakenOverError(ConnectionLostError):
    """Another client identified with this device's master key (protocol.md §3.2)."""


class AuthenticationError(CloudError):
    """The cloud refused the e-mail, the password or the key."""


class UnknownAccountError(AuthenticationError):
    """The cloud knows no account with this e-mail (protocol.md §2.2)."""


class RateLimitedError(CloudError):
    """The cloud wants fewer requests for a while (protocol.md §2.1).

    Attributes:
        retry_after: in how many seconds to ask again, None where the cloud does not say.
    """

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        """Say so, and when to ask again."""
        super().__init__(text)
        self.retry_after = retry_after


class UnexpectedAnswerError(CloudError):
    """What answered does not speak this protocol, or answered something unknown."""


class RequestRefusedError(UnexpectedAnswerError):
    """The cloud answered a request with a status other than 200, for no known reason.

    Attributes:
        status: the cloud's status number, such as 400 for what it cannot take.
    """

    def __init__(self, status: int) -> None:
        """Remember the status, the only part of the answer that is shown."""
        super().__init__(f"status {status}")
        self.status = status


class DeviceOfflineError(CloudError):
    """The cloud has no connection to the device (protocol.md §2.2)."""


class DeviceBusyError(CloudError):
    """The device is connected but did not acknowledge in time (protocol.md §2.2)."""


class PushRefusedError(Exception):
    """Raised by whoever handles pushes: this one is not to be acknowledged.

    Attributes:
        status: what the sender is told instead of 200.
    """

    def __init__(self, status: int) -> None:
        """Remember the status; there is nothing to log, since the sender is told."""
        super().__init__(f"answered with status {status}")
        self.status = status


class CommandRejectedError(CloudError):
    """The device answered a command with a status other than 200.

    Attributes:
        status: the device's own status number.
    """

    def __init__(self, status: int) -> None:
        """Remember the status, the only part of the answer that is shown."""
        super().__init__(f"the device answered with status {status}")
        self.status = status
