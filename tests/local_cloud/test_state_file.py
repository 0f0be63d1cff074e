"""Everything is there again after a restart, or the start is refused."""

# ruff: file-ignore[ASYNC240]: the small file is what these tests are about.

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
import json
import logging
from pathlib import Path
import resource
import signal
import stat
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud, state_file
from custom_components.espcloud.local_cloud.errors import StateFileError
from custom_components.espcloud.local_cloud.wire import MAX_CONTAINERS

from .helpers import DeviceSocket, until

PLAN = {"type": "LOOP_PERIOD", "period": "minute", "time": 1, "action": "on_switch"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the state is kept."""
    return tmp_path / "state.json"


async def _started(path: Path) -> LocalCloud:
    cloud = LocalCloud(state_file=path)
    await cloud.start()
    return cloud


async def _full_cloud(path: Path, password_hash: str) -> LocalCloud:
    """Run a cloud that has something of everything."""
    cloud = await _started(path)
    store = cloud.store
    user = store.add_user("a@example.org", "a", password_hash)
    friend = store.add_user("b@example.org", "b", password_hash)
    store.keyring.add_user_key(user)
    product = store.add_product(user, "lamps", 27388, 1)
    device = store.add_device("灯", 27388, serial="1", product=product)
    store.keyring.set_owner(device, user)
    store.keyring.share_with(device, friend, "shared")
    cloud.add_device("unowned")
    store.keyring.add_token(device, "t" * 40, "owner shared", is_owner_key=1)
    store.add_group(user, "room", '{"type":0}').device_ids.append(device.id)
    store.add_timer(device, PLAN)
    for number in range(3):
        store.streams.add(device, "light", {"x": number, "z": {"red": 1.5}}, 1000)
    return cloud


def _everything(cloud: LocalCloud) -> list[Any]:
    store = cloud.store
    return [
        store.users, store.products, store.devices, store.keyring.keys, store.keyring.tokens,
        store.groups, store.timers, store.streams.streams, store.streams.points,
    ]  # fmt: skip


async def test_everything_is_kept(path: Path, password_hash: str) -> None:
    """Accounts, keys, tokens, devices, groups, timers, datapoints; and the indexes work."""
    cloud = await _full_cloud(path, password_hash)
    await cloud.close()
    again = await _started(path)
    assert _everything(again) == _everything(cloud)
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
    # An id is never given twice, not even that of something deleted.
    again.store.remove_timer(again.store.timers[1])
    await again.close()
    third = await _started(path)
    assert third.store.add_timer(device, PLAN).id == 2
    await third.close()


async def test_activity_is_kept(path: Path) -> None:
    """What changes all the time is saved at the end."""
    cloud = await _started(path)
    device = cloud.add_device("lamp")
    async with DeviceSocket(cloud) as lamp:
        await lamp.identify(device)
    await cloud.close()
    again = await _started(path)
    assert again.store.devices[1].last_active == device.last_active > 0
    await again.close()


async def test_a_change_is_saved_soon(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only at the end; several changes go together."""
    monkeypatch.setattr(state_file, "SAVE_DELAY", 0.05)
    cloud = await _started(path)
    before = path.stat().st_ino
    for number in range(100):
        cloud.add_device(f"lamp {number}")
    assert path.stat().st_ino == before
    await until(lambda: path.stat().st_ino != before)
    assert len(json.loads(path.read_bytes())["devices"]) == 100
    cloud.rename(cloud.store.devices[1], "another name")
    await until(lambda: "another name" in path.read_text())
    await cloud.close()


async def test_a_change_during_saving_is_saved_too(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next saving has it."""
    monkeypatch.setattr(state_file, "SAVE_DELAY", 0.01)
    cloud = await _started(path)
    keeper = cloud._state_file
    assert keeper is not None
    cloud.add_device("one")
    await until(lambda: keeper._saving is not None)
    cloud.add_device("two")
    await until(lambda: '"two"' in path.read_text())
    cloud.add_device("three")
    await until(lambda: keeper._saving is not None)
    await cloud.close()
    assert '"three"' in path.read_text()


async def test_the_file_is_private_and_alone(path: Path) -> None:
    """It holds keys; and no half-written file stays beside it."""
    cloud = await _started(path)
    await cloud.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


async def test_a_link_stays_a_link(path: Path) -> None:
    """What it points to is replaced."""
    link = path.with_name("link.json")
    link.symlink_to(path)
    cloud = await _started(link)
    cloud.add_device("lamp")
    await cloud.close()
    assert link.is_symlink()
    assert '"lamp"' in path.read_text()


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"\x00" * 100, b"{}", b'{"format": "something else"}',
     b'{"format": "local_cloud 1"}', b'{"format": "local_cloud 1", "users": 1}'],
)  # fmt: skip
async def test_a_file_that_is_none(path: Path, text: bytes) -> None:
    """The start is refused, no port is open, and the file stays as it is."""
    path.write_bytes(text)
    cloud = LocalCloud(state_file=path)
    with pytest.raises(
        StateFileError, match=r"state\.json is damaged \(.+\); it was left as it is"
    ):
        await cloud.start()
    assert cloud.http_url == ""
    cloud.add_device("lamp")
    await cloud.close()
    assert path.read_bytes() == text
    assert list(path.parent.iterdir()) == [path]


def _change(table: str, column: str, value: Any, row: int = 0) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        document[table][row][column] = value

    return change


def _drop(table: str, column: str) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        del document[table][0][column]

    return change


def _double(table: str) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        document[table].append(dict(document[table][0]))

    return change


@pytest.mark.parametrize(
    "damage",
    [
        _change("users", "id", "1"), _change("users", "id", True), _change("users", "email", 5),
        _change("users", "created", 10**15), _change("users", "created", -(10**15)),
        _change("users", "password_hash", "x"), _change("users", "password_hash", "scrypt$99$8$1$00$00"),
        _change("users", "password_hash", "scrypt$14$8$1$zz$" + "00" * 32),
        _change("users", "email", "b@example.org"), _change("users", "username", "B"),
        _change("users", "more", 1), _drop("users", "email"), _double("users"),
        _change("products", "user_id", 9), _change("devices", "product_id", 9), _double("devices"),
        _change("devices", "last_active", None), _change("devices", "name", None),
        _change("keys", "scope", 2), _change("keys", "user_id", 9), _change("keys", "device_id", 9, 1),
        _change("keys", "is_owner_key", 1, 3), _change("keys", "is_master_key", 1, 2),
        _change("keys", "authorized_user_id", 9, 2), _double("keys"),
        _change("tokens", "device_id", 9), _change("groups", "user_id", 9),
        _change("groups", "device_ids", ["1"]), _change("groups", "device_ids", 1),
        _change("timers", "device_id", 9), _change("timers", "plan", {}), _change("timers", "plan", []),
        _change("timers", "plan", {**PLAN, "more": 1}), _change("datastreams", "device_id", 9),
        _change("datapoints", "datastream_id", 9), _change("datapoints", "values", {"q": 1}),
        _change("last_ids", "id", "1"), _change("last_ids", "table", 1),
        lambda document: document.pop("keys"), lambda document: document.pop("last_ids"),
        lambda document: document["users"].append(1),
    ],
)  # fmt: skip
async def test_a_damaged_file(
    path: Path, password_hash: str, damage: Callable[[Any], None]
) -> None:
    """Whatever no cloud has written is refused, wherever it stands."""
    cloud = await _full_cloud(path, password_hash)
    await cloud.close()
    document = json.loads(path.read_bytes())
    damage(document)
    text = json.dumps(document)
    path.write_text(text)
    again = LocalCloud(state_file=path)
    with pytest.raises(StateFileError, match="is damaged"):
        await again.start()
    await again.close()
    assert path.read_text() == text


@pytest.mark.parametrize("place", ["missing/state.json", ""])
async def test_a_place_where_no_file_can_be(tmp_path: Path, place: str) -> None:
    """Said at the start, not at the first change."""
    cloud = LocalCloud(state_file=tmp_path / place)
    with pytest.raises(StateFileError, match="cannot use the state file"):
        await cloud.start()
    await cloud.close()


async def test_a_disk_that_fails(
    path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """Logged once; the cloud lives on, and saves when the disk is back."""
    monkeypatch.setattr(state_file, "SAVE_DELAY", 0.01)
    monkeypatch.setattr(state_file, "RETRY_DELAY", 0.02)
    caplog.set_level(logging.INFO)
    home = path.parent / "disk"
    home.mkdir()
    path = home / "state.json"
    kept = await _started(path)
    keeper = kept._state_file
    assert keeper is not None
    away = home.rename(home.with_name("away"))
    kept.add_device("one")
    await until(lambda: keeper._failing)
    kept.add_device("two")
    await asyncio.sleep(0.1)
    assert caplog.text.count("Cannot save the state") == 1
    async with DeviceSocket(kept) as lamp:
        await lamp.identify(kept.store.devices[2])
    away.rename(home)
    await until(lambda: '"two"' in path.read_text())
    await until(lambda: "The state is saved again" in caplog.text)
    home.rename(away)
    kept.add_device("three")
    await until(lambda: keeper._failing)
    await kept.close()
    assert caplog.text.count("Cannot save the state") == 2
    assert '"three"' not in (away / "state.json").read_text()


async def test_a_full_disk(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A write that fails half-way leaves the old file whole, and nothing beside it."""
    cloud = await _started(path)
    cloud.add_device("one")
    await cloud.close()
    text = path.read_text()
    again = await _started(path)
    again.add_device("two")
    with _full_disk():
        await again.close()
    assert "Cannot save the state" in caplog.text
    assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]


@contextmanager
def _full_disk() -> Generator[None]:
    """Let no file grow beyond 1 kB, which fails as a full disk does."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, handler)


async def test_a_large_state(tmp_path: Path) -> None:
    """What is too much in a request is not in a file."""
    cloud = LocalCloud(state_file=tmp_path / "state.json")
    await cloud.start()
    for number in range(MAX_CONTAINERS // 2):
        cloud.add_device(f"lamp {number}")
    await cloud.close()
    again = LocalCloud(state_file=tmp_path / "state.json")
    await again.start()
    assert len(again.store.devices) == MAX_CONTAINERS // 2
    await again.close()
