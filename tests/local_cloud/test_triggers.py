"""Triggers: a value is out of line, and apps hear of it (protocol.md §2.9)."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud, quotas
from custom_components.espcloud.local_cloud.listeners import TriggerMet
from custom_components.espcloud.local_cloud.models import Device, User

from .helpers import Api, DeviceSocket, until
from .test_mbox import APP, ok

TRIGGER = "/v1/trigger/"
POINTS = "/v1/datastreams/tem_hum/datapoints/"
RULE = {
    "name": "too hot",
    "dimension_index": 0,
    "stream_name": "tem_hum",
    "interval": 0,
    "interval_func": 2,
    "compare_type": 3,
    "threshold_value": 30,
}
ME = {"scope": "me", "via": "app", "tmpl_token": "mail-0123"}


class Heard(list[tuple[str, float]]):
    """The triggers that were met, and by what."""

    def note(self, event: Any) -> None:
        """Note one."""
        if isinstance(event, TriggerMet):
            self.append((event.name, event.value))


@pytest.fixture
def heard(cloud: LocalCloud) -> Heard:
    """Return what the listeners hear."""
    heard = Heard()
    cloud.listeners.add(heard.note)
    return heard


async def store(api: Api, key: str, *points: dict[str, Any]) -> None:
    """Store datapoints in one request."""
    await api.ok("POST", POINTS, {"datapoints": list(points)}, key=key)


async def looked(cloud: LocalCloud) -> None:
    """Wait until all intervals have been looked at."""
    await until(lambda: cloud._trigger_watch._task is None)


async def add(api: Api, key: str, **members: Any) -> dict[str, Any]:
    """Add a trigger and return it."""
    body = {"trigger": RULE | members}
    reply = await api.ok("POST", TRIGGER, body, key=key)
    assert list(reply) == ["status", "trigger"]
    return dict(reply["trigger"])


async def test_written_and_read(api: Api, owner_key: str) -> None:
    """As the app makes, changes, lists and deletes them."""
    trigger = await add(api, owner_key)
    assert list(trigger) == [
        *("id", "created", "updated", "visibly"),
        *RULE,
        "notify_rules",
    ]
    assert trigger["notify_rules"] == []
    change = {"id": trigger["id"], **RULE, "threshold_value": 31.5}
    await api.ok(
        "POST",
        f"{TRIGGER}?method=PUT",
        {"trigger": {**change, "notify_rules": [ME]}},
        key=owner_key,
    )
    (listed,) = (await api.ok("GET", TRIGGER, key=owner_key))["triggers"]
    assert listed["threshold_value"] == 31.5
    assert listed["notify_rules"] == [ME]
    body = {"trigger": {"id": trigger["id"]}}
    await api.ok("POST", f"{TRIGGER}?method=DELETE", body, key=owner_key)
    assert (await api.ok("GET", TRIGGER, key=owner_key))["triggers"] == []
    assert (await api.call("DELETE", TRIGGER, body, key=owner_key)).status == 404


async def test_what_is_left_out_stays(api: Api, owner_key: str) -> None:
    """So a change of the name is no change of the rule."""
    trigger = await add(api, owner_key, notify_rules=[ME])
    body = {"trigger": {"id": trigger["id"], "name": "hot"}}
    changed = (await api.ok("PUT", TRIGGER, body, key=owner_key))["trigger"]
    assert changed == trigger | {"name": "hot", "updated": changed["updated"]}


async def test_the_defaults_of_the_app(api: Api, owner_key: str) -> None:
    """It means its alarm where no datastream is named."""
    body = {"trigger": {"name": "a", "compare_type": 1, "threshold_value": 1}}
    trigger = (await api.ok("POST", TRIGGER, body, key=owner_key))["trigger"]
    assert trigger["stream_name"] == "alarm_status"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": None}, {"dimension_index": 5}, {"stream_name": "a b"}, {"interval": -1},
        {"interval": 10**9}, {"interval_func": 0}, {"interval_func": 6}, {"compare_type": 7},
        {"compare_type": None}, {"threshold_value": None}, {"threshold_value": "30"},
        {"threshold_value": True}, {"notify_rules": 1}, {"notify_rules": [1]},
        {"notify_rules": [ME | {"scope": "all"}]}, {"notify_rules": [ME | {"via": "sms"}]},
        {"notify_rules": [ME] * 11},
    ],
)  # fmt: skip
async def test_what_cannot_be(
    api: Api, cloud: LocalCloud, owner_key: str, wrong: dict[str, Any]
) -> None:
    """400, and nothing is made."""
    reply = await api.post(TRIGGER, {"trigger": RULE | wrong}, key=owner_key)
    assert reply.status == 400
    assert (
        next(iter(wrong)) in reply.text or "scope" in reply.text or "via" in reply.text
    )
    assert not cloud.store.triggers.records


async def test_no_mail(api: Api, owner_key: str) -> None:
    """It is refused in words."""
    rule = RULE | {"notify_rules": [ME | {"via": "mail"}]}
    reply = await api.post(TRIGGER, {"trigger": rule}, key=owner_key)
    assert reply.status == 501
    assert reply.json["message"] == "this cloud sends no mail: via must be app"


@pytest.mark.parametrize(
    ("compare_type", "met"),
    [
        (1, [30]), (2, [29, 31]), (3, [31]), (4, [30, 31]), (5, [29]), (6, [29, 30]),
    ],
)  # fmt: skip
async def test_comparisons(
    api: Api, owner_key: str, heard: Heard, compare_type: int, met: list[float]
) -> None:
    """=, ≠, >, ≥, <, ≤ of the threshold."""
    for value in (29, 30, 31):
        trigger = await add(api, owner_key, compare_type=compare_type)
        await store(api, owner_key, {"x": value})
        body = {"trigger": {"id": trigger["id"]}}
        await api.ok("DELETE", TRIGGER, body, key=owner_key)
    assert [value for _, value in heard] == met


@pytest.mark.parametrize(
    ("function", "value"), [(1, 38), (2, 20), (3, 3), (4, 9.5), (5, 7.5)]
)
async def test_functions_of_an_interval(
    api: Api, cloud: LocalCloud, owner_key: str, heard: Heard, function: int, value: float
) -> None:  # fmt: skip
    """Sum, max, min, avg, median of the points of the last minute, by when they were measured."""
    now = cloud.store.context.now()
    await add(
        api, owner_key, interval=60, interval_func=function, threshold_value=1,
    )  # fmt: skip
    await add(api, owner_key, interval=200, threshold_value=10**6)
    old = [{"x": 1000, "at": now - 100}, {"x": 1000, "at": now + 1000}]
    new = [{"x": x, "at": now - 10} for x in (3, 5, 10, 20)]
    await store(api, owner_key, *old, *new, {"x": "a text", "at": now - 10})
    await looked(cloud)
    assert heard == [("too hot", value)]


async def test_dimensions(api: Api, owner_key: str, heard: Heard) -> None:
    """The index is that of x, y, z, k, l; what has no such number says nothing."""
    await add(api, owner_key, dimension_index=1)
    await store(api, owner_key, {"x": 99}, {"x": 1, "y": "99"}, {"x": 1, "y": 29})
    assert heard == []
    await store(api, owner_key, {"x": 1, "y": 31})
    assert heard == [("too hot", 31)]


async def test_other_datastreams(api: Api, owner_key: str, heard: Heard) -> None:
    """They say nothing to it."""
    await add(api, owner_key, stream_name="other")
    await store(api, owner_key, {"x": 99})
    assert heard == []


async def test_told_once(
    api: Api, cloud: LocalCloud, owner_key: str, heard: Heard
) -> None:
    """Until it was not met in between, or is changed."""
    trigger = await add(api, owner_key)
    await store(api, owner_key, {"x": 31}, {"x": 32}, {"x": 29}, {"x": 33}, {"x": 34})
    assert [value for _, value in heard] == [31, 33]
    body = {"trigger": {"id": trigger["id"]}}
    await api.ok("PUT", TRIGGER, body, key=owner_key)
    await store(api, owner_key, {"x": 35})
    assert [value for _, value in heard] == [31, 33, 35]


async def test_it_outlives_a_restart(
    tmp_path: Path, password_hash: str, user: User
) -> None:
    """With what was told."""
    heard = Heard()
    for start in range(2):
        cloud = LocalCloud(state_file=tmp_path / "state.db")
        await cloud.start()
        cloud.listeners.add(heard.note)
        if not start:
            me = cloud.store.add_user("a@example.org", "a", password_hash)
            device = cloud.add_device("lamp", me)
        key = str(cloud.owner_key(device))
        path = "/v1/datastreams/tem_hum/datapoint/"
        if not start:
            await cloud.call("POST", TRIGGER, key, body={"trigger": RULE})
        for value in (31, 32):
            await cloud.call("POST", path, key, body={"datapoint": {"x": value}})
        await cloud.close()
    assert heard == [("too hot", 31)]


class TestWhoIsTold:
    """The apps of accounts with a key to the device."""

    @pytest.fixture
    async def apps(
        self, cloud: LocalCloud, user: User, device: Device, password_hash: str
    ) -> AsyncGenerator[Sequence[DeviceSocket]]:
        """Return the apps of the owner, of a guest, and of a stranger."""
        others = [
            cloud.store.add_user(f"{name}@example.org", name, password_hash)
            for name in ("guest", "stranger")
        ]
        cloud.store.keyring.share_with(device, others[0], "guest")
        apps = []
        for person in (user, *others):
            app = await DeviceSocket(cloud).__aenter__()
            await ok(app, cloud.store.keyring.add_user_key(person).token, APP)
            apps.append(app)
        yield apps
        for app in apps:
            app.writer.transport.abort()

    @pytest.mark.parametrize(
        ("scope", "told"),
        [
            ("me", [True, False, False]),
            ("owner", [True, False, False]),
            ("user", [True, True, False]),
        ],
    )
    @pytest.mark.parametrize("kind", ["owner", "master"])
    async def test_scopes(
        self, api: Api, cloud: LocalCloud, device: Device, apps: list[DeviceSocket],
        scope: str, told: list[bool], kind: str,
    ) -> None:  # fmt: skip
        """Who made it, the owner, or all; with the device's own key the owner has made it."""
        keys = {"owner": cloud.owner_key(device), "master": cloud.master_key(device)}
        key = str(keys[kind])
        await add(api, key, notify_rules=[ME | {"scope": scope}])
        await store(api, key, {"x": 31.5})
        for app, is_told in zip(apps, told, strict=True):
            answer = await app.ask("/v1/ping/")
            if is_told:
                assert answer["body"]["data"]["alert"] == (
                    "Desk lamp: too hot: tem_hum x is 31.5 (> 30)"
                )
                answer = await app.receive()
            assert answer["message"] == "ping success"

    async def test_who_sold_the_device(
        self, api: Api, cloud: LocalCloud, device: Device, owner_key: str,
        apps: list[DeviceSocket],
    ) -> None:  # fmt: skip
        """They hear nothing of it, though they made the trigger."""
        await add(api, owner_key, notify_rules=[ME])
        buyer = cloud.store.users[3]
        key = cloud.store.keyring.set_owner(device, buyer).token
        await store(api, key, {"x": 31.5})
        assert (await apps[0].ask("/v1/ping/"))["message"] == "ping success"


