"""The cloud's HTTP API, as a user of it."""

from typing import Self

import aiohttp

from .devices import CloudDevice, OwnedDevice, StreamTemplate
from .errors import UnexpectedAnswerError, UnknownAccountError
from .fields import epoch
from .http_transport import HttpTransport
from .models import UserKey
from .owner import OwnerClient
from .products import Product, ProductDevice
from .rate_limits import RateLimits
from .transport import Transport

_DEVICES = "/v1/user/devices/"


class CloudClient:
    """Speaks the HTTP API of one server.

    Every method raises CannotConnectError (CloudTimeoutError where the time ran out),
    UnexpectedAnswerError, RateLimitedError, or AuthenticationError when the key is refused.

    Attributes:
        owner: what the owner of a device can do; it shares connections and limits.
    """

    def __init__(self, transport: Transport) -> None:
        """Send requests through `transport`."""
        self._transport = transport
        self.owner = OwnerClient(transport)

    @classmethod
    def over_http(cls, session: aiohttp.ClientSession, url: str) -> Self:
        """Use `session`, which stays the caller's, for the server at `url`."""
        return cls(HttpTransport(session, url))

    @property
    def limits(self) -> RateLimits | None:
        """What the server last said of how many requests it allows, None for nothing."""
        return self._transport.limits

    async def create_user_key(self, email: str, password: str) -> UserKey:
        """Sign in: return a key of the account (protocol.md §2.4)."""
        answer = await self._transport.request(
            "POST",
            "/v1/keys/",
            body={"email": email, "password": password, "scope": "user"},
        )
        # Wrong password is 403, unknown e-mail 404, bad form 400 (protocol.md §2.2).
        if answer.status in (400, 404):
            raise UnknownAccountError("no account has this e-mail")
        return UserKey.from_answer(answer.require_ok())

    async def list_devices(self, user_key: str) -> list[OwnedDevice]:
        """Return the account's devices with their keys, by their ids (protocol.md §2.5)."""
        query = {"list_by_group": "true", "query_devices_mesh": "true"}
        answer = await self._transport.get(_DEVICES, user_key, query)
        return OwnedDevice.list_from_answer(answer)

    async def list_templates(self, user_key: str) -> dict[int, list[StreamTemplate]]:
        """Return what is said of the datastreams of each device, by its id (protocol.md §2.11)."""
        # Only the flat list is known to have them.
        answer = await self._transport.get(_DEVICES, user_key)
        return StreamTemplate.by_device(answer)

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
        answer = await self._transport.post("/v1/device/activate/", master_key, body)
        return CloudDevice.from_answer(answer)

    async def authorize(self, user_key: str, token: str) -> None:
        """Bind the device that was activated with `token`, or shared by it (protocol.md §2.6)."""
        await self._transport.post("/v1/key/authorize/", user_key, {"token": token})

    async def ping(self) -> int:
        """Return the cloud's clock, in epoch seconds (protocol.md §2.4)."""
        now = epoch((await self._transport.get("/v1/ping/", None)).get("epoch"))
        if now is None:
            raise UnexpectedAnswerError("an answer without a usable epoch")
        return now

    async def list_products(self, user_key: str) -> list[Product]:
        """Return the products that the account made (protocol.md §2.11)."""
        answer = await self._transport.get("/v1/products/", user_key)
        return Product.list_from_answer(answer)

    async def create_product(self, user_key: str, name: str, ptype: int) -> Product:
        """Make a product, which nobody else sees (protocol.md §2.11)."""
        body = {"products": [{"name": name, "is_private": 1, "ptype": ptype}]}
        answer = await self._transport.post("/v1/products/", user_key, body)
        return _only(Product.list_from_answer(answer))

    async def list_product_devices(
        self, user_key: str, product_id: int
    ) -> list[ProductDevice]:
        """Return the devices of a product with their master keys (protocol.md §2.11)."""
        path = f"/v1/products/{product_id}/devices/"
        answer = await self._transport.get(path, user_key)
        return ProductDevice.list_from_answer(answer)

    async def create_product_device(
        self, user_key: str, product_id: int, name: str
    ) -> ProductDevice:
        """Make a device of a product, not activated yet (protocol.md §2.11)."""
        path = f"/v1/products/{product_id}/devices/"
        body = {"devices": [{"name": name}]}
        answer = await self._transport.post(path, user_key, body)
        return _only(ProductDevice.list_from_answer(answer))


def _only[RecordT](records: list[RecordT]) -> RecordT:
    """Return the one record that was made; raises UnexpectedAnswerError without it."""
    if not records:
        raise UnexpectedAnswerError("an answer without what was made")
    return records[0]
