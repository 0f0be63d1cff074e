"""What a server answers, and what that means (protocol.md §2.1, §2.2)."""

from dataclasses import dataclass
from typing import Any

from .errors import (
    AuthenticationError,
    CommandRejectedError,
    DeviceBusyError,
    DeviceOfflineError,
    RateLimitedError,
    RequestRefusedError,
    UnexpectedAnswerError,
)
from .fields import integer, refuses_key


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered.

    Attributes:
        status: the JSON's own, whatever the HTTP status line says, and the status line's
            where the JSON has none (protocol.md §2.1).
        body: the JSON object.
        retry_after: in how many seconds to ask again, where the answer says that.
    """

    status: int
    body: dict[str, Any]
    retry_after: float | None = None

    def require_ok(self) -> dict[str, Any]:
        """Return the object of an answer that is a success.

        Raises:
            AuthenticationError: the key is refused.
            RateLimitedError: the cloud wants fewer requests.
            RequestRefusedError: another status than 200.
        """
        if refuses_key(self.status, self.body):
            raise AuthenticationError("the key is refused")
        if self.status == 429:
            raise RateLimitedError("the cloud wants fewer requests", self.retry_after)
        if self.status != 200:
            raise RequestRefusedError(self.status)
        return self.body

    def require_delivered(self) -> dict[str, Any]:
        """Return what the device itself answered (protocol.md §3.5).

        Raises:
            UnexpectedAnswerError: the answer is not the device's.
            CloudError: as `require_taken`.
        """
        self.require_taken()
        # The reference clients in Lua answer with a status and the nonce alone. Whoever
        # says 200 without either, it is not the device that acknowledges.
        if not self._is_marked and integer(self.body.get("nonce")) is None:
            raise UnexpectedAnswerError("an answer that is not the device's")
        return self.body

    def require_taken(self) -> dict[str, Any]:
        """Return the object of a success, whether the device's or the cloud's (protocol.md §2.2).

        Raises:
            DeviceOfflineError: the device is not connected to the cloud.
            DeviceBusyError: the device did not answer in time.
            CommandRejectedError: the device answered with another status than 200.
            CloudError: as `require_ok`.
        """
        if self.status != 200:
            if self._is_marked:
                # The device's own words: its 403 says nothing of our key.
                raise CommandRejectedError(self.status)
            message = str(self.body.get("message", ""))
            if "disconnected" in message:
                raise DeviceOfflineError("the device is not connected to the cloud")
            if "busy" in message:
                raise DeviceBusyError("the device did not answer in time")
        return self.require_ok()

    @property
    def _is_marked(self) -> bool:
        return self.body.get("deliver_to_device") is True
