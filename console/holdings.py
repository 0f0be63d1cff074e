"""The devices that an account has a say in, and with which key."""

from dataclasses import dataclass

from local_cloud.errors import ApiError
from local_cloud.models import Device, Key, KeyKind, Product

from .visits import Visit


@dataclass(frozen=True, slots=True)
class Holding:
    """A device as one account has it.

    `key` is the account's owner or shared key; None where the account has made the device, and does
    not own it.
    """

    device: Device
    key: Key | None
    product: Product | None
    is_made_here: bool
    """Whether the account has made it, and may see its master key."""

    @property
    def is_owner(self) -> bool:
        """Whether the account owns the device."""
        return self.key is not None and self.key.kind is KeyKind.OWNER

    @property
    def may_see_secrets(self) -> bool:
        """Whether the account may see the master key and the product's secret."""
        return self.is_owner or self.is_made_here

    @property
    def token(self) -> str:
        """The text of the account's key. Raises ApiError 403 where it has none."""
        if self.key is None:
            raise ApiError(403, "nobody owns the device yet: take it over first")
        return self.key.token


def holdings(visit: Visit) -> list[Holding]:
    """Return the devices that the account owns, has a share of or has made, by name."""
    store, user = visit.cloud.store, visit.signed_in.user
    numbers = {key.device_id for key in store.keyring.held_by(user)}
    numbers |= {device.id for device in store.made_by(user)}
    found = [holding(visit, number) for number in numbers]
    return sorted(found, key=lambda each: (each.device.name.casefold(), each.device.id))


def holding(visit: Visit, number: int) -> Holding:
    """Return one of them. Raises ApiError 404; somebody else's is as good as none."""
    if (found := _find(visit, number)) is None:
        raise ApiError(404, "device not exists")
    return found


def concerns(visit: Visit, number: int) -> bool:
    """Say whether the account has a device."""
    return _find(visit, number) is not None


def _find(visit: Visit, number: int) -> Holding | None:
    store, user = visit.cloud.store, visit.signed_in.user
    device = store.devices.get(number)
    key = store.keyring.held_for(user, number)
    if device is not None:
        product = store.products.get(device.product_id)
        is_made_here = product is not None and product.user_id == user.id
        if key is not None or is_made_here:
            return Holding(device, key, product, is_made_here)
    return None


def owned(visit: Visit, number: int) -> Holding:
    """Return a device that the account owns. Raises ApiError 403 and 404."""
    found = holding(visit, number)
    if not found.is_owner:
        raise ApiError(403, "only its owner may do this")
    return found
