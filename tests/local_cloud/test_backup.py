"""The state file holds still while it is copied, and a copy of it alone is whole."""

# ruff: file-ignore[ASYNC240]: the small file is what these tests are about.

import asyncio
from collections.abc import AsyncGenerator
from contextlib import closing
import logging
from pathlib import Path
import shutil
import sqlite3
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud, file_copying
from custom_components.espcloud.local_cloud.errors import StateFileError
from custom_components.espcloud.local_cloud.models import Device, User
from custom_components.espcloud.local_cloud.roms import Model

from .helpers import until
from .test_commits import Gate, kept

ROMS = Model(0, 45772)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the state is kept."""
    return tmp_path / "state.db"


@pytest.fixture
async def cloud(path: Path) -> AsyncGenerator[LocalCloud]:
    """Run a cloud that keeps its state in a file."""
    cloud = await started(path)
    yield cloud
    await cloud.close()


@pytest.fixture
def device(cloud: LocalCloud, user: User) -> Device:
    """Make a device of the account."""
    return cloud.add_device("Desk lamp", user)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Hold writes back."""
    return Gate(monkeypatch)


async def started(path: Path) -> LocalCloud:
    """Start a cloud with this file."""
    cloud = LocalCloud(state_file=path)
    await cloud.start()
    return cloud


def log_of(path: Path) -> Path:
    """Return the log of changes beside the file."""
    return path.with_name(f"{path.name}-wal")


def copied(path: Path, folder: str, *logs: Path) -> Path:
    """Return a copy of the file, with the log of some file beside it, as a power cut would leave it."""
    copy = path.parent / folder / path.name
    copy.parent.mkdir()
    shutil.copy(path, copy)
    for log in logs:
        shutil.copy(log, log_of(copy))
    return copy


def whole(path: Path) -> bool:
    """Say what SQLite says of a file."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def write_a_lot(cloud: LocalCloud, device: Device, number: int) -> None:
    """Change pages all over the file, and enough of them for a checkpoint."""
    user = cloud.store.users[1]
    files = {"user1.bin": b"%d" % number * 900_000, "user2.bin": bytes(900_000)}
    version = f"v1.0.{number}t45772(a)"
    for _ in range(3):
        cloud.store.add_firmware(user, ROMS, version, files)
        await cloud.flush()
        cloud.store.remove_firmware(ROMS, version)
        await post(cloud, device, number)


async def post(cloud: LocalCloud, device: Device, value: int) -> None:
    """Store a datapoint; return when that is acknowledged."""
    body = {"datapoint": {"x": value}}
    path = "/v1/datastreams/light/datapoint/"
    answer = await cloud.call("POST", path, cloud.owner_key(device), body=body)
    assert answer["status"] == 200


async def points(cloud: LocalCloud) -> list[int]:
    """Return the stored values of the lamp, the latest first."""
    path = "/v1/datastreams/light/datapoints/"
    (device,) = cloud.store.devices.values()
    query = {"offset": "0", "row_count": "1000"}
    answer = await cloud.call("GET", path, cloud.owner_key(device), query)
    return [point["x"] for point in answer["datapoints"]]


async def test_a_slow_copy(cloud: LocalCloud, path: Path, device: Device) -> None:
    """While writes go on it is whole by itself, with all that was acknowledged before."""
    await post(cloud, device, 1)
    await write_a_lot(cloud, device, 2)
    await cloud.prepare_backup()
    before, points_before = kept(cloud), await points(cloud)
    held = path.read_bytes()
    copy = path.with_name("copy.db")
    number = 3
    with path.open("rb") as source, copy.open("wb") as target:
        while chunk := source.read(len(held) // 3):
            target.write(chunk)
            await write_a_lot(cloud, device, number)
            number += 1
    assert path.read_bytes() == copy.read_bytes() == held
    await cloud.finish_backup()
    assert whole(copy)
    again = await started(copy)
    assert kept(again) == before
    assert await points(again) == points_before
    await again.close()
    # The one that was copied has all of it.
    after, points_after = kept(cloud), await points(cloud)
    assert len(points_after) > len(points_before)
    await cloud.close()
    assert not log_of(path).exists()
    again = await started(path)
    assert kept(again) == after
    assert await points(again) == points_after
    await again.close()


async def test_what_is_pending(
    cloud: LocalCloud, path: Path, device: Device, gate: Gate
) -> None:
    """It is in the copy, though nobody was told yet that it is done."""
    await cloud.flush()
    with gate.closed():
        cloud.rename(device, "first")
        await until(lambda: cloud._database._writing is not None)
        cloud.rename(device, "second")
        preparing = asyncio.ensure_future(cloud.prepare_backup())
        await asyncio.sleep(0)
    await preparing
    again = await started(copied(path, "copy"))
    assert [each.name for each in again.store.devices.values()] == ["second"]
    await again.close()


async def test_when_devices_were_heard(
    cloud: LocalCloud, path: Path, device: Device
) -> None:
    """That is written now and then otherwise."""
    await cloud.flush()
    cloud.store.context.clock = lambda: 2_000_000_000.0
    cloud.store.context.heard(device)
    await cloud.prepare_backup()
    again = await started(copied(path, "copy"))
    assert [each.last_active for each in again.store.devices.values()] == [2_000_000_000]  # fmt: skip
    await again.close()


async def test_afterwards_the_file_changes_again(
    cloud: LocalCloud, path: Path, device: Device
) -> None:
    """The log does not grow for ever; and there may be another backup."""
    for number in (1, 2):
        await cloud.prepare_backup()
        held = path.read_bytes()
        await write_a_lot(cloud, device, number)
        assert path.read_bytes() == held
        await cloud.finish_backup()
        await post(cloud, device, number)
        assert path.read_bytes() != held
        assert log_of(path).stat().st_size <= 16 << 20


async def test_it_is_closed_meanwhile(
    cloud: LocalCloud, path: Path, device: Device
) -> None:
    """That changes nothing of the file; the next start has everything."""
    await cloud.prepare_backup()
    held = path.read_bytes()
    await write_a_lot(cloud, device, 1)
    before = kept(cloud)
    await cloud.close()
    assert path.read_bytes() == held
    await cloud.finish_backup()
    for _ in range(2):
        again = await started(path)
        assert kept(again) == before
        assert await points(again) == [1, 1, 1]
        await again.close()
    assert path.read_bytes() != held


async def test_another_one_starts_meanwhile(
    cloud: LocalCloud, path: Path, device: Device
) -> None:
    """Told of the backup, it leaves the file alone as well; nothing is lost."""
    await cloud.prepare_backup()
    held = path.read_bytes()
    await write_a_lot(cloud, device, 1)
    await cloud.close()
    for number in (2, 3):
        again = LocalCloud(state_file=path)
        await again.bind(backup_is_running=True)
        (there,) = again.store.devices.values()
        await write_a_lot(again, there, number)
        before = kept(again)
        if number == 3:
            await again.finish_backup()
        assert path.read_bytes() == held
        await again.close()
    assert path.read_bytes() != held
    third = await started(path)
    assert kept(third) == before
    assert await points(third) == [3, 3, 3, 2, 2, 2, 1, 1, 1]
    await third.close()


async def test_it_is_killed_meanwhile(
    cloud: LocalCloud, path: Path, device: Device
) -> None:
    """As it is where somebody copies the log as well."""
    await cloud.prepare_backup()
    await write_a_lot(cloud, device, 1)
    again = await started(copied(path, "copy", log_of(path)))
    assert kept(again) == kept(cloud)
    assert await points(again) == [1, 1, 1]
    await again.close()


async def test_a_restored_copy_is_killed(
    cloud: LocalCloud, path: Path, device: Device
) -> None:
    """Its log is its own from the first change on."""
    await cloud.prepare_backup()
    copy = copied(path, "copy")
    again = await started(copy)
    (there,) = again.store.devices.values()
    await post(again, there, 5)
    killed = copied(copy, "killed", log_of(copy))
    third = await started(killed)
    assert await points(third) == [5]
    await third.close()
    await again.close()


@pytest.mark.parametrize("then", ["finished", "the next backup"])
async def test_a_copy_beside_a_newer_log(
    cloud: LocalCloud,
    path: Path,
    device: Device,
    then: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is used as it was, and nothing of the log; which is kept."""
    await write_a_lot(cloud, device, 1)
    await cloud.prepare_backup()
    before, points_before = kept(cloud), await points(cloud)
    copy = copied(path, "copy")
    await cloud.finish_backup()
    await write_a_lot(cloud, device, 2)
    for number in range(60):
        await post(cloud, device, number)
    if then == "the next backup":
        await cloud.prepare_backup()
    await post(cloud, device, 1)
    shutil.copy(log_of(path), log_of(copy))
    newer = log_of(copy).read_bytes()
    again = await started(copy)
    assert "the log of changes beside it is not its own" in caplog.text
    assert kept(again) == before
    assert await points(again) == points_before
    await again.close()
    assert whole(copy)
    assert copy.with_name(f"{copy.name}-wal.other").read_bytes() == newer


