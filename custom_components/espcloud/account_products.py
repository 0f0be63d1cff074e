"""The devices that an account can offer: those of its own products (protocol.md §2.11)."""

from collections.abc import Callable
from typing import Final

from .cloud import CloudClient, CloudDevice, CloudError, Product, ProductDevice
from .const import PRODUCT_NAME, PRODUCT_PTYPE

# A person waits for the answers, one after the other.
MAX_PRODUCTS: Final = 20


class AccountProducts:
    """What an account's products have to offer to a dialog.

    Attributes:
        can_create: whether the server has products, so that it may make a device.
        devices: those whose master key the server tells, by their ids.
    """

    def __init__(self, client: CloudClient) -> None:
        """Know nothing yet; `read` asks."""
        self.can_create = False
        self.devices: dict[str, ProductDevice] = {}
        self._client = client
        self._made: ProductDevice | None = None

    async def read(self, user_key: str) -> None:
        """Ask the server; what it does not answer it does not offer."""
        self.can_create = False
        self.devices = {}
        try:
            products = await self._client.list_products(user_key)
            self.can_create = True
            for product in products[:MAX_PRODUCTS]:
                self.devices |= {
                    str(each.device.id): each
                    for each in await self._client.list_product_devices(
                        user_key, product.id
                    )
                }
        except CloudError:
            return

    async def obtain(
        self,
        user_key: str,
        name: str,
        is_set_up: Callable[[CloudDevice, str], bool],
    ) -> ProductDevice:
        """Return a device of Home Assistant's product that nobody uses, made if need be.

        One is left over where an earlier dialog failed after it was made.

        Args:
            user_key: the account's key.
            name: what to call the device where it is made.
            is_set_up: whether Home Assistant has a device, told by it and its master key.

        Raises:
            CloudError: as `CloudClient`.
        """
        if self._made is None:
            product = await self._product(user_key)
            found = await self._client.list_product_devices(user_key, product.id)
            self._made = next(
                (
                    each
                    for each in found
                    if each.unused and not is_set_up(each.device, each.master_key)
                ),
                None,
            ) or await self._client.create_product_device(user_key, product.id, name)
        return self._made

    async def _product(self, user_key: str) -> Product:
        for product in await self._client.list_products(user_key):
            if (product.name, product.ptype) == (PRODUCT_NAME, PRODUCT_PTYPE):
                return product
        return await self._client.create_product(user_key, PRODUCT_NAME, PRODUCT_PTYPE)
