"""What was answered with 200 is committed; what cannot be is answered with 507 and taken back."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
import logging
from pathlib import Path
import sqlite3
import threading
from typing import Any

from aiohttp import ClientSession
import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.database_file import DatabaseFile, Rows
from custom_components.espcloud.local_cloud.models import Device, User
from custom_components.espcloud.local_cloud.roms import Model
from custom_components.espcloud.local_cloud.rows import ACTIVITY, columns
from fuzz.snapshot import take

from .helpers import Api, DeviceSocket

POINT = {"datapoint": {"x": 1}}
PLAN = {"type": "LOOP_PERIOD", "period": "minute", "time": 1, "action": "on_switch"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the state is kept."""
    return tmp_path / "state.db"


@pytest.fixture
async def cloud(path: Path) -> AsyncGenerator[LocalCloud]:
    """Run a cloud that keeps its state in a file."""
    cloud = LocalCloud(state_file=path)
    await cloud.start()
    yield cloud
    await cloud.close()


@pytest.fixture
def device(cloud: LocalCloud, user: User) -> Device:
    """Make a device of the account."""
    return cloud.add_device("Desk lamp", user)


class Gate:
    """Holds the database's writes back while it is closed, and counts them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Stand before every write from now on."""
        self._open = threading.Event()
        self._open.set()
        self.writes: list[Rows] = []
        write = DatabaseFile.write

        def held(file: DatabaseFile, rows: Rows) -> None:
            self._open.wait(10)
            self.writes.append(rows)
            write(file, rows)

        monkeypatch.setattr(DatabaseFile, "write", held)

    @contextmanager
    def closed(self) -> Generator[None]:
        """Let nothing through for a while."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Hold writes back."""
    return Gate(monkeypatch)


def limit(cloud: LocalCloud, pages: int | None) -> None:
    """Let the database have no more pages, as on a disk that is full; None: any number."""
    writer = cloud._database._file._writer
    used = writer.execute("PRAGMA page_count").fetchone()[0]
    most = 2**31 if pages is None else used + pages
    writer.execute(f"PRAGMA max_page_count = {most}")


def rows_in(path: Path, table: str) -> int:
    """Return what is committed, as another process sees it."""
    reader = sqlite3.connect(path)
    (count,) = reader.execute(f'SELECT COUNT(*) FROM "{table}"').fetchone()
    reader.close()
    return int(count)


def kept(cloud: LocalCloud) -> Any:
    """Return everything but when devices were last heard."""
    tables: dict[str, Any] = dict(take(cloud.store))
    activity = [columns("devices").index(name) for name in ACTIVITY]
    tables["devices"] = [
        [value for place, value in enumerate(row) if place not in activity]
        for row in tables["devices"]
    ]
    return tables


async def test_an_answer_waits_for_its_commit(
    api: Api, cloud: LocalCloud, path: Path, master_key: str, gate: Gate
) -> None:
    """Over HTTP and TCP; pings and reads do not wait for it."""
    await cloud.flush()
    path_of_point = "/v1/datastreams/s/datapoint/"
    async with DeviceSocket(cloud) as socket:
        with gate.closed():
            over_http = asyncio.ensure_future(
                api.post(path_of_point, POINT, key=master_key)
            )
            meta = {"Authorization": f"token {master_key}"}
            frame = {
                "path": path_of_point,
                "method": "POST",
                "meta": meta,
                "body": POINT,
            }
            socket.send({**frame, "nonce": 1})
            socket.send({"path": "/v1/ping/", "method": "POST", "nonce": 2})
            assert (await socket.receive())["nonce"] == 2
            await api.ok("GET", path_of_point, key=master_key)
            assert rows_in(path, "datapoints") == 0
            assert not over_http.done()
        assert (await socket.receive())["nonce"] == 1
        assert (await over_http).status == 200
    assert rows_in(path, "datapoints") == 2


async def test_pushes_do_not_wait_for_a_commit(
    api: Api, cloud: LocalCloud, lamp: DeviceSocket, owner_key: str, gate: Gate
) -> None:
    """Nor do the answers of devices."""
    await cloud.flush()
    with gate.closed():
        change = asyncio.ensure_future(
            api.call("PUT", "/v1/device/", {"device": {"name": "n"}}, key=owner_key)
        )
        call = asyncio.ensure_future(
            api.get("/v1/device/rpc/?deliver_to_device=true&action=a", key=owner_key)
        )
        push = await lamp.receive()
        lamp.acknowledge(push)
        assert (await call).status == 200
        assert not change.done()
    assert (await change).status == 200