async def test_a_backup_that_takes_too_long(
    cloud: LocalCloud,
    path: Path,
    device: Device,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Or that nobody ever finishes: the log does not fill the disk."""
    monkeypatch.setattr(file_copying, "LOG_LIMIT", 4 << 20)
    await cloud.prepare_backup()
    held = path.read_bytes()
    with caplog.at_level(logging.WARNING):
        await post(cloud, device, 1)
        assert not caplog.records
        await write_a_lot(cloud, device, 2)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "takes too long" in caplog.text
    await post(cloud, device, 3)
    assert path.read_bytes() != held


async def test_another_program_reads_it(
    cloud: LocalCloud, path: Path, device: Device
) -> None:
    """Then it cannot be made ready; nothing is lost by that."""
    await post(cloud, device, 1)
    cloud._database._file._writer.execute("PRAGMA busy_timeout = 0")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT COUNT(*) FROM users").fetchone()
        await post(cloud, device, 2)
        with pytest.raises(StateFileError, match="another program is reading the file"):
            await cloud.prepare_backup()
        other.execute("ROLLBACK")
    held = path.read_bytes()
    await write_a_lot(cloud, device, 3)
    assert path.read_bytes() != held
    await cloud.prepare_backup()
    again = await started(copied(path, "copy"))
    assert await points(again) == [3, 3, 3, 2, 1]
    await again.close()


async def test_it_fails_half_way(
    cloud: LocalCloud, path: Path, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the mark in the file: what is written later does not count as the log of another one."""
    await post(cloud, device, 1)
    mark = file_copying.FileCopying._mark

    def full(copying: Any, number: int) -> None:
        if number < 0:
            raise sqlite3.OperationalError("database or disk is full")
        mark(copying, number)

    with monkeypatch.context() as patch:
        patch.setattr(file_copying.FileCopying, "_mark", full)
        with pytest.raises(StateFileError, match="disk is full"):
            await cloud.prepare_backup()
    await post(cloud, device, 2)
    again = await started(copied(path, "copy", log_of(path)))
    assert await points(again) == [2, 1]
    await again.close()


async def test_without_a_file() -> None:
    """There is nothing to copy, before the start not either."""
    cloud = LocalCloud()
    await cloud.prepare_backup()
    await cloud.start()
    await cloud.prepare_backup()
    await cloud.finish_backup()
    await cloud.close()
    await cloud.finish_backup()
