"""A look at the frames of single devices, with their keys masked."""

from collections.abc import Callable
from dataclasses import dataclass
import json
import re
from typing import Any

from .listeners import Callbacks
from .models import Device, KeyKind
from .request import key_text
from .store import Store
from .wire import JsonObject

_MASK = "***"
_SECRETS = frozenset(
    {"authorization", "key", "token", "master_key", "owner_key", "password"}
    | {"new_password", "invitation", "pns_token", "peer_token"}
)
"""Members whose texts are masked, in whatever case they are written."""
_KEY = re.compile(r"[0-9a-f]{40}", re.IGNORECASE)
"""What looks like a key is masked wherever it stands."""


@dataclass(frozen=True, slots=True)
class TappedFrame:
    """A frame of a device, one that it sent or one that it was sent."""

    device: Device
    is_sent_by_device: bool
    frame: JsonObject


class FrameTaps:
    """Shows the frames of the devices that somebody looks at; false where nobody does.

    What a device sends before it has identified is known for its own by the key in it, and what it is
    sent then is the answer to that.
    """

    def __init__(self, store: Store) -> None:
        """Learn from `store` whose master key a text is."""
        self._store = store
        self._taps: dict[int, Callbacks[TappedFrame]] = {}

    def __bool__(self) -> bool:
        """Say whether anybody looks; who has a frame asks this first."""
        return bool(self._taps)

    def add(
        self, device: Device, callback: Callable[[TappedFrame], None]
    ) -> Callable[[], None]:
        """Show the device's frames from now on, and return what ends that."""
        taps = self._taps.setdefault(device.id, Callbacks())
        remove_callback = taps.add(callback)

        def remove() -> None:
            remove_callback()
            if not taps and self._taps.get(device.id) is taps:
                del self._taps[device.id]

        return remove

    def received(self, device: Device | None, frame: JsonObject) -> Device | None:
        """Show a frame that came on the connection of a device, and return whose it is."""
        speaker = device or self._speaker(frame)
        self._show(speaker, frame, is_sent_by_device=True)
        return speaker

    def sent(self, device: Device | None, frame: bytes) -> None:
        """Show a frame that goes out."""
        if device is not None and device.id in self._taps:
            self._show(device, json.loads(frame), is_sent_by_device=False)

    def _show(
        self, device: Device | None, frame: JsonObject, *, is_sent_by_device: bool
    ) -> None:
        if device is not None and (taps := self._taps.get(device.id)):
            taps.tell(TappedFrame(device, is_sent_by_device, masked(frame)))

    def _speaker(self, frame: JsonObject) -> Device | None:
        meta = frame.get("meta")
        text = meta.get("Authorization") if isinstance(meta, dict) else None
        token = key_text(text) if isinstance(text, str) else None
        key = self._store.keyring.key(token) if token else None
        if key is None or key.kind is not KeyKind.MASTER:
            return None
        return self._store.devices[key.device_id]


def masked(frame: JsonObject) -> JsonObject:
    """Return a copy of a frame without keys, tokens and passwords."""
    return {
        _KEY.sub(_MASK, name): _MASK
        if name.lower() in _SECRETS and isinstance(value, str | int | float)
        else _masked_value(value)
        for name, value in frame.items()
    }


def _masked_value(value: Any) -> Any:
    match value:
        case dict():
            return masked(value)
        case list():
            return [_masked_value(item) for item in value]
        case str():
            return _KEY.sub(_MASK, value)
    return value
