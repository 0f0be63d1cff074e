"""Everything is there again after a restart, or the start is refused."""

# ruff: file-ignore[ASYNC240]: the small file is what these tests are about.

import asyncio
from collections.abc import Callable
import json
import os
from pathlib import Path
import shutil
import sqlite3
import stat
import threading
from types import ModuleType
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import (
    LocalCloud,
    database,
    datapoint_queries,
    schema,
)
from custom_components.espcloud.local_cloud.account_tokens import Purpose
from custom_components.espcloud.local_cloud.database import Database
from custom_components.espcloud.local_cloud.database_file import DatabaseFile
from custom_components.espcloud.local_cloud.errors import StateFileError
from custom_components.espcloud.local_cloud.retention import Retention
from custom_components.espcloud.local_cloud.roms import Model
from custom_components.espcloud.local_cloud.rows import TABLES, columns
from custom_components.espcloud.local_cloud.store import Store
from custom_components.espcloud.local_cloud.trigger_rules import read_rule
from fuzz.snapshot import take

from .helpers import DeviceSocket

VERSION = "v1.0.1t27388(o)"
FILES = {"user1.bin": b"first" * 9000, "user2.bin": b"second" * 9000}
RULE = read_rule({"name": "hot", "compare_type": 3, "threshold_value": 30.5})
LATER_TABLES = ["account_tokens", "triggers", "debugs"]
"""Those that the first version of the schema did not have."""
PLAN = {"type": "LOOP_PERIOD", "period": "minute", "time": 1, "action": "on_switch"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the state is kept."""
    return tmp_path / "state.db"


async def started(path: Path, **options: Any) -> LocalCloud:
    """Start a cloud with this file."""
    cloud = LocalCloud(state_file=path, **options)
    await cloud.start()
    return cloud


async def full_cloud(path: Path, password_hash: str) -> LocalCloud:
    """Run a cloud that has something of everything."""
    cloud = await started(path)
    store = cloud.store
    user = store.add_user("a@example.org", "a", password_hash)
    friend = store.add_user("b@example.org", "b", password_hash)
    store.keyring.add_user_key(user)
    product = store.add_product(user, "lamps", 27388, 1)
    device = store.add_device("灯", 27388, serial="1", product=product)
    store.keyring.set_owner(device, user)
    store.keyring.share_with(device, friend, "shared")
    cloud.add_device("unowned")
    store.add_template(product, "light", 2, unit="lm")
    store.add_firmware(user, Model.of(product), VERSION, FILES)
    store.keyring.add_token(device, "t" * 40, "owner shared", is_owner_key=1)
    store.add_group(user, "room", '{"type":0}').device_ids.append(device.id)
    store.add_timer(device, PLAN)
    for number in range(3):
        store.streams.add(device, "light", {"x": number, "z": {"red": 1.5}}, 1000)
    store.triggers.add(device, user.id, RULE)
    store.debugs.add(device, {"type": "wifi", "errno": 1, "message": "m"})
    store.account_tokens.add(Purpose.INVITATION, 600, note="for Ann")
    store.account_tokens.add(Purpose.RESET, 600, user_id=user.id)
    await cloud.flush()
    return cloud


async def history(cloud: LocalCloud, name: str = "light") -> list[Any]:
    """Return all datapoints of the first device, the latest first."""
    stream = cloud.store.streams.find(cloud.store.devices[1], name)
    assert stream is not None
    return await cloud._database.history(
        stream.id, start=0, end=10**10, offset=0, count=10**6
    )


async def test_everything_is_kept(path: Path, password_hash: str) -> None:
    """Accounts, keys, tokens, devices, groups, timers, datapoints; and the indexes work."""
    cloud = await full_cloud(path, password_hash)
    points = await history(cloud)
    store = cloud.store
    gone = "v1.0.0t27388(o)"
    model = Model.of(store.products[1])
    store.add_firmware(store.users[1], model, gone, FILES)
    await cloud.flush()
    store.remove_firmware(model, gone)
    await cloud.close()
    again = await started(path)
    assert take(again.store) == take(cloud.store)
    assert again.store.streams.streams == cloud.store.streams.streams
    assert await history(again) == points
    assert [point.values["x"] for point in points] == [2, 1, 0]
    device = again.store.devices[1]
    user = again.store.user_by_email("A@example.org")
    assert user is not None
    assert again.master_key(device) == cloud.master_key(device)
    assert again.owner_key(device) == cloud.owner_key(device)
    assert [key.device_id for key in again.store.keyring.held_by(user)] == [1]
    assert list(again.store.groups_of(user)) == [1]
    assert list(again.store.timers_of(device)) == [1]
    latest = again.store.streams.latest(device, "light")
    assert latest is not None
    assert latest.values == {"x": 2, "z": {"red": 1.5}}
    assert device.latest_rom_version == VERSION
    file = again.store.roms.find(Model.of(device), VERSION, "user2.bin")
    assert await again.store.roms.read(file) == FILES["user2.bin"]
    # An id is never given twice, not even that of something deleted.
    again.store.remove_timer(again.store.timers[1])
    await again.close()
    third = await started(path)
    assert third.store.add_timer(device, PLAN).id == 2
    assert third.store.streams.add(device, "light", {"x": 3}, 0).id == 4
    await third.close()


def test_a_column_for_each_field() -> None:
    """In the order of the fields, which is that of a row."""
    database = sqlite3.connect(":memory:")
    schema.create(database)
    for table in TABLES:
        info = database.execute(f'PRAGMA table_info("{table}")').fetchall()
        assert tuple(row[1] for row in info) == columns(table)
    database.close()


async def test_activity_is_kept(path: Path) -> None:
    """What changes all the time is saved at the end."""
    cloud = await started(path)
    device = cloud.add_device("lamp")
    async with DeviceSocket(cloud) as lamp:
        await lamp.identify(device)
    await cloud.close()
    again = await started(path)
    assert again.store.devices[1].last_active == device.last_active > 0
    await again.close()


async def test_activity_is_saved_now_and_then(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ping is not worth a write, but many of them are in time."""
    monkeypatch.setattr(
        "custom_components.espcloud.local_cloud.database.FLUSH_INTERVAL", 0.05
    )
    cloud = await started(path)
    device = cloud.add_device("lamp")
    await cloud.flush()
    async with DeviceSocket(cloud) as lamp:
        await lamp.identify(device)

        def kept() -> int:
            with sqlite3.connect(path) as reader:
                row = reader.execute("SELECT last_active FROM devices").fetchone()
            reader.close()
            return int(row[0])

        async with asyncio.timeout(10):
            while kept() != device.last_active:  # noqa: ASYNC110 - another process's view
                await asyncio.sleep(0.02)
    await cloud.close()


async def test_names_that_have_no_utf8_form(path: Path) -> None:
    """A lone surrogate is replaced, as on the wire."""
    cloud = await started(path)
    cloud.add_device("lamp \ud83d")
    await cloud.close()
    again = await started(path)
    assert again.store.devices[1].name == "lamp ?"
    await again.close()


# The file


async def test_the_file_is_private_and_alone(path: Path) -> None:
    """It holds keys, and so do the files beside it; when it is closed there are none."""
    cloud = await started(path)
    cloud.add_device("lamp")
    await cloud.flush()
    files = list(path.parent.iterdir())
    assert len(files) > 1
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    await cloud.close()
    assert list(path.parent.iterdir()) == [path]
    path.chmod(0o644)
    again = await started(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await again.close()


async def test_a_link_stays_a_link(path: Path) -> None:
    """What it points to is used, and nobody else may use that."""
    link = path.with_name("link.db")
    link.symlink_to(path)
    cloud = await started(link)
    with pytest.raises(StateFileError, match="in use"):
        await started(path)
    cloud.add_device("lamp")
    await cloud.close()
    assert link.is_symlink()
    again = await started(path)
    assert again.store.devices[1].name == "lamp"
    await again.close()


async def test_a_second_server_is_refused(path: Path) -> None:
    """With the number of the first one's process; when that has ended, it may."""
    cloud = await started(path)
    with pytest.raises(
        StateFileError, match=rf"state\.db is in use by process {os.getpid()}: end"
    ):
        await started(path)
    device = cloud.add_device("lamp")
    await cloud.close()
    again = await started(path)
    assert again.master_key(again.store.devices[1]) == cloud.master_key(device)
    await again.close()


async def test_the_event_loop_goes_on_meanwhile(
    path: Path, password_hash: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening the file, filling the store and reading older points are work for other threads."""
    await (await full_cloud(path, password_hash)).close()
    threads: dict[str, int] = {}

    def watch(module: ModuleType, name: str) -> None:
        original = getattr(module, name)

        def watched(*arguments: Any) -> Any:
            threads[name] = threading.get_ident()
            return original(*arguments)

        monkeypatch.setattr(module, name, watched)

    watch(database, "restore")
    watch(datapoint_queries, "point_from")
    open_file = DatabaseFile.open

    def opened(where: Path, *, is_held: bool) -> DatabaseFile:
        threads["open"] = threading.get_ident()
        return open_file(where, is_held=is_held)

    monkeypatch.setattr(DatabaseFile, "open", opened)
    cloud = await started(path)
    assert await history(cloud)
    await cloud.close()
    assert set(threads) == {"open", "restore", "point_from"}
    assert threading.get_ident() not in threads.values()


@pytest.mark.parametrize(
    "text", [b"", b"{", b"\x00" * 200, b'{"format": "local_cloud 1"}', b"SQLite format 3\x00"]
)  # fmt: skip
async def test_a_file_that_is_none(path: Path, text: bytes) -> None:
    """The start is refused, no port is open, and the file stays as it is."""
    path.write_bytes(text)
    cloud = LocalCloud(state_file=path)
    with pytest.raises(
        StateFileError, match=r"state\.db is damaged \(.+\); it was left as it is"
    ):
        await cloud.start()
    assert cloud.http_url == ""
    cloud.add_device("lamp")
    await cloud.close()
    assert path.read_bytes() == text
    assert list(path.parent.iterdir()) == [path]


async def test_the_database_of_something_else(path: Path) -> None:
    """It is not touched."""
    database = sqlite3.connect(path)
    database.executescript("CREATE TABLE users (id INTEGER PRIMARY KEY);")
    database.close()
    text = path.read_bytes()
    with pytest.raises(StateFileError, match="it is the database of something else"):
        await started(path)
    assert path.read_bytes() == text


@pytest.mark.parametrize("place", ["missing/state.db", ""])
async def test_a_place_where_no_file_can_be(tmp_path: Path, place: str) -> None:
    """Said at the start, not at the first change."""
    with pytest.raises(StateFileError, match="cannot use the state file"):
        await started(tmp_path / place)
    assert not [path for path in tmp_path.parent.iterdir() if path.suffix == ".lock"]


async def test_a_newer_version(path: Path) -> None:
    """Of which nobody knows yet what it means."""
    await (await started(path)).close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 7")
    database.close()
    text = path.read_bytes()
    with pytest.raises(
        StateFileError, match=r"newer version .+ \(its tables have version 7, this one"
    ):
        await started(path)
    assert path.read_bytes() == text


async def test_an_older_version(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tables become those of today, all of them or none."""
    cloud = await started(path)
    cloud.add_device("lamp")
    await cloud.close()
    older = sqlite3.connect(path)
    older.executescript(
        "ALTER TABLE devices RENAME COLUMN name TO title; PRAGMA user_version = 1;"
    )
    older.close()
    monkeypatch.setattr(schema, "VERSION", 3)
    steps = {
        1: "ALTER TABLE devices RENAME COLUMN title TO name;",
        2: "UPDATE devices SET nothing = name;",
    }
    monkeypatch.setattr(schema, "MIGRATIONS", steps)
    with pytest.raises(StateFileError, match="cannot use the state file"):
        await started(path)
    steps[2] = "UPDATE devices SET name = 'the ' || name;"
    again = await started(path)
    assert again.store.devices[1].name == "the lamp"
    await again.close()
    # It is done once.
    third = await started(path)
    assert third.store.devices[1].name == "the lamp"
    await third.close()


async def test_the_first_version(path: Path, password_hash: str) -> None:
    """Its tables lack those that came later, and are otherwise those of today."""
    cloud = await full_cloud(path, password_hash)
    await cloud.close()
    before = take(cloud.store)
    older = sqlite3.connect(path)
    for table in LATER_TABLES:
        older.execute(f"DROP TABLE {table}")
        older.execute("DELETE FROM last_ids WHERE name = ?", (table,))
    older.execute("PRAGMA user_version = 1")
    older.commit()
    older.close()
    again = await started(path)
    assert take(again.store) == before | {table: [] for table in LATER_TABLES}
    again.operator.invite()
    await again.close()
    third = await started(path)
    assert take(third.store) == take(again.store)
    await third.close()


def changed(table: str, column: str, value: Any, row: int = 1) -> str:
    """Return what changes a value."""
    text = json.dumps(value) if isinstance(value, dict | list) else value
    written = f"'{text}'" if isinstance(text, str) else str(text)
    return f'UPDATE "{table}" SET "{column}" = {written} WHERE id = {row}'


@pytest.mark.parametrize(
    "damage",
    [
        changed("users", "created", 10**15), changed("users", "created", -(10**15)),
        changed("users", "password_hash", "x"), changed("users", "password_hash", "scrypt$99$8$1$00$00"),
        changed("users", "password_hash", "scrypt$14$8$1$zz$" + "00" * 32),
        changed("users", "email", "b@example.org"), changed("users", "username", "B"),
        changed("products", "user_id", 9), changed("devices", "product_id", 9),
        changed("keys", "scope", 2), changed("keys", "user_id", 9),
        changed("keys", "device_id", 9, 2), changed("keys", "is_owner_key", 1, 4),
        changed("keys", "is_master_key", 1, 3), changed("keys", "authorized_user_id", 9, 3),
        changed("tokens", "device_id", 9), changed("groups", "user_id", 9),
        changed("groups", "device_ids", ["1"]), changed("groups", "device_ids", "1"),
        changed("groups", "device_ids", "["), changed("timers", "device_id", 9),
        changed("timers", "plan", {}), changed("timers", "plan", []), changed("timers", "plan", "{"),
        changed("timers", "plan", {**PLAN, "more": 1}), changed("datastreams", "device_id", 9),
        changed("datastreams", "latest", [1, 1, 1, 1, {"q": 1}]), changed("datastreams", "latest", {}),
        changed("datastreams", "latest", [1, 10**15, 1, 1, {}]), changed("datastreams", "latest", [1]),
        changed("account_tokens", "purpose", "x"), changed("account_tokens", "user_id", 9),
        changed("debugs", "device_id", 9), changed("debugs", "entry", {"type": "wifi"}),
        changed("triggers", "device_id", 9), changed("triggers", "rule", {**RULE, "compare_type": 9}),
        changed("templates", "product_id", 9), changed("rom_files", "user_id", 9),
        changed("rom_files", "product_id", 9), changed("rom_files", "size", 9),
        changed("rom_files", "name", "user2.bin"), changed("rom_files", "name", "x.bin"),
        changed("rom_files", "version", "1"), "DELETE FROM rom_contents WHERE id = 2",
        "UPDATE datapoints SET datastream_id = 9", "DROP TABLE keys", "DROP TABLE last_ids",
        "ALTER TABLE users DROP COLUMN email", "PRAGMA user_version = 0",
        "INSERT INTO datastreams SELECT 2, created, updated, visibly, device_id, name, latest FROM datastreams",
    ],
)  # fmt: skip
async def test_damaged_rows(path: Path, password_hash: str, damage: str) -> None:
    """Whatever no cloud has written is refused, wherever it stands."""
    cloud = await full_cloud(path, password_hash)
    await cloud.close()
    database = sqlite3.connect(path)
    database.execute(damage)
    database.commit()
    database.close()
    text = path.read_bytes()
    with pytest.raises(StateFileError, match=r"is damaged|cannot use"):
        await started(path)
    assert path.read_bytes() == text


async def test_a_hole_in_the_file(path: Path, password_hash: str) -> None:
    """It is found before anything is served."""
    cloud = await full_cloud(path, password_hash)
    await cloud.close()
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096)
    text = path.read_bytes()
    with pytest.raises(StateFileError, match="is damaged"):
        await started(path)
    assert path.read_bytes() == text


async def test_a_copy_is_whole_while_it_is_used(
    path: Path, tmp_path: Path, password_hash: str
) -> None:
    """With its log, as a backup of the folder takes it."""
    cloud = await full_cloud(path, password_hash)
    copy = tmp_path / "copy" / path.name
    copy.parent.mkdir()
    for name in (path.name, f"{path.name}-wal"):
        shutil.copy(path.with_name(name), copy.with_name(name))
    again = await started(copy)
    assert take(again.store) == take(cloud.store)
    await again.close()
    await cloud.close()


# What is kept of datapoints


async def test_so_many_datapoints_are_kept(path: Path) -> None:
    """The latest by the time of their measuring; the others are gone from the file as well."""
    cloud = await started(path, retention=Retention(points=50))
    device = cloud.add_device("sensor")
    for number in range(300):
        cloud.store.streams.add(device, "s", {"x": number}, 1000 + number)
        if number % 7 == 0:
            await cloud.flush()
    cloud.store.streams.add(device, "other", {"x": 0}, 1000)
    await cloud.flush()
    kept = [point.values["x"] for point in await history(cloud, "s")]
    assert kept == list(range(299, 299 - len(kept), -1))
    assert 50 <= len(kept) <= 51
    assert len(await history(cloud, "other")) == 1
    stream = cloud.store.streams.find(device, "s")
    assert stream is not None
    assert stream.points == len(kept)
    await cloud.close()
    again = await started(path)
    assert again.store.streams.streams[stream.id].points == len(kept)
    await again.close()


async def test_old_datapoints_go(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each hour those are deleted that were measured too long ago."""
    monkeypatch.setattr(
        "custom_components.espcloud.local_cloud.database.EXPIRE_INTERVAL", 0.02
    )
    monkeypatch.setattr(
        "custom_components.espcloud.local_cloud.database._EXPIRED_AT_ONCE", 30
    )
    day = 86400
    cloud = await started(path, retention=Retention(days=10))
    cloud.store.context.clock = lambda: 100.5 * day
    device = cloud.add_device("sensor")
    for number in range(100):
        cloud.store.streams.add(device, "s", {"x": number}, number * day)
    stream = cloud.store.streams.find(device, "s")
    assert stream is not None
    async with asyncio.timeout(10):
        while stream.points > 9:  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.01)
    kept = [point.values["x"] for point in await history(cloud, "s")]
    assert kept == [99, 98, 97, 96, 95, 94, 93, 92, 91]
    await cloud.close()
    again = await started(path)
    assert again.store.streams.streams[stream.id].points == 9
    await again.close()


async def test_without_a_file_it_is_in_memory() -> None:
    """History works, and nothing is left."""
    cloud = LocalCloud()
    await cloud.start()
    device = cloud.add_device("sensor")
    cloud.store.streams.add(device, "light", {"x": 1}, 5)
    await cloud.flush()
    assert [point.values for point in await history(cloud)] == [{"x": 1}]
    assert await cloud._database.size() > 0
    await cloud.close()


async def test_what_was_there_before_the_file(path: Path) -> None:
    """A store that has something when its database is new is kept, too."""
    store = Store()
    device = store.add_device("lamp", 1)
    store.streams.add(device, "s", {"x": 1}, 5)
    database = Database(path, store, keep_days=400)
    await database.open()
    await database.close()
    again = await started(path)
    assert again.store.devices[1].name == "lamp"
    await again.close()


def test_nothing_is_forgotten_in_the_table_of_types() -> None:
    """Every table of records can be looked up, entered and taken out."""
    store = Store()
    looked_up: Callable[[type], Any] = store.table
    for kind in TABLES.values():
        assert not looked_up(kind)
