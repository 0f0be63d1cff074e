"""The store's records as rows of the database, and back, with every value checked."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
import json
from operator import attrgetter
from typing import Any

from .account_tokens import AccountToken, Purpose
from .debug_reports import DebugReport, read_entry
from .errors import ApiError
from .models import (
    DIMENSIONS,
    IS_COUNTED,
    TIME_FIELDS,
    Datapoint,
    Datastream,
    DatastreamTmpl,
    Device,
    DeviceGroup,
    Key,
    KeyKind,
    Product,
    Record,
    RomFile,
    Scope,
    Timer,
    Token,
    User,
)
from .passwords import is_password_hash
from .store import Store
from .timer_plans import read_plan
from .times import LAST_TIME, ZERO_TIME
from .trigger_rules import read_rule
from .triggers import Trigger
from .wire import JsonObject

TABLES: dict[str, type[Record]] = {
    "users": User,
    "products": Product,
    "templates": DatastreamTmpl,
    "rom_files": RomFile,
    "devices": Device,
    "keys": Key,
    "tokens": Token,
    "groups": DeviceGroup,
    "timers": Timer,
    "datastreams": Datastream,
    "account_tokens": AccountToken,
    "triggers": Trigger,
    "debugs": DebugReport,
}
"""What is in memory as well; a table comes after those to which its rows refer."""
ACTIVITY = ("last_push", "last_pull", "last_active")
"""The columns of a device that change without anybody's waiting for it."""

type Row = tuple[Any, ...]


class DamagedError(Exception):
    """Rows that no store has written; the message says where."""


def _read_point(text: str) -> Datapoint | None:
    columns = json.loads(text)
    if columns is None:
        return None
    point = Datapoint(*columns)
    if not (is_point(point) and ZERO_TIME <= point.created <= LAST_TIME):
        raise ValueError(text)
    return point


def _write_point(point: Datapoint | None) -> str:
    if point is None:
        return "null"
    columns = (point.id, point.created, point.datastream_id, point.at, point.values)
    return json.dumps(columns)


def _write_text(text: str) -> str:
    """Return a text as the database takes it: a lone surrogate, which is none, has no UTF-8 form."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _read_ids(text: str) -> list[int]:
    ids = json.loads(text)
    if not isinstance(ids, list) or not all(type(number) is int for number in ids):
        raise ValueError(text)
    return ids


def _read_object(text: str) -> JsonObject:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(text)  # noqa: TRY004 - of what a file holds
    return value


def _same(value: Any) -> Any:
    return value


class _Table:
    """How the records of a type are written and read."""

    def __init__(self, record: type[Record]) -> None:
        self.record = record
        stored = [field for field in fields(record) if IS_COUNTED not in field.metadata]
        self.columns = tuple(field.name for field in stored)
        self._values: Callable[[Record], tuple[Any, ...]] = attrgetter(*self.columns)
        kinds = [field.type for field in stored]
        self._texts = [kind is not int for kind in kinds]
        self._writers: list[Callable[[Any], Any]] = [
            _WRITERS.get(kind, json.dumps) for kind in kinds
        ]
        self._readers = [_READERS.get(kind, _read_object) for kind in kinds]

    def row(self, record: Record) -> Row:
        return tuple(
            write(value)
            for write, value in zip(self._writers, self._values(record), strict=True)
        )

    def values(self, row: Row) -> dict[str, Any]:
        """Return a row's values by their names. Raises ValueError for one of a wrong type."""
        values: dict[str, Any] = {}
        for name, value, is_text, read in zip(
            self.columns, row, self._texts, self._readers, strict=True
        ):
            if type(value) is not (str if is_text else int):
                raise ValueError(name)
            if name in TIME_FIELDS and not ZERO_TIME <= int(value) <= LAST_TIME:
                raise ValueError(name)
            values[name] = read(value)
        return values


_WRITERS: dict[Any, Callable[[Any], Any]] = {
    int: int,
    str: _write_text,
    Datapoint | None: _write_point,
}
_READERS: dict[Any, Callable[[Any], Any]] = {
    int: _same,
    str: _same,
    list[int]: _read_ids,
    Datapoint | None: _read_point,
}
_OF_NAME = {name: _Table(record) for name, record in TABLES.items()}
TABLE_OF = {record: name for name, record in TABLES.items()}
"""The table of each type of record."""


def columns(table: str) -> tuple[str, ...]:
    """Return the names of a table's columns, in the order of its rows."""
    return _OF_NAME[table].columns


def to_row(record: Record) -> Row:
    """Return a record as it is written."""
    return _OF_NAME[TABLE_OF[type(record)]].row(record)


def change_to(record: Record, row: Row) -> None:
    """Make a record what its row says, but for its ACTIVITY."""
    for name, value in _OF_NAME[TABLE_OF[type(record)]].values(row).items():
        if name not in ACTIVITY:
            setattr(record, name, value)


