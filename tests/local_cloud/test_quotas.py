"""How much one account may have."""

from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud, quotas
from custom_components.espcloud.local_cloud.models import Device, User
from fuzz.snapshot import take

from .helpers import TOKEN, Api

GROUPS = "/v1/user/devices/groups/"
MOVE = f"{GROUPS}?action=move_to_group"


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow three of each."""
    for name in dir(quotas):
        if name.startswith("MAX_") and name != "MAX_POINTS":
            monkeypatch.setattr(quotas, name, 3)


async def refused(
    api: Api, method: str, path: str, body: Any, key: str, status: int = 403
) -> str:
    """Send what is too much and return what is said."""
    reply = await api.call(method, path, body, key=key)
    assert reply.status == reply.json["status"] == status, reply.text
    return reply.json["message"]


@pytest.fixture
def other_key(cloud: LocalCloud, password_hash: str) -> str:
    """Return the user key of somebody else, who has nothing yet."""
    other = cloud.store.add_user("other@example.org", "other", password_hash)
    return cloud.store.keyring.add_user_key(other).token


async def test_products_and_their_devices(
    api: Api, cloud: LocalCloud, user_key: str, other_key: str
) -> None:
    """Three products, and three devices of all products together; all of a request, or none."""
    path = "/v1/products/"
    await api.ok(
        "POST", path, {"products": [{"name": "a"}, {"name": "b"}]}, key=user_key
    )
    body = {"products": [{"name": "c"}, {"name": "d"}]}
    message = await refused(api, "POST", path, body, user_key)
    assert message == "an account has at most 3 products"
    assert len(cloud.store.products) == 2
    await api.ok("POST", f"{path}1/devices/", {"devices": [{}, {}]}, key=user_key)
    message = await refused(
        api, "POST", f"{path}2/devices/", {"devices": [{}, {}]}, user_key
    )
    assert message == "an account makes at most 3 devices"
    await api.ok("POST", f"{path}2/devices/", {"devices": [{}]}, key=user_key)
    await refused(api, "POST", f"{path}2/devices/", {"devices": [{}]}, user_key)
    await api.ok("POST", path, {"products": [{"name": "a"}]}, key=other_key)
    await api.ok("POST", f"{path}3/devices/", {"devices": [{}]}, key=other_key)


async def test_groups_and_places_in_them(
    api: Api, cloud: LocalCloud, user: User, device: Device, user_key: str
) -> None:
    """A device may be in several; moving it does not need a place more."""
    body = {"deviceGroups": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}
    await api.ok("POST", GROUPS, body, key=user_key)
    message = await refused(
        api, "POST", GROUPS, {"deviceGroups": [{"name": "d"}]}, user_key
    )
    assert message == "an account has at most 3 groups: delete some"
    for number in (1, 2, 3, 3):
        place = {"device_id": 1, "group_id": number, "reserve_pre_group": 1}
        await api.ok("PUT", MOVE, place, key=user_key)
    cloud.add_device("other", user)
    place = {"device_id": 2, "group_id": 1, "reserve_pre_group": 1}
    message = await refused(api, "PUT", MOVE, place, user_key)
    assert message.startswith("an account has at most 3 places in groups")
    place = {"device_id": 1, "group_id": 3, "reserve_pre_group": 0}
    await api.ok("PUT", MOVE, place, key=user_key)


async def test_devices_that_an_account_holds(
    api: Api, cloud: LocalCloud, user: User, user_key: str
) -> None:
    """Owned and shared ones; a device that it has already can be set up again."""
    first, *_ = (cloud.add_device(f"lamp {number}", user) for number in range(3))
    orphan = cloud.add_device("orphan")
    body = {"token": TOKEN}
    await api.ok("POST", "/v1/device/activate/", body, key=cloud.master_key(orphan))
    message = await refused(api, "POST", "/v1/key/authorize/", body, user_key)
    assert message == "an account has at most 3 devices: give some up"
    await api.ok("POST", "/v1/device/activate/", body, key=cloud.master_key(first))
    await api.ok("POST", "/v1/key/authorize/", body, key=user_key)


async def test_guests_of_a_device(
    api: Api, cloud: LocalCloud, password_hash: str, owner_key: str
) -> None:
    """The fourth is refused until a key is revoked; who is one already is not."""
    body: dict[str, Any] = {}
    for number in range(4):
        user = cloud.store.add_user(f"{number}@b", f"{number}", password_hash)
        key = cloud.store.keyring.add_user_key(user).token
        share = await api.ok("POST", "/v1/key/share/", key=owner_key)
        body = {"token": share["token"]}
        if number < 3:
            await api.ok("POST", "/v1/key/authorize/", body, key=key)
            await api.ok("POST", "/v1/key/authorize/", body, key=key)
        else:
            message = await refused(api, "POST", "/v1/key/authorize/", body, key)
            assert message == "a device has at most 3 guests: revoke keys"


async def test_user_keys(api: Api, cloud: LocalCloud) -> None:
    """Who has too many cannot sign in, but can replace the password, which ends them."""
    account = {"email": "a@example.org", "password": "p"}
    await cloud.add_account(*account.values())
    for _ in range(3):
        keys = await api.ok("POST", "/v1/keys/", account)
    for path in ("/v1/keys/", "/v1/user/login/"):
        message = await refused(api, "POST", path, account, "", status=429)
        assert message.startswith("an account has at most 3 user keys")
    await api.ok("GET", "/v1/keys/", key=keys["keys"][0]["token"])
    reset = {**account, "new_password": "q"}
    await api.ok("POST", "/v1/user/resetpassword/", reset)


async def test_timers_of_all_devices(
    api: Api, cloud: LocalCloud, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account has so many, however many devices."""
    monkeypatch.setattr(quotas, "MAX_ALL_TIMERS", 4)
    first, second = (
        cloud.master_key(cloud.add_device(name, user)) for name in ("a", "b")
    )
    plan = {"type": "LOOP_PERIOD", "period": "minute", "time": 1, "action": "a"}
    path = "/v1/device/timers/"
    await api.ok("POST", path, {"timers": [plan] * 3}, key=first)
    message = await refused(api, "POST", path, {"timers": [plan] * 2}, second)
    assert message == "the devices of an account have at most 4 timers: delete some"
    await api.ok("POST", path, {"timers": [plan]}, key=second)


