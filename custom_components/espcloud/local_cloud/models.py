"""The cloud's records.

Each record's fields stand in the order in which the cloud sends them (protocol.md §2.4–2.7), since
that order is part of what clients see; `INTERNAL` names what never leaves the cloud. Times are epoch
seconds, flags are 0 or 1 as on the wire.
"""

from dataclasses import dataclass, field, fields
from enum import IntEnum, StrEnum
from typing import ClassVar

from .times import ZERO_TIME, TimeFormat
from .wire import JsonObject

DIMENSIONS = ("x", "y", "z", "k", "l")
"""The values of a datapoint, in the order that Espressif's firmware needs (protocol.md §3.9, 7)."""

IS_COUNTED = "is counted"
"""The mark of a field that stands in no row: it is counted when the database is loaded."""

TIME_FIELDS = frozenset(
    {
        "created",
        "updated",
        "expired_at",
        "last_push",
        "last_pull",
        "last_active",
        "last_activated_at",
        "activated_at",
        "generated_at",
        "token_expired_at",
        "at",
    }
)
"""The fields that hold a time."""


class Scope(IntEnum):
    """What a key or a token is for (protocol.md §2.3)."""

    USER = 1
    DEVICE = 3


class KeyKind(StrEnum):
    """What a key lets its holder do; the value completes "a … key does not work here"."""

    USER = "user"
    MASTER = "master"
    OWNER = "owner"
    SHARED = "shared"


@dataclass(slots=True, kw_only=True)
class Record:
    """What every record has."""

    INTERNAL: ClassVar[frozenset[str]] = frozenset()

    id: int
    created: int
    updated: int
    visibly: int = 1


@dataclass(slots=True, kw_only=True)
class User(Record):
    """An account."""

    INTERNAL: ClassVar[frozenset[str]] = frozenset({"password_hash"})

    username: str
    email: str
    password_hash: str


@dataclass(slots=True, kw_only=True)
class Key(Record):
    """A permanent key of an account or of a device (protocol.md §2.4, KEY order)."""

    INTERNAL: ClassVar[frozenset[str]] = frozenset({"keep"})

    authorized_user_id: int = 0
    """Who holds an owner or shared key."""
    name: str
    scope: int
    user_id: int = 0
    product_id: int = 0
    device_id: int = 0
    datastream_tmpl_id: int = 0
    datastream_id: int = 0
    access_methods: str = "*"
    source_ip: str = "*"
    token: str
    level: int = 0
    is_master_key: int = 0
    is_owner_key: int = 0
    activate_status: int = 0
    expired_at: int
    keep: int = 0
    """Whether an owner or shared key outlives a new password of its holder."""

    @property
    def kind(self) -> KeyKind:
        """What the key lets its holder do."""
        if self.scope == Scope.USER:
            return KeyKind.USER
        if self.is_master_key:
            return KeyKind.MASTER
        return KeyKind.OWNER if self.is_owner_key else KeyKind.SHARED


@dataclass(slots=True, kw_only=True)
class Token(Record):
    """A one-time token: whoever presents it becomes owner, or shares (protocol.md §2.6)."""

    INTERNAL: ClassVar[frozenset[str]] = frozenset({"used_by"})

    name: str
    scope: int = Scope.DEVICE
    user_id: int = 0
    product_id: int = 0
    device_id: int
    datastream_tmpl_id: int = 0
    datastream_id: int = 0
    access_methods: str = "*"
    source_ip: str = "*"
    token: str
    is_owner_key: int
    activate_status: int = 1
    expired_at: int
    generated_at: int = ZERO_TIME
    token_expired_at: int
    delete_after_used: int = 0
    revoke_prekeys_if_ownerkey: int = 1
    used_by: int = 0
    """The account that a share token has admitted; it admits no other."""


