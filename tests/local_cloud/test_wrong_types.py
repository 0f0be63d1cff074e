"""Every documented member of every body, replaced by what it cannot be."""

from collections.abc import Iterator
import copy
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from custom_components.espcloud.local_cloud.trigger_rules import read_rule

from .helpers import TOKEN, Api, DeviceSocket

WEEKLY = {
    "type": "LOOP_IN_WEEK",
    "weekdays": [1, 3],
    "time_actions": [{"time": "113814", "action": "off_switch"}],
}
PERIOD = {"type": "LOOP_PERIOD", "period": "minute", "time": 1, "action": "on_switch"}
ACCOUNT = {"email": "new@example.org", "password": "p", "username": "new", "invitation": "i"}  # fmt: skip
TRIGGER = {
    "name": "t", "dimension_index": 0, "stream_name": "s", "interval": 60, "interval_func": 1,
    "compare_type": 3, "threshold_value": 1.5, "notify_rules": [{"scope": "me", "via": "app", "tmpl_token": "t"}],
}  # fmt: skip
BODIES: list[tuple[str, str, str, Any]] = [
    ("", "POST", "/v1/user/join/", ACCOUNT),
    ("", "POST", "/v1/user/login/", {"email": "x@example.org", "password": "p"}),
    ("", "POST", "/v1/user/find/", {"email": "x@example.org"}),
    ("", "POST", "/v1/user/find/", {"username": "x"}),
    ("", "POST", "/v1/keys/", {"email": "x@example.org", "password": "p", "scope": "user"}),
    ("", "POST", "/v1/keys/", {"Authorization": {"username": "x", "password": "p"}}),
    ("", "POST", "/v1/user/resetpassword/", {"email": "x@example.org", "password": "p", "new_password": "q", "keep_devices": 1}),
    ("", "POST", "/v1/user/resetpassword/", {"token": "t", "new_password": "q", "keep_devices": 1}),
    ("", "POST", "/v1/user/resetpassword/mail/", {"email": "x@example.org"}),
    ("user", "PUT", "/v1/keys/", {"keys": [{"id": 2, "keep": 1}]}),
    ("user", "DELETE", "/v1/keys/", {"keys": [{"id": 99}]}),
    ("user", "POST", "/v1/key/authorize/", {"token": "t"}),
    ("user", "POST", "/v1/user/devices/groups/", {"deviceGroups": [{"name": "g", "desc": "d"}]}),
    ("user", "PUT", "/v1/user/devices/groups/", {"deviceGroups": [{"id": 1, "name": "g", "desc": "d"}]}),
    ("user", "PUT", "/v1/user/devices/groups/?action=move_to_group", {"device_id": 1, "group_id": 1, "reserve_pre_group": 1}),
    ("user", "PUT", "/v1/user/devices/groups/?action=remove_from_group", {"device_id": 1, "group_id": 1}),
    ("user", "DELETE", "/v1/user/devices/groups/", {"deviceGroups": [{"id": 2}]}),
    ("user", "POST", "/v1/products/", {"products": [{"name": "p", "ptype": 1, "is_private": 1}]}),
    ("user", "POST", "/v1/products/1/devices/", {"devices": [{"name": "d", "serial": "1"}]}),
    ("owner", "POST", "/v1/key/share/", {"scope": "device", "name": "n"}),
    ("owner", "PUT", "/v1/device/", {"device": {"name": "n", "metadata": "m"}}),
    ("owner", "POST", "/v1/device/timers/", {"timers": [WEEKLY, PERIOD]}),
    ("owner", "PUT", "/v1/device/timers/", {"timers": [{**PERIOD, "id": 1}]}),
    ("owner", "DELETE", "/v1/device/timers/", {"timers": [{"id": 1}]}),
    ("owner", "POST", "/v1/datastreams/s/datapoint/", {"datapoint": {"x": 1, "l": 2, "at": "2020-01-01"}}),
    ("owner", "POST", "/v1/datastreams/light/datapoint/?deliver_to_device=true", {"datapoint": {"x": 1, "at": 5}}),
    ("owner", "POST", "/v1/datastreams/s/datapoints/", {"datapoints": [{"x": 1, "at": 1}]}),
    ("owner", "POST", "/v1/trigger/", {"trigger": TRIGGER}),
    ("owner", "PUT", "/v1/trigger/", {"trigger": {"id": 1, **TRIGGER}}),
    ("owner", "DELETE", "/v1/trigger/", {"trigger": {"id": 2}}),
    ("user", "POST", "/v1/device/deployed/", {"product": {"name": "p", "ptype": 1}, "device": {"name": "d"}, "datastreamTmpls": [{"name": "s", "dimension": "1"}]}),
    ("master", "POST", "/v1/device/debugs/", {"debugs": [{"type": "t", "errno": 1, "message": "m"}]}),
    ("", "POST", "/v1/users/join/", ACCOUNT),
    ("owner", "POST", "/v1/mbox/", {"action": "publish", "name": "n", "data": "d"}),
    ("master", "POST", "/v1/device/activate/", {"encrypt_method": "PLAIN", "bssid": "b", "token": TOKEN, "rom_version": "v"}),
    ("master", "POST", "/v1/messages/?action=device_upgrade_success", {"pre_rom_version": "v", "rom_version": "v"}),
]  # fmt: skip
WRONG: list[Any] = [
    None, True, 0, -1, 7, 1.5, 10**30, "", "x", "x" * 5000, "\x00", "\ud800", [], [[]], [None], [{}],
    {}, {"a": {"b": []}}, "'; DROP TABLE users", "灯", float("1e300"),
]  # fmt: skip


