"""Devices, groups and products as their users see them (protocol.md §2.5, §2.9, §2.11)."""

from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device

from .helpers import Api

GROUPS = "/v1/user/devices/groups/"


async def test_the_flat_list(
    api: Api, device: Device, user_key: str, owner_key: str
) -> None:
    """Each device has its key and its (no) datastream templates."""
    reply = await api.ok("GET", "/v1/user/devices/", key=user_key)
    assert list(reply) == ["devices", "status"]
    [listed] = reply["devices"]
    assert (listed["id"], listed["name"], listed["ptype"]) == (
        device.id,
        "Desk lamp",
        45772,
    )
    assert listed["datastreamTmpls"] == []
    assert (listed["key"]["token"], listed["key"]["is_owner_key"]) == (owner_key, 1)
    assert "parent_mdev_mac" not in listed


async def test_the_list_by_group(
    api: Api, cloud: LocalCloud, device: Device, user_key: str, user: Any
) -> None:
    """All that the app's parser needs is there; who is in no group is in group 0."""
    other = cloud.add_device("other", user)
    path = "/v1/user/devices/?list_by_group=true&query_devices_mesh=true"
    headers = {"Time-Zone": "Epoch"}
    reply = await api.ok("GET", path, key=user_key, headers=headers)
    [ungrouped] = reply["deviceGroups"]
    assert (ungrouped["id"], ungrouped["name"], ungrouped["desc"]) == (0, "", "")
    assert [one["id"] for one in ungrouped["devices"]] == [device.id, other.id]
    listed = ungrouped["devices"][0]
    for name, kind in (
        ("id", int), ("bssid", str), ("ptype", int), ("name", str), ("rom_version", str),
        ("latest_rom_version", str), ("last_active", int), ("activated_at", int),
    ):  # fmt: skip
        assert isinstance(listed[name], kind)
    assert listed["parent_mdev_mac"] is None
    room = await _add_group(api, user_key, "room")
    body = {"device_id": device.id, "group_id": room["id"], "reserve_pre_group": False}
    await api.ok(
        "POST", f"{GROUPS}?action=move_to_group&method=PUT", body, key=user_key
    )
    reply = await api.ok("GET", path, key=user_key, headers=headers)
    assert [
        (group["id"], [one["id"] for one in group["devices"]])
        for group in reply["deviceGroups"]
    ] == [(0, [other.id]), (room["id"], [device.id])]


async def _add_group(api: Api, key: str, name: str) -> dict[str, Any]:
    body = {"deviceGroups": [{"name": name, "desc": '{"type":0}'}]}
    [group] = (await api.ok("POST", GROUPS, body, key=key))["deviceGroups"]
    return group


async def test_groups(api: Api, user_key: str) -> None:
    """Made, listed, renamed, deleted; quotes in `desc` are escaped as the app expects."""
    room = await _add_group(api, user_key, "room")
    assert (room["name"], room["desc"]) == ("room", "{&quot;type&quot;:0}")
    assert "device_ids" not in room
    body = {"deviceGroups": [{"id": room["id"], "name": "hall"}]}
    await api.ok("POST", f"{GROUPS}?method=PUT", body, key=user_key)
    [listed] = (await api.ok("GET", GROUPS, key=user_key))["deviceGroups"]
    assert (listed["name"], listed["desc"]) == ("hall", room["desc"])
    body = {"deviceGroups": [{"id": room["id"]}, {"id": room["id"]}]}
    await api.ok("POST", f"{GROUPS}?method=DELETE", body, key=user_key)
    assert (await api.ok("GET", GROUPS, key=user_key))["deviceGroups"] == []
    body = {"deviceGroups": [{"id": room["id"]}]}
    assert (await api.post(f"{GROUPS}?method=DELETE", body, key=user_key)).status == 404


async def test_moving_between_groups(
    api: Api, cloud: LocalCloud, device: Device, user_key: str
) -> None:
    """A device leaves its group, or stays in it too; it can be taken out again."""
    one, two = [
        (await _add_group(api, user_key, name))["id"] for name in ("one", "two")
    ]
    move, remove = (
        f"{GROUPS}?action=move_to_group",
        f"{GROUPS}?action=remove_from_group",
    )

    def groups() -> list[int]:
        return [
            number for number, group in cloud.store.groups.items() if group.device_ids
        ]

    for number, keep, expected in (
        (one, 0, [one]),
        (two, True, [one, two]),
        (two, False, [two]),
    ):
        body = {"device_id": device.id, "group_id": number, "reserve_pre_group": keep}
        await api.ok("PUT", move, body, key=user_key)
        assert groups() == expected
    await api.ok(
        "PUT",
        move,
        {"device_id": device.id, "group_id": two, "reserve_pre_group": 1},
        key=user_key,
    )
    assert cloud.store.groups[two].device_ids == [device.id]
    body = {"device_id": device.id, "group_id": two}
    for _ in range(2):
        await api.ok("PUT", remove, body, key=user_key)
        assert groups() == []
    assert (
        await api.call("PUT", move, {"device_id": 99, "group_id": one}, key=user_key)
    ).status == 404
    assert (
        await api.call(
            "PUT", move, {"device_id": device.id, "group_id": 99}, key=user_key
        )
    ).status == 404
    assert (
        await api.call("PUT", f"{GROUPS}?action=x", body, key=user_key)
    ).status == 400