def point_row(point: Datapoint) -> Row:
    """Return a datapoint as it is written: datastream, at, id, created, values."""
    return (
        point.datastream_id,
        point.at,
        point.id,
        point.created,
        json.dumps(point.values),
    )


def point_from(row: Row) -> Datapoint:
    """Return the datapoint of a row. Raises DamagedError for what no cloud has written."""
    datastream_id, at, number, created, text = row
    try:
        point = Datapoint(number, created, datastream_id, at, _read_object(text))
    except (ValueError, TypeError) as error:
        raise DamagedError(f"datapoints, id {number}") from error
    if not is_point(point):
        raise DamagedError(f"datapoints, id {number}")
    return point


def is_point(point: Datapoint) -> bool:
    """Say whether it is one that a cloud may have stored."""
    return (
        all(type(value) is int for value in (point.id, point.created, point.at))
        and ZERO_TIME <= point.at <= LAST_TIME
        and isinstance(point.values, dict)
        and set(point.values) <= set(DIMENSIONS)
    )


def restore(store: Store, rows: Mapping[str, Iterable[Row]]) -> None:
    """Fill an empty store with the rows of all TABLES, of `last_ids`, and of what is counted.

    `points` has how many datapoints a datastream has, `contents` how many bytes a firmware file.

    Raises DamagedError for anything that `to_row` cannot have given: a wrong type, a time out of
    range, an id given twice, a reference to what does not exist.
    """
    for name, table in _OF_NAME.items():
        last = 0
        for row in rows[name]:
            try:
                record = table.record(**table.values(row))
            except (ValueError, TypeError, RecursionError) as error:
                raise DamagedError(f"{name}, id {row[0]}") from error
            if record.id in store.table(table.record) or not _is_fine(store, record):
                raise DamagedError(f"{name}, id {record.id}")
            store.put(record)
            last = max(last, record.id)
        store.context.last_ids[name] = last
    for table_name, number in rows["last_ids"]:
        if type(table_name) is not str or type(number) is not int:
            raise DamagedError("last_ids")
        known = store.context.last_ids.get(table_name, 0)
        store.context.last_ids[table_name] = max(number, known)
    if {file.id: file.size for file in store.roms.files.values()} != dict(
        rows["contents"]
    ):
        raise DamagedError("rom_contents")
    for datastream_id, count in rows["points"]:
        if datastream_id not in store.streams.streams:
            raise DamagedError(f"datapoints of datastream {datastream_id}")
        store.streams.streams[datastream_id].points = count


def _is_fine(store: Store, record: Record) -> bool:
    """Check what a record says against what is there already."""
    match record:
        case User():
            return (
                is_password_hash(record.password_hash)
                and store.user_by_email(record.email) is None
                and store.user_by_name(record.username) is None
            )
        case Key():
            return record.token not in store.keyring.keys and _is_key(store, record)
        case Timer() | Trigger() | DebugReport():
            return record.device_id in store.devices and _is_as_written(record)
        case Product() | DeviceGroup():
            return record.user_id in store.users
        case DatastreamTmpl():
            return record.product_id in store.products
        case RomFile():
            return (
                record.user_id in store.users
                and _refers(store.products, record.product_id)
                and store.roms.is_new(record)
            )
        case Token():
            return (
                record.device_id in store.devices
                and record.token not in store.keyring.tokens
                and _refers(store.users, record.used_by)
                and _refers(store.users, record.user_id)
            )
        case Device():
            return _refers(store.products, record.product_id)
        case AccountToken():
            return record.purpose in set(Purpose) and _refers(
                store.users, record.user_id
            )
        case Datastream():
            device = store.devices.get(record.device_id)
            return device is not None and not store.streams.find(device, record.name)
    return False


def _is_key(store: Store, key: Key) -> bool:
    if key.scope == Scope.USER:
        return key.user_id in store.users
    device = store.devices.get(key.device_id)
    if key.scope != Scope.DEVICE or device is None:
        return False
    keyring = store.keyring
    if key.kind is KeyKind.MASTER:
        return keyring.master_key(device) is None and _refers(store.users, key.user_id)
    user = store.users.get(key.authorized_user_id)
    return (
        user is not None
        and keyring.held_for(user, device.id) is None
        and (key.kind is KeyKind.SHARED or keyring.owner_key(device) is None)
    )


def _is_as_written(record: Timer | Trigger | DebugReport) -> bool:
    """Say whether what somebody wrote could come in so today."""
    try:
        match record:
            case Timer(plan=plan):
                return read_plan(plan) == plan
            case Trigger(rule=rule):
                return read_rule(rule) == rule
            case DebugReport(entry=entry):
                return read_entry(entry) == entry
    except ApiError:
        return False


def _refers(table: Mapping[int, object], number: int) -> bool:
    return number == 0 or number in table
