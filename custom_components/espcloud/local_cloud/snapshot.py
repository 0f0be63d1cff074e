"""The store as rows that a file can hold, and back, with every value checked."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any

from .errors import ApiError
from .models import (
    DIMENSIONS,
    TIME_FIELDS,
    Datapoint,
    Datastream,
    DatastreamTmpl,
    Device,
    DeviceGroup,
    Key,
    KeyKind,
    Product,
    Scope,
    Timer,
    Token,
    User,
)
from .passwords import is_password_hash
from .store import Store
from .timer_plans import read_plan
from .times import LAST_TIME, ZERO_TIME
from .wire import JsonObject

_TABLES: dict[str, type[Any]] = {
    "users": User,
    "products": Product,
    "templates": DatastreamTmpl,
    "devices": Device,
    "keys": Key,
    "tokens": Token,
    "groups": DeviceGroup,
    "timers": Timer,
    "datastreams": Datastream,
    "datapoints": Datapoint,
}
_COLUMNS = {
    name: tuple(field.name for field in fields(record))
    for name, record in _TABLES.items()
}

type Row = tuple[Any, ...]
type Snapshot = dict[str, list[Row]]


class DamagedError(Exception):
    """Rows that no store has written; the message says where."""


def take(store: Store) -> Snapshot:
    """Return everything in the store; fast, and not changed by what happens to the store later."""
    points = (point for stream in store.streams.points.values() for point in stream)
    tables: dict[str, Iterable[Any]] = {
        "users": store.users.values(),
        "products": store.products.values(),
        "templates": store.templates.values(),
        "devices": store.devices.values(),
        "keys": store.keyring.keys.values(),
        "tokens": store.keyring.tokens.values(),
        "timers": store.timers.values(),
        "datastreams": store.streams.streams.values(),
        "datapoints": points,
    }
    snapshot: Snapshot = {
        name: list(map(attrgetter(*_COLUMNS[name]), records))
        for name, records in tables.items()
    }
    snapshot["groups"] = [
        tuple(
            list(value) if isinstance(value, list) else value
            for value in attrgetter(*_COLUMNS["groups"])(group)
        )
        for group in store.groups.values()
    ]
    snapshot["last_ids"] = list(store.context.last_ids.items())
    return snapshot


def columns(table: str) -> tuple[str, ...]:
    """Return the names of a table's columns, in the order of its rows."""
    return _COLUMNS.get(table, ("table", "id"))


def restore(store: Store, document: JsonObject) -> None:
    """Fill an empty store from tables of JSON objects.

    Raises DamagedError for anything that `take` cannot have given: a missing table or column, a
    wrong type, a time out of range, an id given twice, a reference to what does not exist.
    """
    rows = {name: _read_table(document, name) for name in _TABLES}
    put: dict[str, Callable[[Any], None]] = {
        "users": store.put_user,
        "products": store.put_product,
        "templates": store.put_template,
        "devices": store.put_device,
        "keys": store.keyring.put,
        "tokens": store.keyring.put_token,
        "groups": store.put_group,
        "timers": store.put_timer,
        "datastreams": store.streams.put_stream,
        "datapoints": store.streams.put_point,
    }
    for name, records in rows.items():
        for record in records:
            _check_record(store, name, record)
            put[name](record)
        store.context.last_ids[name] = max((record.id for record in records), default=0)
    for entry in _entries(document, "last_ids"):
        table, number = entry.get("table"), entry.get("id")
        if not isinstance(table, str) or type(number) is not int:
            raise DamagedError("last_ids")
        store.context.last_ids[table] = max(
            number, store.context.last_ids.get(table, 0)
        )


def _entries(document: JsonObject, name: str) -> list[JsonObject]:
    entries = document.get(name)
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) for entry in entries
    ):
        raise DamagedError(name)
    return entries


def _read_table(document: JsonObject, name: str) -> list[Any]:
    record = _TABLES[name]
    names = set(_COLUMNS[name])
    types = {field.name: field.type for field in fields(record)}
    records = []
    ids: set[int] = set()
    for position, entry in enumerate(_entries(document, name), 1):
        if set(entry) != names or not all(
            _is_of_type(column, value, types[column]) for column, value in entry.items()
        ):
            raise DamagedError(f"{name}, entry {position}")
        records.append(record(**entry))
        ids.add(entry["id"])
    if len(ids) != len(records):
        raise DamagedError(f"{name}, an id stands twice")
    return records


def _is_of_type(column: str, value: Any, wanted: Any) -> bool:
    if wanted is int:
        if type(value) is not int:
            return False
        return column not in TIME_FIELDS or ZERO_TIME <= value <= LAST_TIME
    if wanted is str:
        return isinstance(value, str)
    if wanted == list[int]:
        return isinstance(value, list) and all(type(item) is int for item in value)
    return isinstance(value, dict)


def _check_record(store: Store, table: str, record: Any) -> None:
    """Check what a record says against what is there already."""
    fine: bool
    match record:
        case User():
            fine = (
                is_password_hash(record.password_hash)
                and store.user_by_email(record.email) is None
                and store.user_by_name(record.username) is None
            )
        case Key():
            fine = record.token not in store.keyring.keys and _is_key(store, record)
        case Datapoint():
            fine = record.datastream_id in store.streams.streams and set(
                record.values
            ) <= set(DIMENSIONS)
        case Timer():
            fine = record.device_id in store.devices and _is_plan(record.plan)
        case DatastreamTmpl():
            fine = record.product_id in store.products and 1 <= record.dimension <= len(
                DIMENSIONS
            )
        case Product() | DeviceGroup():
            fine = record.user_id in store.users
        case Token():
            fine = (
                record.device_id in store.devices
                and record.token not in store.keyring.tokens
                and _refers(store.users, record.used_by)
                and _refers(store.users, record.user_id)
            )
        case Device():
            fine = _refers(store.products, record.product_id)
        case _:
            fine = record.device_id in store.devices
    if not fine:
        raise DamagedError(f"{table}, id {record.id}")


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


def _is_plan(plan: JsonObject) -> bool:
    try:
        return read_plan(plan) == plan
    except ApiError:
        return False


def _refers(table: Mapping[int, object], number: int) -> bool:
    return number == 0 or number in table
