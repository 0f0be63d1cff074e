"""What every simulated device has: a key, a MAC address and a switch for its power."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Coroutine
from contextlib import suppress
import hashlib
import socket
from types import TracebackType
from typing import Any, Self, TypedDict, Unpack

from .sockets import new_socket

DEFAULT_BSSID = "18:fe:34:00:00:01"


class Identity(TypedDict, total=False):
    """What any device may be told of itself.

    Attributes:
        bssid: its MAC address.
        token: what it activates with, one of its own where it is empty.
        activates: whether it is new, and begins each connection until then by activating.
        source: its own IPv4 address, any that reaches the server where it is empty.
    """

    bssid: str
    token: str
    activates: bool
    source: str


class Device(ABC):
    """A device, off until its power is switched on: by `power_on` or an `async with`.

    Attributes:
        bssid: its MAC address.
        source: its own IPv4 address, empty for any.
        token: the one-time token of 40 characters with which it activates.
        boots: how often it has started.
        connections: how often it has connected.
    """

    def __init__(
        self,
        address: tuple[str, int],
        master_key: str,
        **identity: Unpack[Identity],
    ) -> None:
        """Prepare a device for the server at `address`.

        Args:
            address: host and port of the device server.
            master_key: the key in its flash.
            **identity: see Identity.
        """
        self.address = address
        self.master_key = master_key
        self.bssid = identity.get("bssid", DEFAULT_BSSID)
        self.token = (
            identity.get("token") or hashlib.sha1(master_key.encode()).hexdigest()
        )
        self.source = identity.get("source", "")
        self.boots = 0
        self.connections = 0
        self._activated = not identity.get("activates", False)
        self._socket: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_on = False

    @property
    def is_on(self) -> bool:
        """Whether it has power."""
        return self._is_on

    @property
    def crash(self) -> str:
        """What it has crashed of since it has power, empty if of nothing."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()):
                return str(error) or type(error).__name__
        return ""

    @property
    def state(self) -> dict[str, Any]:
        """What can be seen of it from outside; JSON."""
        return {
            "is_on": self._is_on,
            "boots": self.boots,
            "connections": self.connections,
            "is_connected": self._socket is not None,
            "crash": self.crash,
        }

    def power_on(self) -> None:
        """Give it power; nothing happens where it has."""
        if not self._is_on:
            self._is_on = True
            self._spawn(self._run())

    async def power_off(self) -> None:
        """Take its power away. Raises what it has crashed of, once: no test passes with that."""
        self._is_on = False
        tasks, self._tasks = self._tasks, set()
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(
                result, asyncio.CancelledError
            ):
                raise result

    async def __aenter__(self) -> Self:
        """Give it power."""
        self.power_on()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take its power away."""
        await self.power_off()

    def disconnect(self) -> None:
        """Lose the connection; it comes back by itself."""
        if self._socket is not None:
            with suppress(OSError):  # the other side may have been quicker
                self._socket.shutdown(socket.SHUT_RDWR)

    def press(self, button: int = 0) -> None:
        """Press a button. Raises ValueError where it has none of that number."""
        raise ValueError(f"it has no button {button}")

    @abstractmethod
    async def _run(self) -> None:
        """Do what it does while it has power."""

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something beside the rest until the power goes; a crash stays to be seen."""
        for task in list(self._tasks):
            if task.done() and (task.cancelled() or task.exception() is None):
                self._tasks.discard(task)
        task = asyncio.create_task(work)
        self._tasks.add(task)
        return task

    def _new_socket(self) -> socket.socket:
        """Return a socket that does not block, at its own address."""
        return new_socket(self.source)

    async def _send(self, frame: bytes) -> None:
        assert self._socket is not None
        await asyncio.get_running_loop().sock_sendall(self._socket, frame)
