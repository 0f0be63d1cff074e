"""Requests to a server over HTTP (protocol.md §2.1)."""

from collections.abc import Mapping
from typing import Any, Final, override

import aiohttp
import orjson
from yarl import URL

from .answer import Answer
from .errors import (
    CannotConnectError,
    CloudTimeoutError,
    NoTlsError,
    RateLimitedError,
    UnexpectedAnswerError,
    UntrustedCertificateError,
)
from .fields import status_of
from .rate_limits import RateLimits, retry_after
from .send_once import not_reached, send_once
from .transport import Transport, zone_header

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


class HttpTransport(Transport):
    """Sends requests to one server over HTTP."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        """Use `session`, which stays the caller's, for the server at `url`."""
        self._session = session
        self._url = URL(url)

    @override
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
        """Send a request and return the answer, whatever its status."""
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
