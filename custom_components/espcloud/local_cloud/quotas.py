"""How much one account may have (docs/security.md)."""

import time

from .errors import ApiError, Reason
from .models import Device, Product, User
from .roms import Model
from .store import Store

MAX_PRODUCTS = 100
MAX_TEMPLATES = 10
"""Datastream templates of a product: every list of devices has them for each device."""
MAX_DEVICES = 1000
"""Devices that an account made."""
MAX_HELD = 1000
"""Devices to which an account holds a key."""
MAX_GUESTS = 100
"""Guests of a device."""
MAX_GROUPS = 100
MAX_GROUPED = 2000
"""Places in groups: a device may be in several."""
MAX_USER_KEYS = 1000
MAX_TIMERS = 50
"""Timers of a device, the fired ones included; few of them reach it (`timer_plans`)."""
MAX_ALL_TIMERS = 2000
"""Timers of the devices that an account owns or, where nobody owns them, made."""
MAX_TRIGGERS = 20
"""Triggers of a device."""
MAX_ALL_TRIGGERS = 500
"""Triggers of the devices that an account owns or, where nobody owns them, made."""
MAX_ROMS = 16
"""Firmware versions of a product, or of a kind of device."""
MAX_ROM_BYTES = 32 << 20
"""Bytes of all firmware files that an account uploaded."""
MAX_STREAMS = 1000
"""Datastreams of the devices that an account owns or, where nobody owns them, made."""
MAX_POINTS = 1_000_000
"""Datapoints in these."""
_COUNT_INTERVAL = 1.0
"""Seconds after which the datapoints of an account are counted anew."""

type _Whose = tuple[int, bool]
"""An account, 0 for nobody, and whether it owns a device or has only made it."""


