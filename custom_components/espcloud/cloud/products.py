"""What an account makes devices of: the developer's side of the API (protocol.md §2.11)."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from .errors import UnexpectedAnswerError
from .models import CloudDevice, _identifier, _record, _text, _token, integer, is_key


def _read_each[RecordT](
    answer: Mapping[str, Any],
    name: str,
    read: Callable[[Mapping[str, Any]], RecordT],
) -> list[RecordT]:
    """Read a list of records; one that cannot be read must not hide the rest."""
    records = answer.get(name)
    if not isinstance(records, list):
        raise UnexpectedAnswerError(f"an answer without {name}")
    found = []
    for record in records:
        if isinstance(record, dict):
            with suppress(UnexpectedAnswerError):
                found.append(read(record))
    return found


@dataclass(frozen=True, slots=True)
class Product:
    """A product of an account: what its devices are made of (protocol.md §2.11)."""

    id: int
    name: str
    ptype: int | None

    @classmethod
    def list_from_answer(cls, answer: Mapping[str, Any]) -> list[Self]:
        """Read an answer that holds `products`; raises UnexpectedAnswerError without."""
        return _read_each(answer, "products", cls._from_record)

    @classmethod
    def _from_record(cls, record: Mapping[str, Any]) -> Self:
        return cls(
            id=_identifier(record, "id"),
            name=_text(record, "name"),
            ptype=integer(record.get("ptype")),
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
        return _read_each(answer, "devices", cls._from_record)

    @classmethod
    def _from_record(cls, record: Mapping[str, Any]) -> Self:
        device = CloudDevice.from_record(record)
        master_key = _token(_record(record, "key"))
        if not is_key(master_key):
            raise UnexpectedAnswerError("a device without a master key")
        last_active = integer(record.get("last_active"))
        never_active = last_active is not None and last_active <= 0
        return cls(device, master_key, unused=not device.activated or never_active)