async def test_what_comes_together_is_committed_together(
    api: Api, cloud: LocalCloud, path: Path, master_key: str, gate: Gate
) -> None:
    """However many wait: one write is under way, and the next has all of them."""
    await cloud.flush()
    gate.writes.clear()
    with gate.closed():
        calls = [
            asyncio.ensure_future(
                api.post(
                    f"/v1/datastreams/s{number % 5}/datapoint/", POINT, key=master_key
                )
            )
            for number in range(200)
        ]
        async with asyncio.timeout(20):
            while cloud.store.context.last_ids.get("datapoints", 0) < 200:  # noqa: ASYNC110 - there is no event
                await asyncio.sleep(0.01)
    assert {reply.status for reply in await asyncio.gather(*calls)} == {200}
    assert rows_in(path, "datapoints") == 200
    # Those that came in one turn of the event loop, and all that came while they waited.
    assert len(gate.writes) <= 2


async def test_every_kind_of_change_is_waited_for(
    api: Api, cloud: LocalCloud, device: Device, user_key: str, owner_key: str,
    master_key: str, gate: Gate,
) -> None:  # fmt: skip
    """Also those that are made after a wait of their own."""
    email, password = "c@example.org", "correct horse"
    await api.ok(
        "POST",
        "/v1/user/join/",
        {"email": email, "password": password, "username": "c"},
    )
    await cloud.flush()
    timers = "/v1/device/timers/?deliver_to_device=true"
    account = {"email": email, "password": password}
    writes: list[tuple[str, str, Any, str | None]] = [
        ("POST", "/v1/user/join/", {"email": "d@example.org", "password": "p", "username": "d"}, None),
        ("POST", "/v1/user/login/", account, None),
        ("POST", timers, {"timers": [PLAN]}, owner_key),
        ("POST", "/v1/products/", {"products": [{"name": "p"}]}, user_key),
        ("POST", "/v1/user/devices/groups/", {"deviceGroups": [{"name": "g"}]}, user_key),
        ("PUT", "/v1/device/", {"device": {"name": "n"}}, owner_key),
        ("POST", "/v1/key/share/", {"scope": "device"}, owner_key),
        ("POST", "/v1/device/activate/", {"encrypt_method": "PLAIN", "bssid": "b", "token": "t"}, master_key),
        ("POST", "/v1/datastreams/s/datapoints/", {"datapoints": [{"x": 1}]}, master_key),
    ]  # fmt: skip
    for method, path, body, key in writes:
        # One that is answered before would see the other one's write.
        with gate.closed():
            call = asyncio.ensure_future(api.call(method, path, body, key=key))
            async with asyncio.timeout(20):
                while cloud._database._writing is None:
                    assert not call.done(), path
                    await asyncio.sleep(0.005)
            await api.ok("GET", "/v1/ping/")
            assert not call.done(), path
        assert (await call).status == 200, path


# A disk that is full