class Quotas:
    """Refuses what would be too much.

    Every check raises ApiError 403 with a text that says what to do; whoever runs the cloud may have
    more.
    """

    def __init__(self, store: Store) -> None:
        """Count in `store`."""
        self._store = store
        self._points: dict[_Whose, tuple[float, int]] = {}
        """Until when a number of datapoints is not counted anew, and that number."""

    def check_products(self, user: User, more: int) -> None:
        """Check before products are made."""
        _check(
            len(self._store.products_of(user)) + more,
            MAX_PRODUCTS,
            "an account has at most {} products",
        )

    def check_templates(self, product: Product, more: int) -> None:
        """Check before datastream templates are added to a product."""
        _check(
            len(self._store.templates_of(product.id)) + more,
            MAX_TEMPLATES,
            "a product has at most {} datastreamTmpls: delete some",
        )

    def check_devices(self, user: User, more: int) -> None:
        """Check before devices of the account's products are made."""
        count = len(self._store.made_by(user))
        _check(count + more, MAX_DEVICES, "an account makes at most {} devices")

    def check_groups(self, user: User, more: int) -> None:
        """Check before groups are made."""
        count = len(self._store.groups_of(user))
        _check(
            count + more, MAX_GROUPS, "an account has at most {} groups: delete some"
        )

    def check_grouped(self, user: User) -> None:
        """Check before a device is put into one more group."""
        groups = self._store.groups_of(user).values()
        count = sum(len(group.device_ids) for group in groups)
        _check(
            count + 1,
            MAX_GROUPED,
            "an account has at most {} places in groups: take devices out",
        )

    def check_user_keys(self, user: User) -> None:
        """Check before somebody signs in.

        429, since 403 would say that the password is wrong (protocol.md §2.2).
        """
        if self._store.keyring.count_user_keys(user) >= MAX_USER_KEYS:
            raise ApiError(
                429,
                f"an account has at most {MAX_USER_KEYS} user keys: revoke some, or replace the "
                "password, which ends all of them",
            )

    def check_held(self, user: User, device: Device, *, as_guest: bool) -> None:
        """Check before an account gets a key to a device; who has one already may get another."""
        keyring = self._store.keyring
        if keyring.held_for(user, device.id) is None:
            _check(
                len(keyring.held_by(user)) + 1,
                MAX_HELD,
                "an account has at most {} devices: give some up",
            )
            if as_guest:
                count = keyring.count_guests(device)
                _check(
                    count + 1, MAX_GUESTS, "a device has at most {} guests: revoke keys"
                )

    def check_timers(self, device: Device, more: int) -> None:
        """Check before timers are added."""
        count = len(self._store.timers_of(device))
        _check(count + more, MAX_TIMERS, "a device has at most {} timers: delete some")
        others = (each for each in self._devices_like(device) if each is not device)
        count += sum(len(self._store.timers_of(each)) for each in others)
        _check(
            count + more,
            MAX_ALL_TIMERS,
            "the devices of an account have at most {} timers: delete some",
        )

    def check_triggers(self, device: Device) -> None:
        """Check before a trigger is added."""
        triggers = self._store.triggers
        count = len(triggers.of(device.id))
        _check(count + 1, MAX_TRIGGERS, "a device has at most {} triggers: delete some")
        others = (each for each in self._devices_like(device) if each is not device)
        count += sum(len(triggers.of(each.id)) for each in others)
        _check(
            count + 1,
            MAX_ALL_TRIGGERS,
            "the devices of an account have at most {} triggers: delete some",
        )

    def check_firmware(self, user: User, model: Model, more: int) -> None:
        """Check before a firmware version with files of `more` bytes is added."""
        roms = self._store.roms
        _check(
            len(roms.versions(model)) + 1,
            MAX_ROMS,
            "there are at most {} firmware versions of a product: delete some",
            Reason.TOO_MANY_VERSIONS,
        )
        _check(
            roms.size_of(user) + more,
            MAX_ROM_BYTES,
            "an account has at most {} bytes of firmware: delete some versions",
            Reason.NO_SPACE,
        )

    def check_points(self, device: Device, name: str, more: int) -> None:
        """Check before datapoints are stored, which may begin a datastream."""
        streams = self._store.streams
        stream = streams.find(device, name)
        if stream is None:
            count = sum(len(streams.of(each)) for each in self._devices_like(device))
            _check(count + 1, MAX_STREAMS, "an account has at most {} datastreams")
        # Of one that is full as many go as come.
        elif stream.points >= streams.most_points:
            return
        whose = self._whose(device)
        count = self._count_points(device, whose) + more
        _check(
            count,
            MAX_POINTS,
            "an account has at most {} datapoints: whoever runs the cloud may keep fewer of each",
        )
        self._points[whose] = self._points[whose][0], count

    def _count_points(self, device: Device, whose: _Whose) -> int:
        """Return how many datapoints there are together; counted anew once in a while."""
        now = time.monotonic()
        until, count = self._points.get(whose, (0.0, 0))
        if now >= until:
            streams, devices = self._store.streams, self._devices_like(device)
            count = sum(each.points for it in devices for each in streams.of(it))
            self._points[whose] = now + _COUNT_INTERVAL, count
        return count

    def _whose(self, device: Device) -> _Whose:
        """Return the account that owns the device or, where nobody does, made it."""
        key = self._store.keyring.owner_key(device)
        if key is not None:
            return key.user_id, True
        product = self._store.products.get(device.product_id)
        return product.user_id if product else 0, False

    def _devices_like(self, device: Device) -> list[Device]:
        """Return the devices of the account that owns this one or, where nobody does, made it.

        One that is nobody's has a limit of its own.
        """
        number, is_owned = self._whose(device)
        account = self._store.users.get(number)
        if account is None:
            return []
        store = self._store
        return store.owned_by(account) if is_owned else store.made_by(account)


def _check(count: int, most: int, message: str, reason: Reason | None = None) -> None:
    if count > most:
        raise ApiError(403, message.format(most), reason)
