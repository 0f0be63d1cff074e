"""What a product says of its datastreams (protocol.md §2.11, §2.5)."""

from pathlib import Path
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud, quotas
from custom_components.espcloud.local_cloud.models import Device, Product, User

from .helpers import Api

TMPLS = "/v1/products/1/datastreamTmpls/"
HUMITURE = {
    "name": "tem_hum", "description": "record temperature and humidity", "dimension": 2,
    "tags": "tem, hum", "unit": "°C, %", "symbol": "", "stream_type": 1,
}  # fmt: skip


@pytest.fixture
def product(cloud: LocalCloud, user: User) -> Product:
    """Make a product."""
    return cloud.store.add_product(user, "sensors", 12335, 1)


def body(*entries: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a call."""
    return {"datastreamTmpls": list(entries)}


async def test_added_listed_and_removed(
    api: Api, product: Product, user_key: str
) -> None:
    """With the members that were given; what is missing is empty, and one value."""
    added = await api.ok("POST", TMPLS, body(HUMITURE, {"name": "s"}), key=user_key)
    first, second = added["datastreamTmpls"]
    assert list(first) == [
        "id", "created", "updated", "visibly", "product_id", "name", "description",
        "dimension", "tags", "unit", "symbol", "stream_type",
    ]  # fmt: skip
    assert first == {**first, **HUMITURE, "id": 1, "product_id": 1}
    texts = dict.fromkeys(("description", "tags", "unit", "symbol"), "")
    assert second == {**second, **texts, "id": 2, "dimension": 1, "stream_type": 1}
    assert await api.ok("GET", TMPLS, key=user_key) == added
    path = f"{TMPLS}?method=DELETE"
    assert await api.ok("POST", path, body({"id": 1}), key=user_key) == {"status": 200}
    reply = await api.ok("GET", TMPLS, key=user_key)
    assert reply["datastreamTmpls"] == [second]
    for gone in ({"id": 1}, {"id": 2}, {"id": 1}):
        status = (await api.post(path, body(gone), key=user_key)).status
        assert status == (200 if gone["id"] == 2 else 404)


async def test_devices_are_listed_with_them(
    api: Api, cloud: LocalCloud, user: User, device: Device, product: Product,
    user_key: str,
) -> None:  # fmt: skip
    """Those of a product have its own, flat and by group; others have none."""
    made = cloud.store.add_device("sensor", 12335, product=product)
    cloud.store.keyring.set_owner(made, user)
    tmpls = (await api.ok("POST", TMPLS, body(HUMITURE), key=user_key))[
        "datastreamTmpls"
    ]
    path = "/v1/user/devices/"
    flat = (await api.ok("GET", path, key=user_key))["devices"]
    groups = await api.ok("GET", f"{path}?list_by_group=true", key=user_key)
    for devices in (flat, groups["deviceGroups"][0]["devices"]):
        found = {each["name"]: each["datastreamTmpls"] for each in devices}
        assert found == {"Desk lamp": [], "sensor": tmpls}


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({}, 400),
        ({"name": "a b"}, 400),
        ({"name": "x" * 65}, 400),
        ({"name": "s", "dimension": 0}, 400),
        ({"name": "s", "dimension": 6}, 400),
        ({"name": "s", "stream_type": 2}, 400),
        ({"name": "s", "unit": "x" * 33}, 400),
        ({"name": "s", "symbol": 1}, 400),
        ({"name": "there"}, 409),
        ({"name": "twice"}, 409),
    ],
)
async def test_refused(
    api: Api, cloud: LocalCloud, product: Product, user_key: str,
    wrong: dict[str, Any], status: int,
) -> None:  # fmt: skip
    """And nothing of the request is done."""
    await api.ok("POST", TMPLS, body({"name": "there"}), key=user_key)
    entries = body({"name": "twice"}, wrong)
    assert (await api.post(TMPLS, entries, key=user_key)).status == status
    assert len(cloud.store.templates) == 1


async def test_quota(
    api: Api, product: Product, user_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten of a product, here two."""
    monkeypatch.setattr(quotas, "MAX_TEMPLATES", 2)
    await api.ok("POST", TMPLS, body({"name": "a"}), key=user_key)
    more = body({"name": "b"}, {"name": "c"})
    reply = await api.post(TMPLS, more, key=user_key)
    assert (reply.status, reply.json["message"]) == (
        403, "a product has at most 2 datastreamTmpls: delete some",
    )  # fmt: skip


async def test_of_somebody_else(
    api: Api, cloud: LocalCloud, product: Product, password_hash: str
) -> None:
    """The product does not exist to them."""
    other = cloud.store.add_user("other@example.org", "other", password_hash)
    key = cloud.store.keyring.add_user_key(other).token
    for method in ("GET", "POST", "DELETE"):
        assert (await api.call(method, TMPLS, body(HUMITURE), key=key)).status == 404


async def test_they_outlive_a_restart(tmp_path: Path, password_hash: str) -> None:
    """As all that the cloud was told."""
    path = tmp_path / "state"
    cloud = LocalCloud(state_file=path)
    await cloud.start()
    user = cloud.store.add_user("user@example.org", "user", password_hash)
    product = cloud.store.add_product(user, "sensors", 12335, 1)
    template = cloud.store.add_template(product, "tem_hum", 2, unit="°C, %")
    await cloud.close()
    again = LocalCloud(state_file=path)
    await again.start()
    assert again.store.templates_of(product.id) == {template.id: template}
    await again.close()
