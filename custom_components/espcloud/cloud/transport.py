"""HTTP requests to one server, and what becomes of them (protocol.md §2.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
import re
from typing import Any, Final

import aiohttp
import orjson
from yarl import URL

from .errors import (
    AuthenticationError,
    CannotConnectError,
    CloudTimeoutError,
    CommandRejectedError,
    DeviceBusyError,
    DeviceOfflineError,
    NoTlsError,
    RateLimitedError,
    RequestRefusedError,
    UnexpectedAnswerError,
    UntrustedCertificateError,
)
from .fields import integer, refuses_key, status_of
from .rate_limits import RateLimits, retry_after
from .send_once import not_reached, send_once

# The cloud's own wait for a device is unknown; the reference gateway gives it 5 s
# (protocol.md §5), so a call that takes longer than this has no answer to come.
REQUEST_TIMEOUT: Final = aiohttp.ClientTimeout(total=10, connect=5)
# The longest answer is the list of an account's devices. 2,000 of local_cloud take
# 2,270,710 bytes, and 6,002 lists and objects, as a test of the client measures; nearly
# twice the bytes, and room for five datastreams each, is enough for any. Parsing costs
# most where one list or object follows the other: of megabytes of `[]` it takes so long
# that Home Assistant stands still.
MOST_DEVICES: Final = 2000
MAX_ANSWER_BYTES: Final = MOST_DEVICES * 2048
MAX_ANSWER_NESTS: Final = MOST_DEVICES * 8

_ZONE_NAME = re.compile(r"[A-Za-z0-9_+\-]{1,32}(/[A-Za-z0-9_+\-]{1,32}){0,2}")


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


class Transport:
    """Sends requests to one server.

    Attributes:
        limits: what the server last said of how many requests it allows.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        """Use `session`, which stays the caller's, for the server at `url`."""
        self._session = session
        self._url = URL(url)
        self.limits: RateLimits | None = None

    async def get(
        self, path: str, key: str | None, query: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Ask for something; raises as `request` and `Answer.require_ok`."""
        return (await self.request("GET", path, key, query=query)).require_ok()

    async def post(
        self,
        path: str,
        key: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Change something; raises as `request` and `Answer.require_ok`."""
        answer = await self.request("POST", path, key, query=query, body=body)
        return answer.require_ok()

    async def request(
        self,
        method: str,
        path: str,
        key: str | None = None,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        time_zone: str | None = None,
        once: bool = False,
    ) -> Answer:
        """Send a request and return the answer, whatever its status.

        Args:
            method: GET or POST.
            path: without a query.
            key: the key to use, None for none.
            query: parameters, which are encoded here.
            body: a JSON object.
            time_zone: the IANA name of the zone that times in the request are in; without
                it they are epoch seconds, here and in the answer.
            once: whether it commands a device: never sent a second time, and withdrawn
                where it is given up.

        Raises:
            CannotConnectError: the server was not reached.
            UnexpectedAnswerError: what answered does not speak this protocol.
            RateLimitedError: what stands in front of the server wants fewer requests.
            ValueError: `time_zone` is no name of a zone.
        """
        headers = {"Time-Zone": zone_header(time_zone)}
        if key is not None:
            headers["Authorization"] = f"token {key}"
        try:
            async with self._session.request(
                method,
                self._url.with_path(path),
                params=query,
                json=body,
                headers=headers,
                timeout=REQUEST_TIMEOUT,
                # The API never redirects; a captive portal does.
                allow_redirects=False,
                middlewares=[send_once] if once else None,
            ) as response:
                text = await _read(response)
        except TimeoutError as err:
            raise CloudTimeoutError("the cloud did not answer in time") from err
        except aiohttp.ClientConnectorCertificateError as err:
            raise UntrustedCertificateError("the certificate is not trusted") from err
        except aiohttp.ClientConnectorSSLError as err:
            raise NoTlsError("the port does not speak TLS") from err
        except aiohttp.ClientPayloadError, aiohttp.ClientResponseError:
            # Without the cause: it shows the request's headers, and so the key.
            raise UnexpectedAnswerError("a broken HTTP answer") from None
        except aiohttp.ServerDisconnectedError as err:
            # Likewise: it shows what came of the answer's head.
            raise not_reached(err) from None
        except (aiohttp.ClientError, OSError) as err:
            raise not_reached(err) from err
        self.limits = RateLimits.from_headers(response.headers) or self.limits
        return _answer(response, text)


def zone_header(time_zone: str | None) -> str:
    """Return the `Time-Zone` of a request; raises ValueError where it is no zone's name."""
    if time_zone is None:
        return "Epoch"
    if not _ZONE_NAME.fullmatch(time_zone):
        raise ValueError("not the name of a time zone")
    return time_zone


async def _read(response: aiohttp.ClientResponse) -> bytes:
    text = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        text += chunk
        if len(text) > MAX_ANSWER_BYTES:
            raise UnexpectedAnswerError("an endless answer")
    if text.count(b"[") + text.count(b"{") > MAX_ANSWER_NESTS:
        raise UnexpectedAnswerError("an answer of too many parts")
    return bytes(text)


def _answer(response: aiohttp.ClientResponse, text: bytes) -> Answer:
    wait = retry_after(response.headers)
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        body = None
    if isinstance(body, dict):
        return Answer(status_of(body, default=response.status), body, wait)
    # What stands in front of a cloud speaks of its troubles in HTML.
    if response.status == 429:
        raise RateLimitedError("the cloud wants fewer requests", wait)
    if response.status in (502, 503, 504):
        raise CannotConnectError(f"the cloud is down, HTTP status {response.status}")
    raise UnexpectedAnswerError(f"no JSON object, with HTTP status {response.status}")
