"""Devices as the cloud describes them to whoever holds a key to them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
import re
from typing import Any, Final, Self

from .errors import UnexpectedAnswerError
from .fields import epoch, flag, identifier, integer, record, shown_text, text, token

# As a MAC address is written, and as mesh frames write it (protocol.md §3.8).
_MAC = re.compile(r"([0-9a-f]{2}[:-]){5}[0-9a-f]{2}|[0-9a-f]{12}")
_STREAM_NAME = re.compile(r"[a-zA-Z0-9_+\-.:]{1,128}")
_MOST_DIMENSIONS: Final = 5


def is_stream_name(name: str) -> bool:
    """Tell whether a datastream may have this name (protocol.md §2.7)."""
    # Dots alone would be another path.
    return _STREAM_NAME.fullmatch(name) is not None and name.strip(".") != ""


def read_bssid(value: Any) -> str:
    """Return a MAC address in lower case with colons, "" for anything that is none.

    The cloud checks none. The placeholder of devices without one, `12:34:56:78:91`, is
    too short (protocol.md §2.5); nor is a group's address, or zero, that of a device.
    """
    if not isinstance(value, str) or not _MAC.fullmatch(mac := value.lower()):
        return ""
    digits = mac.replace(":", "").replace("-", "")
    if int(digits[:2], 16) & 1 or not int(digits, 16):
        return ""
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


@dataclass(frozen=True, slots=True)
class CloudDevice:
    """A device as the cloud describes it (protocol.md §2.5).

    Attributes:
        id: its number, which is unique on its server.
        name: what its owner called it, "" where it has no name.
        serial: 8 hex characters, "" where the answer has none.
        ptype: the kind of device (protocol.md §4).
        rom_version: the firmware it runs, as the device says.
        activated: whether it was activated.
        bssid: its MAC address in lower case with colons, "" where none is known.
        latest_rom_version: the newest firmware that the cloud has for it, "" for none.
        last_active: when the cloud heard of it last, in epoch seconds; 0 is unknown.
        is_mesh: whether it reaches the cloud through another device.
        product_id: the product that it is one of.
    """

    id: int
    name: str
    serial: str
    ptype: int | None
    rom_version: str
    activated: bool
    bssid: str = ""
    latest_rom_version: str = ""
    last_active: int = 0
    is_mesh: bool = False
    product_id: int | None = None

    @property
    def title(self) -> str:
        """What to call it where it has no name."""
        return self.name or f"Device {self.id}"

    def is_same(self, device_id: int, serial: str) -> bool:
        """Tell whether it is a device of one server that is remembered by these two.

        Not every answer has the serial number; where both are known they agree.
        """
        return self.id == device_id and (
            not serial or not self.serial or serial == self.serial
        )

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any]) -> Self:
        """Read an answer that holds `device`; raises UnexpectedAnswerError."""
        return cls.from_record(record(answer, "device"))

    @classmethod
    def from_record(cls, device: Mapping[str, Any]) -> Self:
        """Read a DEVICE record; raises UnexpectedAnswerError without an id."""
        return cls(
            id=identifier(device),
            name=shown_text(device, "name"),
            serial=shown_text(device, "serial"),
            ptype=integer(device.get("ptype")),
            rom_version=shown_text(device, "rom_version"),
            # Absent means a server that does not ask for activation.
            activated=bool(device.get("activate_status", 1)),
            bssid=read_bssid(device.get("bssid")),
            latest_rom_version=shown_text(device, "latest_rom_version"),
            last_active=epoch(device.get("last_active")) or 0,
            is_mesh=text(device, "parent_mdev_mac") != "",
            product_id=integer(device.get("product_id")),
        )


@dataclass(frozen=True, slots=True)
class OwnedDevice:
    """A device of an account, with the key that may command it (protocol.md §2.3).

    Attributes:
        device: the device.
        owner_key: the account's key to it, "" where there is none that could be used.
        is_owner: whether that is the owner's key; else the device was shared with the account.
        group: the name of the group that it is in, "" in none.
    """

    device: CloudDevice
    owner_key: str = field(repr=False)
    is_owner: bool = True
    group: str = ""

    @classmethod
    def list_from_answer(cls, answer: Mapping[str, Any]) -> list[Self]:
        """Read the answer of `GET /v1/user/devices/`, by group or flat, by their ids.

        A record that cannot be read is left out: one odd device must not hide the rest.
        A device that is in two groups counts for the first.

        Raises:
            UnexpectedAnswerError: there is no list at all.
        """
        devices: dict[int, Self] = {}
        for device, group in _listed(answer):
            try:
                owned = cls._from_record(device, group)
            except UnexpectedAnswerError:
                continue
            known = devices.get(owned.device.id)
            if known is None or (owned.group and not known.group):
                devices[owned.device.id] = owned
        return [devices[number] for number in sorted(devices)]

    @classmethod
    def _from_record(cls, device: Mapping[str, Any], group: str) -> Self:
        key = record(device, "key")
        return cls(
            device=CloudDevice.from_record(device),
            owner_key=token(key),
            is_owner=flag(key.get("is_owner_key"), default=True),
            group=group,
        )


@dataclass(frozen=True, slots=True)
class StreamTemplate:
    """What a product says of one of its devices' datastreams (protocol.md §2.11).

    Attributes:
        stream: the name of the datastream.
        dimension: how many of x, y, z, k, l its points have; None where that is not said.
        tags: words with commas, "" for none.
        unit: the unit in words, such as `celsius`; "" for none.
        symbol: the unit's sign, such as `℃`; "" for none.
        description: what it is, "" where that is not said.
    """

    stream: str
    dimension: int | None = None
    unit: str = ""
    symbol: str = ""
    description: str = ""
    tags: str = ""

    @classmethod
    def by_device(cls, answer: Mapping[str, Any]) -> dict[int, list[Self]]:
        """Read the answer of `GET /v1/user/devices/`: the templates by the device's id.

        Every device is there, with an empty list where its product names no stream.

        Raises:
            UnexpectedAnswerError: there is no list of devices at all.
        """
        found: dict[int, list[Self]] = {}
        for device, _ in _listed(answer):
            number = integer(device.get("id"))
            if number is not None and not found.get(number):
                found[number] = cls._list_from(device.get("datastreamTmpls"))
        return found

    @classmethod
    def _list_from(cls, templates: Any) -> list[Self]:
        found: dict[str, Self] = {}
        for template in templates if isinstance(templates, list) else []:
            if not isinstance(template, dict):
                continue
            name = text(template, "name")
            if not is_stream_name(name) or name in found:
                continue
            dimension = integer(template.get("dimension"))
            found[name] = cls(
                stream=name,
                dimension=dimension
                if dimension is not None and 1 <= dimension <= _MOST_DIMENSIONS
                else None,
                tags=shown_text(template, "tags"),
                unit=shown_text(template, "unit"),
                symbol=shown_text(template, "symbol"),
                description=shown_text(template, "description"),
            )
        return list(found.values())


def _listed(answer: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield the records of the devices in a list, each with the name of its group."""
    groups = answer.get("deviceGroups")
    if not isinstance(groups, list):
        if not isinstance(answer.get("devices"), list):
            raise UnexpectedAnswerError("an answer without devices")
        groups = [{"devices": answer["devices"]}]
    for group in groups:
        if not isinstance(group, dict) or not isinstance(group.get("devices"), list):
            continue
        # The group of the devices that are in none has the id 0 (protocol.md §2.5).
        name = shown_text(group, "name") if integer(group.get("id")) else ""
        for device in group["devices"]:
            if isinstance(device, dict):
                yield device, name
