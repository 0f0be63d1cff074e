"""Long lists: by pages, whole, and without keeping others waiting."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.api import devices as devices_api
from custom_components.espcloud.local_cloud.api.devices import DeviceApi
from custom_components.espcloud.local_cloud.lists import SLICE
from custom_components.espcloud.local_cloud.models import Device, Key, User
from custom_components.espcloud.local_cloud.request import Request
from custom_components.espcloud.local_cloud.wire import JsonObject

from .helpers import Api, DeviceSocket

LIST = "/v1/user/devices/"
MANY = 3 * SLICE + 1
WHOLE = list(range(1, MANY + 1))


@pytest.fixture
def devices(cloud: LocalCloud, user: User) -> list[Device]:
    """Make many devices."""
    return [cloud.add_device(f'"{number}" 灯', user) for number in range(MANY)]


@pytest.fixture
async def at_once(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Counter[int]]:
    """Count how many devices are written in each turn of the event loop."""
    counts: Counter[int] = Counter()
    turn = 0
    listed = DeviceApi._listed

    def count(self: DeviceApi, request: Request, key: Key) -> JsonObject:
        counts[turn] += 1
        return listed(self, request, key)

    def next_turn() -> None:
        nonlocal turn, handle
        turn += 1
        handle = loop.call_soon(next_turn)

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(DeviceApi, "_listed", count)
    handle = loop.call_soon(next_turn)
    yield counts
    handle.cancel()


def ids(reply: dict[str, Any], name: str = "devices") -> list[int]:
    """Return the ids in a list."""
    return [each["id"] for each in reply[name]]


async def test_a_whole_list_is_written_in_slices(
    api: Api, devices: list[Device], user_key: str, at_once: Counter[int]
) -> None:
    """Between which the event loop goes on, so that a lamp is switched meanwhile."""
    reply = await api.get(LIST, key=user_key)
    assert ids(reply.json) == WHOLE
    assert reply.json["devices"][0]["name"] == "&quot;0&quot; 灯"
    assert reply.text.startswith('{"devices": [{"id": 1, "created": ')
    assert reply.text.endswith('}}], "status": 200}')
    assert (sum(at_once.values()), max(at_once.values())) == (MANY, SLICE)


async def test_many_whole_lists_at_once(
    api: Api, devices: list[Device], user_key: str, at_once: Counter[int]
) -> None:
    """One after the other: together they keep nobody waiting longer than one does."""
    path = f"{LIST}?list_by_group=true"
    replies = await asyncio.gather(
        *(api.ok("GET", path, key=user_key) for _ in range(10))
    )
    assert [len(reply["deviceGroups"][0]["devices"]) for reply in replies] == [
        MANY
    ] * 10
    assert sum(at_once.values()) == 10 * MANY
    # Where one ends and the next one begins, two slices may meet.
    assert max(at_once.values()) <= 2 * SLICE


async def test_a_long_list_by_group_is_that_of_a_short_one(
    api: Api,
    cloud: LocalCloud,
    user: User,
    devices: list[Device],
    user_key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Byte for byte."""
    for number in range(2):
        group = cloud.store.add_group(user, f"room {number}", '{"type":0}')
        group.device_ids = [1, 2, 3 + number]
    cloud.store.add_group(user, "empty", "")
    path = f"{LIST}?list_by_group=true&query_devices_mesh=true"
    long = await api.get(path, key=user_key)
    monkeypatch.setattr(devices_api, "SLICE", MANY)
    short = await api.get(path, key=user_key)
    assert long.text == short.text
    groups = long.json["deviceGroups"]
    assert [len(group["devices"]) for group in groups] == [MANY - 4, 3, 3, 0]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", WHOLE),
        ("offset=0", WHOLE[:100]),
        ("row_count=2", WHOLE[:2]),
        ("offset=3&row_count=2", WHOLE[3:5]),
        ("row_count=0", []),
        (f"offset={MANY - 1}&row_count=1000", WHOLE[-1:]),
        (f"offset={MANY}", []),
    ],
)
async def test_pages(
    api: Api,
    cloud: LocalCloud,
    user: User,
    devices: list[Device],
    user_key: str,
    query: str,
    expected: list[int],
) -> None:
    """As those of datapoints: `row_count` after `offset`, 100 where it does not say."""
    path = f"{LIST}?{query}"
    assert ids(await api.ok("GET", path, key=user_key)) == expected
    by_group = await api.ok("GET", f"{path}&list_by_group=true", key=user_key)
    assert ids(by_group["deviceGroups"][0]) == expected


async def test_every_list_has_pages(
    api: Api, cloud: LocalCloud, user: User, user_key: str
) -> None:
    """Of products, their devices, groups and keys."""
    product = cloud.store.add_product(user, "first", 1, 1)
    for number in range(3):
        cloud.store.add_product(user, f"product {number}", 1, 1)
        cloud.store.add_group(user, f"group {number}", "")
        cloud.store.add_device(f"device {number}", 1, product=product)
        cloud.store.keyring.add_user_key(user)
    for path, name, whole in (
        ("/v1/products/", "products", 4),
        (f"/v1/products/{product.id}/devices/", "devices", 3),
        ("/v1/user/devices/groups/", "deviceGroups", 3),
        ("/v1/keys/", "keys", 4),
    ):
        all_ids = ids(await api.ok("GET", path, key=user_key), name)
        assert len(all_ids) == whole
        page = await api.ok("GET", f"{path}?offset=1&row_count=2", key=user_key)
        assert ids(page, name) == all_ids[1:3]
        for query in ("offset=-1", "row_count=x", "offset=9999999999"):
            assert (await api.get(f"{path}?{query}", key=user_key)).status == 400


async def test_a_page_has_an_end(
    api: Api, cloud: LocalCloud, user: User, user_key: str
) -> None:
    """A thousand records."""
    for _ in range(1001):
        cloud.store.keyring.add_user_key(user)
    reply = await api.ok("GET", "/v1/keys/?row_count=2000", key=user_key)
    assert len(reply["keys"]) == 1000


async def test_the_device_port_has_pages_only(
    socket: DeviceSocket, devices: list[Device], user_key: str
) -> None:
    """64 long lists under way on one connection would all wait for it to read."""
    assert ids(await socket.ask(LIST, key=user_key)) == WHOLE[:SLICE]
    get = {"offset": SLICE, "row_count": 1000}
    page = await socket.ask(LIST, key=user_key, get=get)
    assert ids(page) == WHOLE[SLICE : 2 * SLICE]