@dataclass(slots=True, kw_only=True)
class Device(Record):
    """A device (protocol.md §2.5, DEVICE order)."""

    ptype: int
    product_id: int = 0
    productbatch_id: int = 0
    name: str
    description: str = ""
    serial: str
    bssid: str = ""
    is_private: int = 1
    is_frozen: int = 0
    status: int = 1
    metadata: str = ""
    key_id: int = 0
    """The id of its master key."""
    location: str = ""
    last_push: int = ZERO_TIME
    """When a datapoint was last stored."""
    last_pull: int = ZERO_TIME
    """When datapoints were last read."""
    last_active: int = ZERO_TIME
    last_activated_at: int = ZERO_TIME
    activate_status: int = 0
    activated_at: int = ZERO_TIME
    rom_version: str = ""
    latest_rom_version: str = ""
    """The newest version of which there are files; the store keeps it in step with them."""


@dataclass(slots=True, kw_only=True)
class Product(Record):
    """A kind of device, made by a developer."""

    name: str
    description: str = ""
    serial: str
    ptype: int
    is_private: int = 1
    status: int = 1
    user_id: int


@dataclass(slots=True, kw_only=True)
class DatastreamTmpl(Record):
    """What a product says of one of its datastreams (protocol.md §2.11)."""

    product_id: int
    name: str
    description: str = ""
    dimension: int = 1
    """How many of DIMENSIONS a datapoint has."""
    tags: str = ""
    unit: str = ""
    symbol: str = ""
    stream_type: int = 1


@dataclass(slots=True, kw_only=True)
class RomFile(Record):
    """A file of a firmware version; what is in it stands in `RomFiles` under the same id."""

    product_id: int = 0
    ptype: int
    user_id: int
    """Who uploaded it."""
    version: str
    name: str
    size: int
    """Its bytes."""


@dataclass(slots=True, kw_only=True)
class DeviceGroup(Record):
    """A user's group of devices, a room for example."""

    INTERNAL: ClassVar[frozenset[str]] = frozenset({"device_ids"})

    name: str
    desc: str = ""
    user_id: int
    device_ids: list[int] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Timer(Record):
    """A timer of a device; `plan` is its part that the user wrote (protocol.md §2.9)."""

    INTERNAL: ClassVar[frozenset[str]] = frozenset({"device_id", "plan", "zone"})

    device_id: int
    plan: JsonObject
    zone: str
    """The time zone in which the user wrote it."""


@dataclass(slots=True, frozen=True)
class Datapoint:
    """One point of a datastream; `values` has the given ones of DIMENSIONS, in that order."""

    id: int
    created: int
    datastream_id: int
    at: int
    values: JsonObject


@dataclass(slots=True, kw_only=True)
class Datastream(Record):
    """A named series of datapoints of one device."""

    INTERNAL: ClassVar[frozenset[str]] = frozenset({"points", "latest"})

    device_id: int
    name: str
    points: int = field(default=0, metadata={IS_COUNTED: True})
    """How many datapoints are kept of it."""
    latest: Datapoint | None = None
    """What was stored last."""


def render(record: Record, times: TimeFormat) -> JsonObject:
    """Return a record as the cloud sends it, its fields in the documented order."""
    return {
        name: times(value)
        if name in TIME_FIELDS
        else escape(value)
        if isinstance(value, str)
        else value
        for name in _wire_fields(type(record))
        for value in (getattr(record, name),)
    }


def render_datapoint(point: Datapoint, times: TimeFormat) -> JsonObject:
    """Return a datapoint as the cloud sends it (protocol.md §2.7)."""
    created = times(point.created)
    return {
        "updated": created,
        "created": created,
        "visibly": 1,
        "datastream_id": point.datastream_id,
        "at": created if point.at == point.created else times(point.at),
        **{
            name: escape(value) if isinstance(value, str) else value
            for name, value in point.values.items()
        },
        "id": point.id,
    }


def escape(text: str) -> str:
    """Escape quotes as the cloud does and its apps undo (protocol.md §2.1)."""
    return text.replace('"', "&quot;")


_WIRE_FIELDS: dict[type[Record], tuple[str, ...]] = {}


def _wire_fields(record_type: type[Record]) -> tuple[str, ...]:
    names = _WIRE_FIELDS.get(record_type)
    if names is None:
        names = tuple(
            item.name
            for item in fields(record_type)
            if item.name not in record_type.INTERNAL
        )
        _WIRE_FIELDS[record_type] = names
    return names
