"""Any state file of local_cloud: it is refused, or what it holds can be used and saved again."""

from contextlib import suppress
import json
from typing import Any

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.errors import ApiError
from custom_components.espcloud.local_cloud.models import KeyKind
from custom_components.espcloud.local_cloud.request import make_request
from custom_components.espcloud.local_cloud.snapshot import DamagedError, restore, take
from custom_components.espcloud.local_cloud.state_file import _document, _lines
from custom_components.espcloud.local_cloud.store import Store
from custom_components.espcloud.local_cloud.wire import JsonObject, encode

from .populated_cloud import PopulatedCloud

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
        ("/v1/datastreams/s/datapoints/", {}),
    ),
}


def target(data: bytes) -> None:
    """Load a file; where that works, read everything there is and save it.

    What does not begin as JSON does is a list of changes to a good file: one a line, as `table row
    column value`.
    """
    cloud = LocalCloud()
    file = data if data.startswith(b"{") else _changed(data)
    try:
        restore(cloud.store, _document(file))
    except DamagedError:
        assert data, "the good file is refused"
        return
    saved = _saved(cloud.store)
    again = Store()
    restore(again, _document(saved))
    assert take(again) == take(cloud.store)
    for key in list(cloud.store.keyring.keys.values()):
        kind = KeyKind.USER if key.kind is KeyKind.USER else None
        for path, query in _READING[kind]:
            _read(cloud, path, dict(query), key.token)
    assert _saved(cloud.store).count(b"\n") >= saved.count(b"\n")


def _changed(changes: bytes) -> bytes:
    document: JsonObject = json.loads(_saved(PopulatedCloud().cloud.store))
    for line in changes.split(b"\n"):
        match line.split(b" ", 3):
            case [table, row, column, value]:
                # A change that cannot be made is none.
                with suppress(ValueError, LookupError, TypeError, RecursionError):
                    record = document[table.decode()][int(row)]
                    if not column:
                        document[table.decode()].append(json.loads(value))
                    elif column.decode() in record:
                        record[column.decode()] = json.loads(value)
    return json.dumps(document).encode()


def _saved(store: Store) -> bytes:
    text = "".join(_lines(take(store)))
    assert json.loads(text)
    return text.encode("ascii")


def _read(cloud: LocalCloud, path: str, query: dict[str, str], key: str) -> None:
    request = make_request(
        "GET", path, query, {}, authorization=f"token {key}", time_zone=None, peer=""
    )
    try:
        answer: Any = cloud._router.handle(request)
    except ApiError:
        return
    assert encode(answer)
