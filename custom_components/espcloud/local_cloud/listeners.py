"""What whoever embeds the cloud hears of its devices, as it happens.

    remove = cloud.listeners.add(heard)     # heard(event) is called from then on
    remove()

A listener is called in the event loop, between two steps of the cloud: it must not block, and what
takes a while it starts as a task of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
import logging
from traceback import format_tb

from .models import Device
from .pending_device import PendingDevice
from .wire import JsonObject

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DeviceConnected:
    """A device has identified (protocol.md §3.2) at this address."""

    device: Device
    address: str


@dataclass(frozen=True, slots=True)
class DeviceDisconnected:
    """The connection of a device has ended, for a `reason` that a person can read.

    Where another connection takes its place, this comes before that one's DeviceConnected.
    """

    device: Device
    reason: str


@dataclass(frozen=True, slots=True)
class DeviceActivated:
    """A device has activated (protocol.md §2.6), with what it says of itself.

    `token` is the one-time token for its owner, empty where it has none. `previous_bssid` is that of
    its activation before, empty where there was none: another one is another chip with its key.
    """

    device: Device
    bssid: str
    rom_version: str
    token: str = field(repr=False)
    previous_bssid: str


@dataclass(frozen=True, slots=True)
class KeyContested:
    """Two connections throw each other out with the master key of one device (see `rivals`).

    `addresses` are those of the one that has the device's place and of the one that wants it. It is
    told once in a contest, which is over when nobody has tried for a minute.
    """

    device: Device
    addresses: tuple[str, str]


@dataclass(frozen=True, slots=True)
class UnknownKey:
    """A peer presented a key that no device has."""

    address: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DatapointReceived:
    """A datapoint came to be stored: `values` of x, y, z, k, l, measured `at` epoch seconds.

    It is told at once; only the sender's reply waits until the point is safe on the disk.
    """

    device: Device
    stream: str
    values: JsonObject
    at: int


@dataclass(frozen=True, slots=True)
class TriggerMet:
    """A `value` is what the trigger of this name waits for, and was not before (see `trigger_rules`)."""

    device: Device
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class CommandAnswered:
    """A push to a device is over: answered, given up, or its device is gone.

    `action` is that of a remote call, empty for another push. `status` is the one that the device
    sent (200 where it sent no number), or that of the error which the caller gets; `seconds` is how
    long the caller has waited.
    """

    device: Device
    method: str
    path: str
    action: str
    status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class FirmwareServed:
    """More of a firmware file has arrived at a device: `sent` of its `total` bytes.

    The bytes are those that one connection has delivered. RTOS opens two of them: it breaks the first
    one off when it has read the length, some KB from the start, so `sent` begins twice
    (protocol.md §10.4, 3).
    """

    device: Device
    version: str
    name: str
    sent: int
    total: int


@dataclass(frozen=True, slots=True)
class UpgradeReported:
    """A device has told how its upgrade went (protocol.md §3.7).

    `version` is what it has fetched and runs after its next start, empty where it `failed`.
    """

    device: Device
    version: str
    failed: bool


@dataclass(frozen=True, slots=True)
class PendingAppeared:
    """A device with an unknown key is pending from now on (see `pending`)."""

    pending: PendingDevice


@dataclass(frozen=True, slots=True)
class PendingChanged:
    """A pending device has told more of itself."""

    pending: PendingDevice


@dataclass(frozen=True, slots=True)
class PendingGone:
    """A device is not pending any more: its key was taken in, it is ignored, or it is silent."""

    pending: PendingDevice
    reason: str


type Event = (
    DeviceConnected
    | DeviceDisconnected
    | DeviceActivated
    | KeyContested
    | UnknownKey
    | DatapointReceived
    | TriggerMet
    | CommandAnswered
    | FirmwareServed
    | UpgradeReported
    | PendingAppeared
    | PendingChanged
    | PendingGone
)
type Listener = Callable[[Event], None]


class Callbacks[*Arguments]:
    """Functions that are called one after the other; false where there are none.

    One that raises costs nothing: it is logged once, and the others are called all the same. The log
    has the places in the code, not the text of the exception, in which there may be a key.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._callbacks: dict[object, Callable[[*Arguments], None]] = {}
        self._failed: set[object] = set()

    def __bool__(self) -> bool:
        """Say whether anybody listens; who has something to tell asks this first."""
        return bool(self._callbacks)

    def add(self, callback: Callable[[*Arguments], None]) -> Callable[[], None]:
        """Call it from now on, and return what ends that; a second call of which does nothing."""
        name = object()
        self._callbacks[name] = callback

        def remove() -> None:
            self._callbacks.pop(name, None)
            self._failed.discard(name)

        return remove

    def tell(self, *arguments: *Arguments) -> None:
        """Call them all."""
        for name, callback in list(self._callbacks.items()):
            if name not in self._callbacks:
                continue  # One before it has removed it.
            try:
                callback(*arguments)
            except Exception as error:  # noqa: BLE001 - as the class says
                self._note(name, error)

    def _note(self, name: object, error: Exception) -> None:
        if name in self._callbacks and name not in self._failed:
            self._failed.add(name)
            _LOGGER.error(
                "A listener failed with %s; it is called all the same, and not logged again:\n%s",
                type(error).__name__,
                "".join(format_tb(error.__traceback__)),
            )


class Listeners(Callbacks[Event]):
    """Who hears of the devices."""