async def test_a_point_of_the_device_itself(
    api: Api, cloud: LocalCloud, lamp: DeviceSocket, owner_key: str, master_key: str, heard: Heard
) -> None:  # fmt: skip
    """Over its own port."""
    await add(api, owner_key, interval=5, interval_func=4)
    path = POINTS.removesuffix("s/") + "/"
    await lamp.ask(path, "POST", key=master_key, body={"datapoint": {"x": 31}})
    await looked(cloud)
    assert heard == [("too hot", 31)]


async def test_a_device_that_is_removed_meanwhile(
    api: Api, cloud: LocalCloud, device: Device, owner_key: str, heard: Heard
) -> None:
    """Its triggers go with it, and nothing fails."""
    await add(api, owner_key, interval=60)
    await store(api, owner_key, {"x": 1})
    cloud.remove_device(device)
    await looked(cloud)
    assert heard == []
    assert not cloud.store.triggers.records


async def test_quotas(
    api: Api, cloud: LocalCloud, user: User, owner_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Of a device, and of all that an account owns."""
    monkeypatch.setattr(quotas, "MAX_TRIGGERS", 2)
    monkeypatch.setattr(quotas, "MAX_ALL_TRIGGERS", 3)
    other = str(cloud.owner_key(cloud.add_device("other", user)))
    for key in (owner_key, owner_key, other):
        await add(api, key)
    for key, message in (
        (owner_key, "a device has at most 2 triggers: delete some"),
        (other, "the devices of an account have at most 3 triggers: delete some"),
    ):
        reply = await api.post(TRIGGER, {"trigger": RULE}, key=key)
        assert (reply.status, reply.json["message"]) == (403, message)
