"""What tells a device from every other, on whatever server and account."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from .const import CONF_DEVICE_ID, CONF_SERIAL


@dataclass(frozen=True, slots=True)
class Identity:
    """A device; servers count theirs from one, hence the serial number.

    Attributes:
        device_id: the cloud's id of the device.
        serial: its serial number, empty where the server tells none.
    """

    device_id: int
    serial: str

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read the data of a device's subentry."""
        return cls(data[CONF_DEVICE_ID], data[CONF_SERIAL])

    @property
    def unique_id(self) -> str:
        """Return it as one text."""
        return f"{self.device_id}-{self.serial}"
