"""What the ways of a device's owner have in common: commands go through an account."""

from abc import abstractmethod
import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, override

from ..cloud import CloudDevice, OwnedDevice
from ..kinds.base import Datapoint, Kind
from .account import Account
from .base import Backend, BackendListener
from .sending import SilentCalls


class OwnerBackend[AccountT: Account](Backend):
    """A device of an account, wherever the account is.

    Attributes:
        device: what is known of the device.
        device_id: the server's number of the device.
    """

    device: CloudDevice

    def __init__(
        self,
        account: AccountT,
        owned: OwnedDevice,
        kind: Kind[Any],
        create_task: Callable[
            [Coroutine[Any, Any, dict[str, Any]], str], asyncio.Task[dict[str, Any]]
        ],
    ) -> None:
        """Prepare; `async_start` begins.

        Args:
            account: the account.
            owned: what it says of the device.
            kind: what to ask the device for.
            create_task: runs a call in the background, under a name.
        """
        self._account = account
        self.url = account.url
        self.device = owned.device
        self.device_id = owned.device.id
        self._kind = kind
        self._listener: BackendListener | None = None
        self._silent = SilentCalls(
            lambda call: create_task(call, f"send to device {self.device_id}")
        )

    @abstractmethod
    async def _ask[AnswerT](self, request: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
        """Make a request that the device answers; it is not made where that is away."""

    @property
    @override
    def mac(self) -> str | None:
        """What the device gave as its own."""
        return self._account.mac(self.device_id)

    @override
    async def async_read(self, stream: str) -> Datapoint:
        """Ask the device."""
        return await self._ask(lambda: self._account.async_read(self.device_id, stream))

    @override
    async def async_write(self, stream: str, datapoint: Datapoint) -> Datapoint | None:
        """Command the device by a datapoint."""
        return await self._ask(
            lambda: self._account.async_write(self.device_id, stream, datapoint)
        )

    @override
    async def async_call(
        self, action: str, parameters: Mapping[str, str]
    ) -> dict[str, Any]:
        """Command the device by an action."""
        call = self._ask(
            lambda: self._account.async_call(self.device_id, action, parameters)
        )
        return await (self._silent.send(call) if self._kind.is_silent else call)
