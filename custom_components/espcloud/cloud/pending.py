"""The requests on a device socket that wait for their answers."""

import asyncio
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from .errors import (
    AuthenticationError,
    CloudError,
    CloudTimeoutError,
    UnexpectedAnswerError,
)
from .fields import integer, refuses_key, status_of
from .frames import Frame

# Answers to our requests carry the nonce back. Those of devices and of the cloud stay
# below 2**31, so ours do too (protocol.md §3.2, §3.4).
_NONCE_LIMIT = 2**31


class PendingRequests:
    """Sends requests and finds the answers that belong to them."""

    def __init__(self, send: Callable[[Frame], None], timeout: float) -> None:
        """Begin with none.

        Args:
            send: sends a frame.
            timeout: seconds that an answer may take.
        """
        self._loop = asyncio.get_running_loop()
        self._send = send
        self._timeout = timeout
        self._nonces = count(1)
        self._answers: dict[int, asyncio.Future[Frame]] = {}
        self._reason: CloudError | None = None

    async def ask(
        self,
        path: str,
        method: str,
        key: str,
        body: Mapping[str, Any] | None = None,
    ) -> Frame:
        """Send a request and return the answer, whose status is 200.

        Raises:
            AuthenticationError: the cloud does not know the key.
            UnexpectedAnswerError: the status is another one.
            CloudTimeoutError: there was no answer in time.
            CloudError: what `fail` said.
        """
        if self._reason is not None:
            raise self._reason
        nonce = next(self._nonces) % _NONCE_LIMIT
        frame: Frame = {"nonce": nonce, "path": path, "method": method}
        if body is not None:
            frame["body"] = body
        frame["meta"] = {"Authorization": f"token {key}"}
        future: asyncio.Future[Frame] = self._loop.create_future()
        self._answers[nonce] = future
        try:
            self._send(frame)
            async with asyncio.timeout(self._timeout):
                answer = await future
        except TimeoutError as err:
            raise CloudTimeoutError("the cloud did not answer in time") from err
        finally:
            del self._answers[nonce]
        status = status_of(answer)
        # The reference gateway knows no path where it knows no key (protocol.md §3.2).
        if status == 404 or refuses_key(status, answer):
            raise AuthenticationError("the master key is refused")
        if status != 200:
            raise UnexpectedAnswerError(f"status {status}")
        return answer

    def take(self, frame: Frame) -> bool:
        """Take a frame without a path; return whether somebody waited for it."""
        nonce = integer(frame.get("nonce"))
        future = None if nonce is None else self._answers.get(nonce)
        if future is None or future.done():
            return False
        future.set_result(frame)
        return True

    def fail(self, reason: CloudError) -> None:
        """Tell everybody who waits, and who will ask, why there is no answer."""
        self._reason = reason
        for future in self._answers.values():
            if not future.done():
                future.set_exception(reason)