async def test_a_device_by_its_key(api: Api, device: Device, owner_key: str) -> None:
    """The app adds a parameter that a device without a mesh does not care for."""
    reply = await api.ok("GET", "/v1/device/?query_device_mesh=true", key=owner_key)
    assert list(reply) == ["device", "status"]
    assert reply["device"]["id"] == device.id


async def test_rename_and_metadata(api: Api, owner_key: str, master_key: str) -> None:
    """Each alone, or both."""
    path = "/v1/device/?method=PUT"
    await api.ok("POST", path, {"device": {"name": "客厅灯"}}, key=owner_key)
    await api.ok("POST", path, {"device": {"metadata": "m" * 4096}}, key=master_key)
    device = (await api.ok("GET", "/v1/device/", key=owner_key))["device"]
    assert (device["name"], device["metadata"]) == ("客厅灯", "m" * 4096)
    for body in (
        {},
        {"device": {"name": " "}},
        {"device": {"name": "n" * 256}},
        {"device": {"metadata": "m" * 4097}},
    ):
        assert (await api.post(path, body, key=owner_key)).status == 400


async def test_a_person_makes_a_device_with_curl(
    api: Api, user_key: str, cloud: LocalCloud
) -> None:
    """Product, device, master key; then it activates and is authorized like any."""
    products = {
        "products": [{"name": "lamp", "is_private": 1, "ptype": 27388, "status": 1}]
    }
    [product] = (await api.ok("POST", "/v1/products/", products, key=user_key))[
        "products"
    ]
    assert (product["name"], product["ptype"]) == ("lamp", 27388)
    assert (await api.ok("GET", "/v1/products/", key=user_key))["products"] == [product]
    path = f"/v1/products/{product['id']}/devices/"
    body = {"devices": [{"serial": "1"}, {}, {"name": "named"}]}
    devices = (await api.ok("POST", path, body, key=user_key))["devices"]
    assert devices[0]["serial"] == "1"
    assert devices[1]["name"] == f"device-name-{devices[1]['serial']}"
    assert devices[2]["name"] == "named"
    assert {device["ptype"] for device in devices} == {27388}
    assert all(device["key"]["is_master_key"] == 1 for device in devices)
    assert (await api.ok("GET", path, key=user_key))["devices"] == devices
    assert (await api.ok("GET", "/v1/user/devices/", key=user_key))["devices"] == []
    await api.ok(
        "POST", "/v1/device/activate/", {"token": "t"}, key=devices[0]["key"]["token"]
    )
    await api.ok("POST", "/v1/key/authorize/", {"token": "t"}, key=user_key)
    [owned] = (await api.ok("GET", "/v1/user/devices/", key=user_key))["devices"]
    assert owned["id"] == devices[0]["id"]
    cloud.revoke_key(devices[1]["key"]["token"])
    assert (await api.ok("GET", path, key=user_key))["devices"][1]["key"] is None


@pytest.mark.parametrize("number", ["0", "99", "x", "-1", "1" * 30, "%EF%BC%91"])
async def test_a_product_that_does_not_exist(
    api: Api, user_key: str, number: str
) -> None:
    """Or that belongs to somebody else."""
    assert (
        await api.get(f"/v1/products/{number}/devices/", key=user_key)
    ).status == 404


async def test_the_product_of_somebody_else(api: Api, user_key: str) -> None:
    """It is as good as none."""
    await api.ok("POST", "/v1/products/", {"products": [{"name": "p"}]}, key=user_key)
    other = {"email": "other@example.org", "password": "p"}
    await api.ok("POST", "/v1/user/join/", other)
    key = (await api.ok("POST", "/v1/keys/", other))["keys"][0]["token"]
    await api.ok("GET", "/v1/products/1/devices/", key=user_key)
    assert (await api.get("/v1/products/1/devices/", key=key)).status == 404
    assert (
        await api.post("/v1/products/1/devices/", {"devices": [{}]}, key=key)
    ).status == 404
