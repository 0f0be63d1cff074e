"""The one account of the cloud that runs in Home Assistant, and its devices."""

from collections.abc import Iterable
from datetime import datetime
import time
from typing import Any, Final, override

from homeassistant.core import callback

from ...cloud import (
    CloudClient,
    CloudDevice,
    InProcessTransport,
    OwnedDevice,
    StreamTemplate,
    read_bssid,
)
from ...identity import key_hash
from ...kinds import catalog
from ...kinds.base import Datapoint
from ...local_cloud import LocalCloud
from ...local_cloud.errors import ApiError
from ...local_cloud.models import Device, User
from ..account import Account
from .pending import PendingHardware

EMAIL: Final = "home-assistant@localhost"
"""What the account is called as long as nobody signs in to it."""


class InvalidCredentialsError(ValueError):
    """The e-mail or the password cannot be an account's."""


class LocalAccount(Account):
    """The account in whose name Home Assistant commands; its requests stay in the process.

    The database has the keys: whatever is told of a device here, no key is.
    """

    def __init__(self, cloud: LocalCloud, user: User, url: str) -> None:
        """Read the devices of `user`; `url` is what texts call the server."""
        super().__init__(CloudClient(InProcessTransport(cloud.call)))
        self.url = url
        self._cloud = cloud
        self._user = user
        self.owned = self._devices()

    @classmethod
    async def open(cls, cloud: LocalCloud, url: str) -> LocalAccount:
        """Return the account, which is made at the first start."""
        user = cloud.operator.user or await cloud.add_account(EMAIL, None)
        return cls(cloud, user, url)

    @property
    @override
    def user_key(self) -> str:
        """The account's own key."""
        return self._cloud.user_key(self._user)

    @property
    @override
    def server_time(self) -> float:
        """What time it is here."""
        return time.time()

    @override
    async def async_refresh(self, _now: datetime | None = None) -> None:
        """Look at all devices anew."""
        self.look()

    def is_news(self, device_id: int) -> bool:
        """Tell whether a device is the account's since it was looked at last.

        One that was made over the HTTP API is, once its owner has claimed it.
        """
        if device_id in self.owned:
            return False
        key = self._cloud.store.keyring.owner_key(self._cloud.store.devices[device_id])
        return key is not None and key.authorized_user_id == self._user.id

    @callback
    def look(self) -> None:
        """Look at all devices anew."""
        self.owned = self._devices()
        self._tell_listeners()

    @override
    async def async_turn(self) -> None:
        """Do not wait: no request costs anybody anything."""

    @override
    def diagnostics(self) -> dict[str, Any]:
        """Return how many devices there are."""
        return {"devices": len(self.owned)}

    @override
    async def async_templates(self) -> dict[int, list[StreamTemplate]]:
        """Return what is known of the datastreams: also those that a device has posted to."""
        templates = await super().async_templates()
        for device_id in self.owned:
            known = templates.setdefault(device_id, [])
            names = {each.stream for each in known}
            known += [
                StreamTemplate(name)
                for name in self._posted(device_id)
                if name not in names
            ]
        return templates

    def _posted(self, device_id: int) -> Iterable[str]:
        device = self._cloud.store.devices[device_id]
        return (each.name for each in self._cloud.store.streams.of(device))

    def latest(self, device_id: int, stream: str) -> Datapoint | None:
        """Return what a device posted last, with its `at`; None where it never did."""
        device = self._cloud.store.devices.get(device_id)
        point = device and self._cloud.store.streams.latest(device, stream)
        return {**point.values, "at": point.at} if point else None

    def renew(self, device_id: int) -> OwnedDevice | None:
        """Look at one device anew; return it, None where it is gone."""
        device = self._cloud.store.devices.get(device_id)
        if device is None:
            return None
        owned = self._owned(device)
        self._replace(device_id, owned)
        return owned

    async def async_set_credentials(self, email: str, password: str | None) -> None:
        """Let a person sign in over the HTTP API; without a password nobody can.

        Raises:
            InvalidCredentialsError: they cannot be those of an account.
        """
        try:
            self._cloud.set_email(self._user, email)
            await self._cloud.set_password(self._user, password)
        except ApiError as err:
            raise InvalidCredentialsError(err.message) from err
        await self._cloud.flush()

    async def async_make_device(
        self, name: str, kind: str, master_key: str
    ) -> OwnedDevice:
        """Make a device that a person is about to program with this key."""
        device = self._cloud.add_device(
            name, self._user, catalog.ptype_of(kind), master_key=master_key
        )
        return await self._take_in(device)

    async def async_adopt(
        self, pending: PendingHardware, name: str, kind: str
    ) -> OwnedDevice:
        """Take a pending device in; it comes back by itself.

        Raises:
            LookupError: it is not pending any more.
        """
        for each in self._cloud.operator.pending_devices():
            if key_hash(each.key) == pending.key_hash:
                break
        else:
            raise LookupError("no such device is pending")
        ptype = catalog.ptype_of(kind) or each.ptype or 0
        return await self._take_in(
            self._cloud.operator.adopt(each, self._user, name, ptype)
        )

    async def _take_in(self, device: Device) -> OwnedDevice:
        await self._cloud.flush()
        owned = self._owned(device)
        self._replace(device.id, owned)
        return owned

    def set_kind(self, device_id: int, kind: str) -> None:
        """Note what a person says that a device is: what there is of firmware follows that."""
        ptype = catalog.ptype_of(kind)
        device = self._cloud.store.devices[device_id]
        if ptype and ptype != device.ptype:
            self._cloud.set_ptype(device, ptype)
            self.renew(device_id)

    async def async_remove(self, device_id: int) -> None:
        """Forget a device: its key, its points, its connection."""
        device = self._cloud.store.devices.get(device_id)
        self._replace(device_id, None)
        if device is not None:
            self._cloud.remove_device(device)
            await self._cloud.flush()

    def key_hash_of(self, device_id: int) -> str:
        """Return the hash of a device's master key. Raises LookupError where it has none."""
        return key_hash(self._cloud.master_key(self._cloud.store.devices[device_id]))

    def _devices(self) -> dict[int, OwnedDevice]:
        """Return the account's devices; one whose key was revoked can never come back."""
        return {
            device.id: self._owned(device)
            for device in self._cloud.store.owned_by(self._user)
            if self._cloud.store.keyring.master_key(device) is not None
        }

    def _owned(self, device: Device) -> OwnedDevice:
        return OwnedDevice(
            CloudDevice(
                id=device.id,
                name=device.name,
                serial=device.serial,
                ptype=device.ptype,
                rom_version=device.rom_version,
                # Who connects is there, whether it ever activated or not.
                activated=True,
                bssid=read_bssid(device.bssid),
                latest_rom_version=device.latest_rom_version,
                last_active=device.last_active,
                product_id=device.product_id,
            ),
            owner_key=self._cloud.owner_key(device) or "",
        )