async def test_a_full_disk(
    api: Api, cloud: LocalCloud, path: Path, user_key: str, owner_key: str,
    lamp: DeviceSocket, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """Changes are refused and taken back; reads and commands go on; it heals by itself."""
    caplog.set_level(logging.INFO)
    await cloud.flush()
    before = kept(cloud)
    limit(cloud, 0)
    body = {"products": [{"name": "p" * 200}] * 100}
    for _ in range(3):
        reply = await api.post("/v1/products/", body, key=user_key)
        assert (reply.status, reply.json) == (
            507,
            {"message": "storage is full", "status": 507},
        )
    points = {"datapoints": [{"x": "x" * 60}] * 500}
    refused = await lamp.ask(
        "/v1/datastreams/s/datapoints/", "POST", key=owner_key, body=points, nonce=5
    )
    assert refused == {"message": "storage is full", "nonce": 5, "status": 507}
    assert kept(cloud) == before
    assert cloud.store.streams.latest(cloud.store.devices[1], "s") is None
    assert (await api.ok("GET", "/v1/products/", key=user_key))["products"] == []
    await api.ok("GET", "/v1/device/", key=owner_key)
    call = asyncio.ensure_future(
        api.get("/v1/device/rpc/?deliver_to_device=true&action=a", key=owner_key)
    )
    lamp.acknowledge(await lamp.receive())
    assert (await call).status == 200

    limit(cloud, None)
    await api.ok("POST", "/v1/products/", body, key=user_key)
    assert rows_in(path, "products") == 100
    told = [
        record.message
        for record in caplog.records
        if record.name.endswith("custom_components.espcloud.local_cloud.database")
    ]
    assert told == [
        "Cannot save the state; what would change it is refused: database or disk is full",
        "The state is saved again",
    ]


async def test_what_is_taken_back(
    cloud: LocalCloud, path: Path, password_hash: str
) -> None:
    """New records, changed ones and deleted ones, with what was changed while they were written."""
    store = cloud.store
    user = store.add_user("a@example.org", "a", password_hash)
    friend = store.add_user("b@example.org", "b", password_hash)
    key = store.keyring.add_user_key(user)
    product = store.add_product(user, "lamps", 27388, 1)
    device = store.add_device("lamp", 27388, product=product)
    owner_key = store.keyring.set_owner(device, user)
    group = store.add_group(user, "room", "")
    timer = store.add_timer(device, PLAN)
    store.keyring.add_token(device, "t" * 40, "share", is_owner_key=0)
    store.streams.add(device, "s", {"x": 1}, 5)
    model = Model.of(device)
    files = {"user1.bin": b"1" * 5000, "user2.bin": b"2" * 5000}
    store.add_firmware(user, model, "v1.0.0t27388(o)", files)
    await cloud.flush()
    before = take(store)
    master = cloud.master_key(device)

    limit(cloud, 0)
    store.add_user("c@example.org", "c" * 5000, password_hash)
    store.keyring.remove(key)
    store.keyring.set_owner(device, friend)
    cloud.regenerate_master_key(device)
    group.device_ids.append(device.id)
    store.context.changed(group)
    store.remove_group(group)
    store.remove_timer(timer)
    cloud.rename(device, "another name")
    store.remove_firmware(model, "v1.0.0t27388(o)")
    store.add_firmware(user, model, "v1.0.1t27388(o)", files)
    for number in range(500):
        store.streams.add(device, "s", {"x": number}, 6)
        store.streams.add(device, "new", {"x": "x" * 60}, 6)
    cloud._database._begin()
    # While that is being written:
    store.keyring.add_user_key(user)
    store.streams.add(device, "s", {"x": 7}, 7)
    store.add_device("new", 1, product=product)
    with pytest.raises(Exception, match="storage is full"):
        await cloud.flush()

    assert take(store) == before
    assert cloud.master_key(device) == master
    assert cloud.owner_key(device) == owner_key.token
    assert store.keyring.key(key.token) is key
    assert list(store.keyring.held_by(friend)) == []
    assert store.groups_of(user) == {group.id: group}
    assert store.timers_of(device) == {timer.id: timer}
    assert store.user_by_email("c@example.org") is None
    assert list(store.devices_of(product)) == [device]
    assert store.keyring.token("t" * 40) is not None
    assert (device.name, device.latest_rom_version) == ("lamp", "v1.0.0t27388(o)")
    file = store.roms.find(model, "v1.0.0t27388(o)", "user1.bin")
    assert await store.roms.read(file) == files["user1.bin"]
    stream = store.streams.find(device, "s")
    assert stream is not None
    assert (stream.points, store.streams.find(device, "new")) == (1, None)

    limit(cloud, None)
    store.streams.add(device, "s", {"x": 8}, 8)
    await cloud.flush()
    assert stream.points == rows_in(path, "datapoints") == 2
    await cloud.close()
    again = LocalCloud(state_file=path)
    await again.start()
    assert take(again.store)["keys"] == before["keys"]
    await again.close()


async def test_activity_is_not_taken_back(cloud: LocalCloud, device: Device) -> None:
    """It goes along with the next write that works."""
    await cloud.flush()
    limit(cloud, 0)
    cloud.store.context.heard(device)
    heard = device.last_active
    cloud.store.add_user("c@example.org", "c" * 9000, "")
    with pytest.raises(Exception, match="storage is full"):
        await cloud.flush()
    assert device.last_active == heard > 0
    assert cloud.store.context.touched == {device.id: device}
    limit(cloud, None)


async def test_activity_of_a_device_that_is_taken_back(
    cloud: LocalCloud, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody waits for it any more, and the next write works."""
    await cloud.flush()
    limit(cloud, 0)
    cloud.store.context.heard(cloud.add_device("x" * 9000))
    cloud._database._flush_is_due = True
    with pytest.raises(Exception, match="storage is full"):
        await cloud.flush()
    assert not cloud.store.devices
    assert not cloud.store.context.touched
    assert "Traceback" not in caplog.text
    limit(cloud, None)
    cloud.add_device("lamp")
    await cloud.flush()
    assert len(cloud.store.devices) == 1


async def test_a_file_that_becomes_read_only(
    api: Api, cloud: LocalCloud, user_key: str
) -> None:
    """It is the same to whoever asks."""
    await cloud.flush()
    writer = cloud._database._file._writer
    writer.execute("PRAGMA query_only = ON")
    body = {"products": [{"name": "p"}]}
    assert (await api.post("/v1/products/", body, key=user_key)).status == 507
    writer.execute("PRAGMA query_only = OFF")
    await api.ok("POST", "/v1/products/", body, key=user_key)


async def test_a_client_that_hangs_up(
    cloud: LocalCloud, path: Path, master_key: str, gate: Gate
) -> None:
    """What it asked for is done; nobody is told."""
    await cloud.flush()
    with gate.closed():
        async with ClientSession() as session:
            with pytest.raises(TimeoutError):
                async with (
                    asyncio.timeout(0.2),
                    session.post(
                        f"{cloud.http_url}/v1/datastreams/s/datapoint/",
                        json=POINT,
                        headers={"Authorization": f"token {master_key}"},
                    ),
                ):
                    pass
    await cloud.flush()
    assert rows_in(path, "datapoints") == 1
