"""What an account makes devices of: the developer's side of the API (protocol.md §2.11)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from .devices import CloudDevice
from .errors import UnexpectedAnswerError
from .fields import identifier, integer, read_each, record, text, token
from .models import is_key


@dataclass(frozen=True, slots=True)
class Product:
    """A product of an account: what its devices are made of (protocol.md §2.11)."""

    id: int
    name: str
    ptype: int | None

    @classmethod
    def list_from_answer(cls, answer: Mapping[str, Any]) -> list[Self]:
        """Read an answer that holds `products`; raises UnexpectedAnswerError without."""
        return read_each(answer, "products", cls._from_record)

    @classmethod
    def _from_record(cls, product: Mapping[str, Any]) -> Self:
        return cls(
            id=identifier(product),
            name=text(product, "name"),
            ptype=integer(product.get("ptype")),
        )


@dataclass(frozen=True, slots=True)
class ProductDevice:
    """A device of a product, with its master key (protocol.md §2.11).

    Attributes:
        device: the device.
        master_key: 40 lower-case hex characters.
        unused: whether it has never been on-line: it was not activated, or the cloud
            has never heard of it since (`last_active` is the zero time, §2.1).
    """

    device: CloudDevice
    master_key: str = field(repr=False)
    unused: bool

    @classmethod
    def list_from_answer(cls, answer: Mapping[str, Any]) -> list[Self]:
        """Read an answer that holds `devices`; raises UnexpectedAnswerError without.

        A device without a master key is left out.
        """
        return read_each(answer, "devices", cls._from_record)

    @classmethod
    def _from_record(cls, listed: Mapping[str, Any]) -> Self:
        device = CloudDevice.from_record(listed)
        master_key = token(record(listed, "key"))
        if not is_key(master_key):
            raise UnexpectedAnswerError("a device without a master key")
        last_active = integer(listed.get("last_active"))
        never_active = last_active is not None and last_active <= 0
        return cls(device, master_key, unused=not device.activated or never_active)
