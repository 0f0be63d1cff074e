"""What whoever embeds the cloud does with its devices."""

import asyncio
import re

from .device_types import LIGHT
from .errors import ApiError, bad_request
from .models import Device, User
from .pending import PendingDevices
from .presence import Presence
from .removal import remove_device
from .store import Store

_MASTER_KEY = re.compile(r"[0-9a-f]{40}")


class DeviceCalls:
    """A part of LocalCloud, which has these attributes."""

    store: Store
    _presence: Presence
    _pending: PendingDevices | None

    def add_device(
        self,
        name: str,
        owner: User | None = None,
        ptype: int = LIGHT,
        *,
        master_key: str = "",
    ) -> Device:
        """Make a device with a master key, and with an owner key where it has an owner.

        `master_key` is one that the device has already, 40 lower-case hex digits. Raises ApiError
        400 for any other text and 409 where another key has this one.
        """
        if master_key and not _MASTER_KEY.fullmatch(master_key):
            raise bad_request("a master key has 40 hex digits")
        if master_key in self.store.keyring.keys:
            raise ApiError(409, "the master key is in use already")
        device = self.store.add_device(
            name, ptype, master_key=master_key, creator=owner
        )
        if owner is not None:
            self.store.keyring.set_owner(device, owner)
        if self._pending is not None:
            self._pending.taken_in(master_key)
        return device

    def master_key(self, device: Device) -> str:
        """Return the master device key. Raises LookupError where it was revoked."""
        key = self.store.keyring.master_key(device)
        if key is None:
            raise LookupError("the master key was revoked")
        return key.token

    def owner_key(self, device: Device) -> str | None:
        """Return the owner's key of the device, where somebody owns it."""
        key = self.store.keyring.owner_key(device)
        return key.token if key else None

    def own(self, device: Device, user: User) -> None:
        """Make the account the owner of a device; who owned it before, owns it no longer."""
        self.store.keyring.set_owner(device, user)

    def rename(self, device: Device, name: str) -> None:
        """Give the device another name."""
        device.name = name
        device.updated = self.store.context.now()
        self.store.context.changed(device)

    def set_ptype(self, device: Device, ptype: int) -> None:
        """Say that a device is of another kind; with that the firmware for it is another."""
        self.store.set_ptype(device, ptype)

    def remove_device(self, device: Device) -> None:
        """Remove a device with all that belongs to it (see `removal`), and end its connection.

        Its key is unknown from then on. Raises LookupError where it was removed before.
        """
        remove_device(self.store, device)
        self.disconnect(device, "it was removed")

    def revoke_key(self, token: str) -> None:
        """Delete a key. Raises LookupError without it.

        A device whose master key goes loses its connection, and stays: see `remove_device`.
        """
        key = self.store.keyring.keys[token]
        self.store.keyring.remove(key)
        if key.is_master_key:
            device = self.store.devices[key.device_id]
            self.disconnect(device, "its master key was revoked")

    def regenerate_master_key(self, device: Device) -> str:
        """Replace the master key, and return the new one; the device loses its connection."""
        key = self.store.keyring.renew_master_key(device)
        self.disconnect(device, "its master key was replaced")
        return key.token

    def is_online(self, device: Device) -> bool:
        """Say whether an identified connection of the device exists."""
        return self._presence.link(device) is not None

    def connection_count(self, device: Device) -> int:
        """Return how many connections have identified as this device since the start."""
        return self._presence.arrivals(device)

    async def wait_online(
        self, device: Device, *, timeout: float = 5.0, connections: int = 1
    ) -> None:
        """Return when the device is on-line, for the `connections`th time or later.

        Raises TimeoutError.
        """
        async with asyncio.timeout(timeout):
            await self._presence.wait(
                device,
                lambda: (
                    self.is_online(device)
                    and self.connection_count(device) >= connections
                ),
            )

    async def wait_offline(self, device: Device, *, timeout: float = 5.0) -> None:
        """Return when the device has no identified connection. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            await self._presence.wait(device, lambda: not self.is_online(device))

    def disconnect(
        self,
        device: Device,
        reason: str = "disconnected by the server",
        *,
        abort: bool = False,
    ) -> None:
        """End the device's connection, where it has one; with `abort` by a reset."""
        link = self._presence.link(device)
        if link is None:
            return
        if abort:
            link.abort(reason)
        else:
            link.close(reason)
