"""What every way to a device has in common.

What goes wrong is a CloudError, whichever way it is: DeviceOfflineError, DeviceBusyError,
CommandRejectedError, CannotConnectError and the like, of which the coordinator makes
texts for people.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from typing import Any, Protocol

from ..cloud import CloudDevice, CloudError, Push
from ..kinds.base import Datapoint


class BackendListener(Protocol):
    """Whoever hears what a backend has to tell: a device's coordinator."""

    def handle_push(self, push: Push) -> Mapping[str, Any] | None:
        """Do what the cloud asks of a device that Home Assistant is.

        Returns what the device adds to its answer (protocol.md §3.5).

        Raises:
            PushRefusedError: nobody is there to do it.
        """

    def begin_reading(self) -> int:
        """Return what to give back with the answer of a question that is asked now."""

    def handle_datapoint(
        self, stream: str, datapoint: Datapoint, reading: int | None = None
    ) -> None:
        """Take over what the device says of itself.

        Args:
            stream: the datastream.
            datapoint: its values.
            reading: what `begin_reading` returned, where this answers a question. An
                answer that a command has overtaken is worth nothing.
        """

    def handle_device(self, device: CloudDevice) -> None:
        """Take over what is known of the device besides its state."""

    def handle_connected(self, device: CloudDevice) -> None:
        """Note that the device is there."""

    def handle_disconnected(self, reason: CloudError) -> None:
        """Note that the device is not there, or once more could not be reached."""


class FirmwarePortError(Exception):
    """Firmware cannot be served: the port that devices fetch it from cannot be had."""


type OnProgress = Callable[[int, int], None]
"""Hears how many bytes have arrived at a device, and how many there are."""


class Backend(ABC):
    """The way to one device.

    Attributes:
        url: the server on the way, for texts.
        web_page: the server's page for people, None where it has none.
        device: what is known of the device, None for nothing yet.
        is_virtual: whether Home Assistant is the device, so that what it commands comes
            back to it.
        comes_from_subentry: whether the device is there because of its subentry, rather
            than because an account lists it.
        has_patience: whether a connection may be back moments after it was lost.
    """

    url: str
    web_page: str | None = None
    is_virtual: bool = False
    comes_from_subentry: bool = False
    has_patience: bool = False
    device: CloudDevice | None = None

    @property
    def mac(self) -> str | None:
        """The address that tells the device in the network, None where none does."""
        return None

    @abstractmethod
    def async_start(self, listener: BackendListener) -> None:
        """Begin; whatever happens from now on, the listener hears."""

    @abstractmethod
    async def async_close(self) -> None:
        """End; nothing is left behind, and nothing is told from the first step on."""

    @abstractmethod
    async def async_refresh(self) -> None:
        """Ask now for what can be asked for."""

    @abstractmethod
    async def async_read(self, stream: str) -> Datapoint:
        """Return what the device says of a datastream right now. Raises CloudError."""

    @abstractmethod
    async def async_write(self, stream: str, datapoint: Datapoint) -> Datapoint | None:
        """Command by a datapoint; return what the device says of itself in its answer.

        Raises:
            CloudError: the device did not acknowledge.
        """

    @abstractmethod
    async def async_call(
        self, action: str, parameters: Mapping[str, str]
    ) -> dict[str, Any]:
        """Command by an action; return the device's whole answer.

        Raises:
            CloudError: the device did not acknowledge.
        """

    def serving_firmware(
        self, version: str, on_progress: OnProgress
    ) -> AbstractAsyncContextManager[None]:
        """Let the device fetch a version meanwhile, where that is not the cloud's to do.

        Entering raises:
            FirmwarePortError: it could not be fetched.
            CloudError: the device is not there, or there is no such version.
        """
        return nullcontext()

    def note_stable(self) -> None:
        """Note that the device has been there for a while."""

    @abstractmethod
    def diagnostics(self) -> dict[str, Any]:
        """Return what a report may show of the way."""


def describes_the_same(one: CloudDevice, other: CloudDevice | None) -> bool:
    """Tell whether two records differ in no more than when the device was active."""
    return other is not None and replace(one, last_active=0) == replace(
        other, last_active=0
    )
