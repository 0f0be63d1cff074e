"""Keys and tokens, what a device gives as its own, and what is pushed to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
import hashlib
import re
import secrets
import string
from typing import Any, Self

from .errors import UnexpectedAnswerError
from .fields import identifier, record_or_none, token

_KEY = re.compile(r"[0-9a-f]{40}")
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
        key_token = token(keys[0])
        if not key_token:
            raise UnexpectedAnswerError("a key without a usable token")
        return cls(user_id=identifier(keys[0], "user_id"), token=key_token)


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
        nonce = identifier(frame, "nonce")
        path, method = frame.get("path"), frame.get("method", "GET")
        if not isinstance(path, str) or not isinstance(method, str):
            raise UnexpectedAnswerError("a push with fields of the wrong type")
        parameters, body = record_or_none(frame, "get"), record_or_none(frame, "body")
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
        match self.path.strip("/").split("/"):
            case ["v1", "device", "rpc"]:
                return PushKind.RPC
            case ["v1", "device", "timers"]:
                return PushKind.TIMERS
        return PushKind.DATAPOINT if self.stream is not None else PushKind.OTHER

    @property
    def stream(self) -> str | None:
        """The datastream that the push is about, None for any other push."""
        match self.path.strip("/").split("/"):
            case ["v1", "datastreams", stream, "datapoint" | "datapoints"]:
                return stream
        return None

    @property
    def action(self) -> str | None:
        """The action of an RPC, None for any other push."""
        if self.kind is not PushKind.RPC:
            return None
        action = self.parameters.get("action")
        return action if isinstance(action, str) else None
