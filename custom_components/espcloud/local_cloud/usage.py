"""How much of its quotas an account has used."""

from dataclasses import dataclass

from . import quotas
from .models import User
from .store import Store


@dataclass(frozen=True, slots=True)
class Used:
    """How many there are, and how many there may be."""

    count: int
    most: int


def used_by(store: Store, user: User) -> dict[str, Used]:
    """Return what the account has of each thing that has a quota for an account.

    `devices` are those of its products, `held` those to which it has a key, `grouped` places in its
    groups, `datastreams` and `datapoints` those of the devices that it owns, `firmware` bytes.
    """
    groups = store.groups_of(user).values()
    products = store.products_of(user)
    held = store.keyring.held_by(user)
    owned = store.owned_by(user)
    streams = [stream for device in owned for stream in store.streams.of(device)]
    return {
        "products": Used(len(products), quotas.MAX_PRODUCTS),
        "devices": Used(len(store.made_by(user)), quotas.MAX_DEVICES),
        "held": Used(len(held), quotas.MAX_HELD),
        "groups": Used(len(groups), quotas.MAX_GROUPS),
        "grouped": Used(
            sum(len(group.device_ids) for group in groups), quotas.MAX_GROUPED
        ),
        "user_keys": Used(store.keyring.count_user_keys(user), quotas.MAX_USER_KEYS),
        "datastreams": Used(len(streams), quotas.MAX_STREAMS),
        "datapoints": Used(sum(stream.points for stream in streams), quotas.MAX_POINTS),
        "firmware": Used(store.roms.size_of(user), quotas.MAX_ROM_BYTES),
    }