async def test_a_datapoint_has_so_many_bytes(
    api: Api, cloud: LocalCloud, user: User
) -> None:
    """Else a number of them would say nothing about the file."""
    key = cloud.master_key(cloud.add_device("a", user))
    path = "/v1/datastreams/s/datapoint/"
    color = {f"{number}": "x" * 60 for number in range(7)}
    body = {"datapoint": {"x": 1, "y": color, "z": color}}
    message = await refused(api, "POST", path, body, key, 400)
    assert message == "a datapoint has at most 512 bytes"
    await api.ok("POST", path, {"datapoint": {"x": color}}, key=key)


async def test_datapoints(
    api: Api, cloud: LocalCloud, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all devices together; a datastream that is full goes on, for its oldest go."""
    monkeypatch.setattr(quotas, "MAX_POINTS", 300)
    cloud.store.streams.most_points = 200
    first, second = (
        cloud.master_key(cloud.add_device(name, user)) for name in ("a", "b")
    )
    path = "/v1/datastreams/s/datapoints/"
    many = {"datapoints": [{"x": 1}] * 200}
    await api.ok("POST", path, many, key=first)
    before = take(cloud.store)["datastreams"]
    message = await refused(api, "POST", path, many, second)
    assert message.startswith("an account has at most 300 datapoints")
    assert take(cloud.store)["datastreams"] == before
    await api.ok("POST", path, {"datapoints": [{"x": 1}] * 100}, key=second)
    await api.ok("POST", path, many, key=first)


@pytest.mark.parametrize("owned", [True, False])
async def test_datastreams(
    api: Api, cloud: LocalCloud, user: User, owned: bool
) -> None:
    """Of all devices that an account owns, or made while nobody owns them; known ones go on."""
    product = cloud.store.add_product(user, "p", 1, 1)
    if owned:
        devices = [cloud.add_device(f"lamp {number}", user) for number in range(2)]
    else:
        devices = [cloud.store.add_device("", 1, product=product) for _ in range(2)]
    first, second = (cloud.master_key(device) for device in devices)
    body = {"datapoint": {"x": 1}}

    def path(name: str) -> str:
        return f"/v1/datastreams/{name}/datapoint/"

    for key, name in ((first, "a"), (first, "b"), (second, "a"), (second, "a")):
        await api.ok("POST", path(name), body, key=key)
    before = take(cloud.store)
    message = await refused(api, "POST", path("b"), body, second)
    assert message == "an account has at most 3 datastreams"
    assert take(cloud.store) == before
    # A device that whoever runs the cloud made has no account, and a limit of its own.
    nobodys = cloud.master_key(cloud.add_device("nobody's"))
    for name in "abcd":
        await api.ok("POST", path(name), body, key=nobodys)
