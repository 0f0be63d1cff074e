"""Typed records of what the cloud says, read with care: the far end may send anything."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
import hashlib
import re
import secrets
import string
from typing import Any, Self

from .errors import UnexpectedAnswerError
from .text import printable

_KEY = re.compile(r"[0-9a-f]{40}")
# What fits into a header, as every token has to.
_TOKEN = re.compile(r"[!-~]+")
_STATUS = re.compile(r"[0-9]{1,9}")
_LIGHT = 45772
_TOKEN_ALPHABET = string.digits + string.ascii_lowercase


def is_key(text: str) -> bool:
    """Tell whether the text has the form of a key: 40 lower-case hex (protocol.md §2.3)."""
    return _KEY.fullmatch(text) is not None


def new_token() -> str:
    """Return a fresh one-time token: 40 random characters 0-9a-z (protocol.md §2.6)."""
    return "".join(secrets.choice(_TOKEN_ALPHABET) for _ in range(40))


def virtual_bssid(device_id: int) -> str:
    """Return a MAC address for a device that has no hardware.

    The same one for the same device always, and locally administered, so that it
    is nobody's. The cloud checks none (protocol.md §2.6), its app skips devices
    that have none (§2.5).
    """
    digest = hashlib.sha256(f"espcloud {device_id}".encode()).hexdigest()
    return ":".join(["02", *(digest[i : i + 2] for i in range(0, 10, 2))])


def virtual_rom_version(ptype: int | None) -> str:
    """Return the firmware version that a device without firmware gives when it activates.

    The app takes the kind of a light and of its stream from this text, and fails on an
    empty one (protocol.md §4). It is a revision of what this client does with the
    protocol, never of a release: a higher one would switch the app to another stream.
    Firmware keeps 15 characters of it (§3.7), which suits five digits of `ptype`.
    """
    known = ptype if ptype is not None and 0 <= ptype < 100_000 else _LIGHT
    return f"v0.2.0t{known}(o)"


def integer(value: Any) -> int | None:
    """Return the value where it is a whole number; JSON's true and false are none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def status_of(answer: Mapping[str, Any], default: int = 200) -> int:
    """Return an answer's `status`, a number or a numeric text (protocol.md §2.1).

    Raises:
        UnexpectedAnswerError: `status` is neither.
    """
    status = answer.get("status", default)
    if isinstance(status, str) and _STATUS.fullmatch(status):
        return int(status)
    if (number := integer(status)) is None:
        raise UnexpectedAnswerError("an answer without a usable status")
    return number


def refuses_key(status: int, answer: Mapping[str, Any]) -> bool:
    """Tell whether an answer means that the key is not valid.

    The cloud says so with status 500 and a text (protocol.md §2.2); 401 and 403 are
    what any other server of this API would use.
    """
    return status in (401, 403) or "key not exists" in str(answer.get("message", ""))


def _record(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    record = parent.get(name)
    if not isinstance(record, dict):
        raise UnexpectedAnswerError(f"an answer without {name}")
    return record


def _record_or_none(parent: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    # Go, which the later cloud is written in, spells a record that is not there `null`.
    return None if parent.get(name) is None else _record(parent, name)


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    # The cloud escapes quotes in texts; of nothing else is it known (protocol.md §2.1).
    return value.replace("&quot;", '"') if isinstance(value, str) else ""


def _token(record: Mapping[str, Any]) -> str:
    token = _text(record, "token")
    return token if _TOKEN.fullmatch(token) else ""


def _identifier(record: Mapping[str, Any], name: str) -> int:
    value = integer(record.get(name))
    if value is None:
        raise UnexpectedAnswerError(f"an answer without a usable {name}")
    return value


@dataclass(frozen=True, slots=True)
class UserKey:
    """The key of an account (protocol.md §2.3)."""

    user_id: int
    token: str = field(repr=False)

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any]) -> Self:
        """Read the answer of `POST /v1/keys/`; raises UnexpectedAnswerError."""
        keys = answer.get("keys")
        if not isinstance(keys, list) or not keys or not isinstance(keys[0], dict):
            raise UnexpectedAnswerError("an answer without keys")
        token = _token(keys[0])
        if not token:
            raise UnexpectedAnswerError("a key without a usable token")
        return cls(user_id=_identifier(keys[0], "user_id"), token=token)