def _damaged(body: Any) -> Iterator[Any]:
    """Return the body with each of its parts left out, or replaced by each wrong value."""
    for value in WRONG:
        yield value
    parts: list[tuple[Any, Any]] = []
    if isinstance(body, dict):
        parts = list(body.items())
        for name in body:
            yield {other: value for other, value in body.items() if other != name}
    elif isinstance(body, list):
        parts = list(enumerate(body))
    for name, part in parts:
        for value in _damaged(part):
            changed = copy.copy(body)
            changed[name] = value
            yield changed


@pytest.mark.parametrize(("kind", "method", "path", "body"), BODIES)
async def test_wrong_types(
    api: Api, cloud: LocalCloud, user: User, device: Device, socket: DeviceSocket,
    user_key: str, owner_key: str, master_key: str, kind: str, method: str, path: str, body: Any,
) -> None:  # fmt: skip
    """A clear refusal or, where it can be meant, success; never a failure of the server."""
    key = {"user": user_key, "owner": owner_key, "master": master_key, "": ""}[kind]
    product = cloud.store.add_product(user, "p", 1, 1)
    group = cloud.store.add_group(user, "g", "")
    cloud.store.add_timer(device, PERIOD)
    cloud.store.triggers.add(device, user.id, read_rule(TRIGGER))
    good = await api.call(method, path, body, key=key)
    assert good.status != 400, good.text
    path, _, query = path.partition("?")
    get = dict(pair.split("=") for pair in query.split("&") if pair)
    refused = 0
    # Who has shown no key may say little.
    await socket.ask("/v1/device/", key=owner_key)
    for damaged in _damaged(body):
        answer = await socket.ask(
            path, method, key=key, get=dict(get), body=damaged, nonce=1
        )
        assert answer["nonce"] == 1
        status = answer["status"]
        assert status in {200, 400, 403, 404, 409, 429}, (damaged, answer)
        assert (answer.get("message") or "") != "internal error"
        refused += status == 400
        if status == 429:
            cloud._accounts._failed.clear()
            cloud._accounts._joined.clear()
            cloud._accounts._wanted.clear()
    assert refused >= 10
    # And what got through left nothing behind that cannot be read.
    for reading, reader in (
        (user_key, "/v1/user/devices/?list_by_group=true"), (user_key, "/v1/products/"),
        (user_key, f"/v1/products/{product.id}/devices/"), (owner_key, "/v1/device/"),
        (owner_key, "/v1/trigger/"),
        (owner_key, "/v1/device/timers/?is_humanize_format_simple=true"),
        (owner_key, "/v1/datastreams/s/datapoints/"),
    ):  # fmt: skip
        if cloud.store.keyring.key(reading):
            await api.ok("GET", reader, key=reading)
    assert group.id == 1
