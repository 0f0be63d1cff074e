"""What tells a device from every other, on whatever server and account."""

from collections.abc import Mapping
from dataclasses import dataclass
import hashlib
from typing import Any, Self

from .const import CONF_DEVICE_ID, CONF_KEY_HASH, CONF_SERIAL


def key_hash(master_key: str) -> str:
    """Return what may be shown and kept of a master key: 32 hex digits of its SHA-256."""
    return hashlib.sha256(master_key.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Identity:
    """A device; servers count theirs from one, hence the serial number.

    Attributes:
        device_id: the cloud's id of the device.
        serial: its serial number, empty where the server tells none.
        key_hash: of its master key, where Home Assistant is the cloud: the key is in the
            device's flash, and outlives the server's numbers. Empty elsewhere.
    """

    device_id: int
    serial: str
    key_hash: str = ""

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read the data of a device's subentry."""
        return cls(data[CONF_DEVICE_ID], data[CONF_SERIAL], data.get(CONF_KEY_HASH, ""))

    def as_data(self) -> dict[str, Any]:
        """Return what a subentry keeps to know the device by."""
        data = {CONF_DEVICE_ID: self.device_id, CONF_SERIAL: self.serial}
        return {**data, CONF_KEY_HASH: self.key_hash} if self.key_hash else data

    @property
    def unique_id(self) -> str:
        """Return it as one text."""
        return self.key_hash or f"{self.device_id}-{self.serial}"
