"""An account: what it says of its devices, and requests about them with its keys."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from homeassistant.core import CALLBACK_TYPE, callback

from ..cloud import (
    AuthenticationError,
    CloudClient,
    CloudDevice,
    CloudError,
    OwnedDevice,
    OwnerClient,
    StoredPoint,
    StreamTemplate,
)


class Account(ABC):
    """An account at a server, wherever that runs.

    Attributes:
        url: the server, for texts.
        shows_devices: whether the account's own devices become entities.
        last_error: why the account cannot be read, None while it can.
        owned: the devices of the account by their ids, as it said last.
    """

    url: str
    shows_devices: bool = True
    last_error: CloudError | None = None

    def __init__(self, client: CloudClient) -> None:
        """Speak to the server through `client`."""
        self._client = client
        self.owned: Mapping[int, OwnedDevice] = {}
        self._listeners: list[Callable[[], None]] = []
        # How many devices gave each address, of the devices as they were counted last.
        self._macs: Counter[str] = Counter()
        self._counted: Mapping[int, OwnedDevice] = self.owned

    @property
    @abstractmethod
    def user_key(self) -> str:
        """The account's own key."""

    @property
    @abstractmethod
    def server_time(self) -> float:
        """What time it is at the server, in seconds since 1970."""

    @abstractmethod
    async def async_refresh(self, _now: datetime | None = None) -> None:
        """Ask anew who is there, for names, firmware and keys."""

    @abstractmethod
    async def async_turn(self) -> None:
        """Wait until a request may be made for which nobody waits."""

    @abstractmethod
    def diagnostics(self) -> dict[str, Any]:
        """Return what a report may show of the requests."""

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call the listener each time the account was read anew, or cannot be any more."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell_listeners(self) -> None:
        for listener in list(self._listeners):
            listener()

    def device(self, device_id: int) -> CloudDevice | None:
        """Return what the account says of a device, None where it has no such device."""
        owned = self.owned.get(device_id)
        return owned.device if owned is not None else None

    def mac(self, device_id: int) -> str | None:
        """Return the address that a device gave, if no other one of the account gave the same.

        A server checks none (protocol.md §2.6), and Home Assistant takes devices with one
        address for one device.
        """
        device = self.device(device_id)
        if device is None or not device.bssid:
            return None
        if self._counted is not self.owned:
            self._counted = self.owned
            self._macs = Counter(each.device.bssid for each in self.owned.values())
        return device.bssid if self._macs[device.bssid] == 1 else None

    def _replace(self, device_id: int, owned: OwnedDevice | None) -> None:
        """Take over what is known of one device, None where it is gone.

        The addresses of the others are not counted again: with a thousand devices, each time that
        one connects, that would cost more than the connection.
        """
        before, is_counted = self.owned.get(device_id), self._counted is self.owned
        devices = dict(self.owned)
        if owned is None:
            devices.pop(device_id, None)
        else:
            devices[device_id] = owned
        self.owned = devices
        if is_counted:
            self._counted = devices
            if before is not None:
                self._macs[before.device.bssid] -= 1
            if owned is not None:
                self._macs[owned.device.bssid] += 1

    async def async_templates(self) -> dict[int, list[StreamTemplate]]:
        """Return what the account's products say of their datastreams, by device ids.

        Raises:
            CloudError: as `CloudClient.list_templates`.
        """
        return await self._client.list_templates(self.user_key)

    async def async_as_owner[AnswerT](
        self,
        device_id: int,
        request: Callable[[OwnerClient, str], Awaitable[AnswerT]],
        *,
        master_key: str = "",
        renews_key: bool = True,
    ) -> AnswerT:
        """Make a request about a device with its owner key.

        Args:
            device_id: the device.
            request: what to ask, given the client and the key.
            master_key: the key to use where the account has no owner key.
            renews_key: whether a refused key is worth the requests that read it anew.

        Raises:
            CloudError: as the request.
        """
        if not (key := self._key(device_id, master_key)):
            raise AuthenticationError("no key of the device")
        return await request(self._client.owner, key)

    def _key(self, device_id: int, master_key: str) -> str:
        owned = self.owned.get(device_id)
        return owned.owner_key if owned is not None and owned.owner_key else master_key

    async def async_read(
        self, device_id: int, stream: str, *, master_key: str = ""
    ) -> Mapping[str, Any]:
        """Ask a device for a datastream. Raises CloudError as `OwnerClient.read_live`."""
        return await self.async_as_owner(
            device_id,
            lambda client, key: client.read_live(key, stream),
            master_key=master_key,
        )

    async def async_write(
        self,
        device_id: int,
        stream: str,
        datapoint: Mapping[str, Any],
        *,
        master_key: str = "",
    ) -> Mapping[str, Any] | None:
        """Command by a datapoint; return the one of the device's answer, if it has one.

        Raises:
            CloudError: as `OwnerClient.write_live`.
        """
        answer = await self.async_as_owner(
            device_id,
            lambda client, key: client.write_live(key, stream, datapoint),
            master_key=master_key,
        )
        answered = answer.get("datapoint")
        return answered if isinstance(answered, dict) else None

    async def async_call(
        self,
        device_id: int,
        action: str,
        parameters: Mapping[str, str],
        *,
        master_key: str = "",
    ) -> dict[str, Any]:
        """Send an action. Raises CloudError as `OwnerClient.call`."""
        return await self.async_as_owner(
            device_id,
            lambda client, key: client.call(key, action, parameters),
            master_key=master_key,
        )

    async def async_history(
        self,
        device_id: int,
        stream: str,
        *,
        count: int,
        start: int = 0,
        end: int | None = None,
        offset: int = 0,
    ) -> list[StoredPoint]:
        """Return what is stored, the newest first; nobody waits for it.

        Args:
            device_id: the device.
            stream: the datastream.
            count: how many points at most.
            start: the first epoch second.
            end: the last one, None for the present.
            offset: how many of the newest to leave out.

        Raises:
            CloudError: as `OwnerClient.history`.
        """
        # A little later: a point of this very second is one of the present.
        last = end if end is not None else int(self.server_time) + 1
        return await self.async_as_owner(
            device_id,
            lambda client, key: client.history(
                key, stream, start=start, end=last, offset=offset, count=count
            ),
            renews_key=False,
        )
