"""The cloud's HTTP API, as a user of it."""

from collections.abc import Mapping, Sequence
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
    UnexpectedAnswerError,
    UnknownAccountError,
    UntrustedCertificateError,
)
from .models import CloudDevice, OwnedDevice, UserKey, refuses_key, status_of
from .products import Product, ProductDevice
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


class CloudClient:
    """Speaks the HTTP API of one server.

    Every method raises CannotConnectError (CloudTimeoutError where the time ran out),
    UnexpectedAnswerError, or AuthenticationError when the key is refused.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        """Use `session`, which stays the caller's, for the server at `url`."""
        self._session = session
        self._url = URL(url)

    async def create_user_key(self, email: str, password: str) -> UserKey:
        """Sign in: return a key of the account (protocol.md §2.4)."""
        status, answer = await self._request(
            "POST",
            "/v1/keys/",
            body={"email": email, "password": password, "scope": "user"},
        )
        # Wrong password is 403, unknown e-mail 404, bad form 400 (protocol.md §2.2).
        if status in (400, 404):
            raise UnknownAccountError("no account has this e-mail")
        self._require_ok(status, answer)
        return UserKey.from_answer(answer)

    async def list_devices(self, user_key: str) -> list[OwnedDevice]:
        """Return the account's devices with their keys (protocol.md §2.5)."""
        answer = await self._get("/v1/user/devices/", user_key)
        return OwnedDevice.list_from_answer(answer)

    async def get_device(self, device_key: str) -> CloudDevice:
        """Return the device that a key belongs to (protocol.md §2.5)."""
        return CloudDevice.from_answer(await self._get("/v1/device/", device_key))

    async def activate(
        self, master_key: str, bssid: str, token: str, rom_version: str | None = None
    ) -> CloudDevice:
        """Activate a device; `token` then binds it to an account (protocol.md §2.6).

        Args:
            master_key: the device's master key.
            bssid: the MAC address the device gives as its own, colons, lower case.
            token: a one-time token, valid for ten minutes.
            rom_version: given the first time only; None leaves the cloud's as it is.
        """
        body = {"encrypt_method": "PLAIN", "bssid": bssid, "token": token}
        if rom_version is not None:
            body["rom_version"] = rom_version
        status, answer = await self._request(
            "POST", "/v1/device/activate/", master_key, body=body
        )
        self._require_ok(status, answer)
        return CloudDevice.from_answer(answer)

    async def authorize(self, user_key: str, token: str) -> None:
        """Bind the device that was activated with `token` (protocol.md §2.6)."""
        status, answer = await self._request(
            "POST", "/v1/key/authorize/", user_key, body={"token": token}
        )
        self._require_ok(status, answer)

    async def call_rpc(
        self, key: str, action: str, /, **parameters: str
    ) -> dict[str, Any]:
        """Send an RPC to a device and return the device's own answer (protocol.md §2.8).

        Raises:
            DeviceOfflineError: the device is not connected to the cloud.
            DeviceBusyError: the device did not acknowledge in time.
            CommandRejectedError: the device acknowledged with another status than 200.
        """
        query = {**parameters, "deliver_to_device": "true", "action": action}
        status, answer = await self._request(
            "GET", "/v1/device/rpc/", key, query=query, middlewares=[send_once]
        )
        is_the_devices = answer.get("deliver_to_device") is True
        if status != 200:
            if is_the_devices:
                # The device's own words: its 403 says nothing of our key.
                raise CommandRejectedError(status)
            message = str(answer.get("message", ""))
            if "disconnected" in message:
                raise DeviceOfflineError("the device is not connected to the cloud")
            if "busy" in message:
                raise DeviceBusyError("the device did not answer in time")
        self._require_ok(status, answer)
        if not is_the_devices:
            # Whoever says 200 here, it is not the device that acknowledges.
            raise UnexpectedAnswerError("an answer that is not the device's")
        return answer

    async def ping(self) -> None:
        """Ask whether the cloud is there (protocol.md §2.4)."""
        await self._get("/v1/ping/", None)

    async def _get(self, path: str, key: str | None) -> dict[str, Any]:
        status, answer = await self._request("GET", path, key)
        self._require_ok(status, answer)
        return answer

    @staticmethod
    def _require_ok(status: int, answer: Mapping[str, Any]) -> None:
        if refuses_key(status, answer):
            raise AuthenticationError("the key is refused")
        if status == 429:
            raise RateLimitedError("the cloud wants fewer requests")
        if status != 200:
            raise UnexpectedAnswerError(f"status {status}")

    async def _request(
        self,
        method: str,
        path: str,
        key: str | None = None,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        middlewares: Sequence[aiohttp.ClientMiddlewareType] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """Return the answer's status and the answer.

        The status is the JSON's own, whatever the HTTP status line says, and the
        status line's where the JSON has none (protocol.md §2.1).
        """
        headers = {"Time-Zone": "Epoch"}
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
                middlewares=middlewares,
            ) as response:
                text = await self._read(response)
        except TimeoutError as err:
            raise CloudTimeoutError("the cloud did not answer in time") from err
        except aiohttp.ClientConnectorCertificateError as err:
            raise UntrustedCertificateError("the certificate is not trusted") from err
        except aiohttp.ClientConnectorSSLError as err:
            raise NoTlsError("the port does not speak TLS") from err
        except aiohttp.ClientPayloadError, aiohttp.ClientResponseError:
            # Without the cause: it shows the request's headers, and so the key.
            raise UnexpectedAnswerError("a broken HTTP answer") from None
        except (aiohttp.ClientError, OSError) as err:
            raise not_reached(err) from err
        try:
            answer = orjson.loads(text)
        except orjson.JSONDecodeError:
            answer = None
        if isinstance(answer, dict):
            return status_of(answer, default=response.status), answer
        # What stands in front of a cloud speaks of its troubles in HTML.
        if response.status == 429:
            raise RateLimitedError("the cloud wants fewer requests")
        if response.status in (502, 503, 504):
            raise CannotConnectError(
                f"the cloud is down, HTTP status {response.status}"
            )
        raise UnexpectedAnswerError(
            f"no JSON object, with HTTP status {response.status}"
        )

    @staticmethod
    async def _read(response: aiohttp.ClientResponse) -> bytes:
        text = bytearray()
        async for chunk in response.content.iter_chunked(64 * 1024):
            text += chunk
            if len(text) > MAX_ANSWER_BYTES:
                raise UnexpectedAnswerError("an endless answer")
        if text.count(b"[") + text.count(b"{") > MAX_ANSWER_NESTS:
            raise UnexpectedAnswerError("an answer of too many parts")
        return bytes(text)

    async def list_products(self, user_key: str) -> list[Product]:
        """Return the products that the account made (protocol.md §2.11)."""
        return Product.list_from_answer(await self._get("/v1/products/", user_key))

    async def create_product(self, user_key: str, name: str, ptype: int) -> Product:
        """Make a product, which nobody else sees (protocol.md §2.11)."""
        body = {"products": [{"name": name, "is_private": 1, "ptype": ptype}]}
        answer = await self._post("/v1/products/", user_key, body)
        return _only(Product.list_from_answer(answer))

    async def list_product_devices(
        self, user_key: str, product_id: int
    ) -> list[ProductDevice]:
        """Return the devices of a product with their master keys (protocol.md §2.11)."""
        answer = await self._get(f"/v1/products/{product_id}/devices/", user_key)
        return ProductDevice.list_from_answer(answer)

    async def create_product_device(
        self, user_key: str, product_id: int, name: str
    ) -> ProductDevice:
        """Make a device of a product, not activated yet (protocol.md §2.11)."""
        path = f"/v1/products/{product_id}/devices/"
        answer = await self._post(path, user_key, {"devices": [{"name": name}]})
        return _only(ProductDevice.list_from_answer(answer))

    async def rename_device(self, device_key: str, name: str) -> None:
        """Give a device another name (protocol.md §2.5)."""
        status, answer = await self._request(
            "POST",
            "/v1/device/",
            device_key,
            query={"method": "PUT"},
            body={"device": {"name": name}},
        )
        self._require_ok(status, answer)

    async def _post(
        self, path: str, key: str, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        status, answer = await self._request("POST", path, key, body=body)
        self._require_ok(status, answer)
        return answer


def _only[RecordT](records: list[RecordT]) -> RecordT:
    """Return the one record that was made; raises UnexpectedAnswerError without it."""
    if not records:
        raise UnexpectedAnswerError("an answer without what was made")
    return records[0]