@dataclass(frozen=True, slots=True)
class CloudDevice:
    """A device as the cloud describes it (protocol.md §2.5)."""

    id: int
    name: str
    serial: str
    ptype: int | None
    rom_version: str
    activated: bool

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
        return cls.from_record(_record(answer, "device"))

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Read a DEVICE record; raises UnexpectedAnswerError without an id."""
        return cls(
            id=_identifier(record, "id"),
            name=printable(_text(record, "name")),
            serial=printable(_text(record, "serial")),
            ptype=integer(record.get("ptype")),
            rom_version=printable(_text(record, "rom_version")),
            # Absent means a server that does not ask for activation.
            activated=bool(record.get("activate_status", 1)),
        )


@dataclass(frozen=True, slots=True)
class OwnedDevice:
    """A device of an account, with the key that may command it (protocol.md §2.3)."""

    device: CloudDevice
    owner_key: str = field(repr=False)

    @classmethod
    def list_from_answer(cls, answer: Mapping[str, Any]) -> list[Self]:
        """Read the answer of `GET /v1/user/devices/`, by group or flat.

        A record that cannot be read is left out: one odd device must not hide the rest.

        Raises:
            UnexpectedAnswerError: there is no list at all.
        """
        groups = answer.get("deviceGroups")
        if not isinstance(groups, list):
            if not isinstance(answer.get("devices"), list):
                raise UnexpectedAnswerError("an answer without devices")
            groups = [answer]
        records: list[Any] = []
        for group in groups:
            if isinstance(group, dict) and isinstance(group.get("devices"), list):
                records += group["devices"]
        devices: dict[int, Self] = {}
        for record in records:
            try:
                owned = cls(
                    device=CloudDevice.from_record(record),
                    owner_key=_token(_record(record, "key")),
                )
            except UnexpectedAnswerError, AttributeError:
                continue
            devices[owned.device.id] = owned
        return list(devices.values())


# What tells the cloud to deliver a request. The reference gateway leaves it among the
# parameters, of which it is none (protocol.md §3.4).
_MARK = "deliver_to_device"
# As the cloud spells it; any other spelling is taken apart.
_RPC_PATH = "/v1/device/rpc/"


class PushKind(Enum):
    """What a push asks for (protocol.md §3.4)."""

    RPC = "rpc"
    DATAPOINT = "datapoint"
    TIMERS = "timers"
    OTHER = "other"


@dataclass(slots=True)  # not frozen, which takes twice as long to make
class Push:
    """A frame that the cloud delivers to the device (protocol.md §3.4).

    The frame's `meta` carries the caller's own token. It is dropped here, before
    anything else sees it.
    """

    nonce: int
    path: str
    method: str
    parameters: Mapping[str, Any]
    body: Mapping[str, Any]

    @classmethod
    def from_frame(cls, frame: Mapping[str, Any]) -> Self:
        """Read a delivered frame; raises UnexpectedAnswerError on wrong types."""
        nonce = _identifier(frame, "nonce")
        path, method = frame.get("path"), frame.get("method", "GET")
        if not isinstance(path, str) or not isinstance(method, str):
            raise UnexpectedAnswerError("a push with fields of the wrong type")
        parameters, body = _record_or_none(frame, "get"), _record_or_none(frame, "body")
        if parameters and _MARK in parameters:
            parameters = {
                name: value for name, value in parameters.items() if name != _MARK
            }
        return cls(nonce, path, method.upper(), parameters or {}, body or {})

    @property
    def kind(self) -> PushKind:
        """What the push asks for, by its path."""
        if self.path == _RPC_PATH:
            return PushKind.RPC
        parts = self.path.strip("/").split("/")
        match parts:
            case ["v1", "device", "rpc"]:
                return PushKind.RPC
            case ["v1", "datastreams", _, "datapoint" | "datapoints"]:
                return PushKind.DATAPOINT
            case ["v1", "device", "timers"]:
                return PushKind.TIMERS
        return PushKind.OTHER

    @property
    def action(self) -> str | None:
        """The action of an RPC, None for any other push."""
        if self.kind is not PushKind.RPC:
            return None
        action = self.parameters.get("action")
        return action if isinstance(action, str) else None
