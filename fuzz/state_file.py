"""Any rows in the database of local_cloud: they are refused, or what they hold can be used."""

from contextlib import suppress
import json
from typing import Any

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.errors import ApiError
from custom_components.espcloud.local_cloud.models import KeyKind
from custom_components.espcloud.local_cloud.request import LargeAnswer, make_request
from custom_components.espcloud.local_cloud.rows import (
    TABLES,
    DamagedError,
    columns,
    point_from,
    restore,
)
from custom_components.espcloud.local_cloud.store import Store
from custom_components.espcloud.local_cloud.wire import JsonObject, encode

from .populated_cloud import PopulatedCloud
from .snapshot import take

_READING = {
    KeyKind.USER: (
        ("/v1/user/devices/", {"list_by_group": "true"}),
        ("/v1/user/devices/groups/", {}),
        ("/v1/products/", {}),
    ),
    None: (
        ("/v1/device/", {}),
        ("/v1/device/timers/", {}),
        ("/v1/device/timers/", {"is_humanize_format_simple": "true"}),
        ("/v1/datastreams/s/datapoint/", {}),
    ),
}
_COUNTERS = ("last_ids", "points", "contents")


def target(data: bytes) -> None:
    """Load rows; where that works, read everything there is.

    What begins as JSON does has the rows of each table, as lists. Else it is a list of changes to
    good rows: one a line, as `table row column value`.
    """
    cloud = LocalCloud()
    rows = _read(data) if data.startswith(b"{") else _changed(data)
    for row in rows.pop("datapoints", []):
        _try_point(row)
    try:
        restore(cloud.store, rows)
    except DamagedError:
        assert data, "the good rows are refused"
        return
    saved = take(cloud.store)
    again = Store()
    counters = {name: rows[name] for name in _COUNTERS}
    restore(again, {**saved, **counters})
    assert take(again) == saved
    for key in list(cloud.store.keyring.keys.values()):
        kind = KeyKind.USER if key.kind is KeyKind.USER else None
        for path, query in _READING[kind]:
            _ask(cloud, path, dict(query), key.token)


def _read(text: bytes) -> JsonObject:
    """Return what may stand in a database: tables of rows with as many columns as they have."""
    document: Any = {}
    with suppress(ValueError, RecursionError):
        document = json.loads(text)
    widths = {name: len(columns(name)) for name in TABLES}
    widths |= dict.fromkeys(_COUNTERS, 2) | {"datapoints": 5}
    return {
        name: [
            tuple(row)
            for row in (document.get(name) or [])
            if isinstance(row, list) and len(row) == width and _fit(row)
        ]
        if isinstance(document.get(name), list)
        else []
        for name, width in widths.items()
    }


def _fit(row: list[Any]) -> bool:
    """Say whether SQLite's strict tables take such values at all."""
    return all(
        isinstance(value, str) or (type(value) is int and abs(value) < 1 << 63)
        for value in row
    )


def _changed(changes: bytes) -> JsonObject:
    store = PopulatedCloud().cloud.store
    rows: JsonObject = {name: list(table) for name, table in take(store).items()}
    rows |= {"last_ids": list(store.context.last_ids.items()), "points": []}
    rows["contents"] = [(file.id, file.size) for file in store.roms.files.values()]
    for change in changes.split(b"\n"):
        match change.split(b" ", 3):
            case [table, number, column, value]:
                # A change that cannot be made is none.
                with suppress(ValueError, LookupError, TypeError, RecursionError):
                    _change(rows, table.decode(), int(number), column.decode(), value)
    return rows


def _change(
    rows: JsonObject, table: str, number: int, column: str, text: bytes
) -> None:
    value = json.loads(text)
    if not column:
        rows[table].append(rows[table][number])
        return
    row = list(rows[table][number])
    row[columns(table).index(column)] = (
        value if isinstance(value, str | int) else json.dumps(value)
    )
    if _fit(row):
        rows[table][number] = tuple(row)


def _try_point(row: Any) -> None:
    with suppress(DamagedError):
        assert point_from(row).values is not None


def _ask(cloud: LocalCloud, path: str, query: dict[str, str], key: str) -> None:
    request = make_request(
        "GET", path, query, {}, authorization=f"token {key}", time_zone=None, peer=""
    )
    try:
        answer: Any = cloud._router.handle(request)
    except ApiError:
        return
    assert not isinstance(answer, LargeAnswer)
    assert encode(answer)
