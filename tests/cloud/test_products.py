"""The developer's side of the HTTP API: products and the devices made of them."""

from typing import Any

from hypothesis import given, settings
import pytest

from custom_components.espcloud.cloud import (
    AuthenticationError,
    CloudClient,
    Product,
    ProductDevice,
    UnexpectedAnswerError,
)
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from tests.common import sign_in

from .helpers import MASTER_KEY, USER_KEY, altered, json_values
from .scripted_server import DEVICE

PRODUCTS = {"products": [{"id": 3, "name": "Lamp", "ptype": 45772}], "status": 200}
MADE = {**DEVICE, "key": {"token": MASTER_KEY, "is_master_key": 1}}
DEVICES = {"devices": [MADE], "status": 200}
ZERO_TIME = -62_135_596_800
LIGHT = 45772

anything = settings(max_examples=100, deadline=None, database=None)


@pytest.fixture
async def user_key(cloud: LocalCloud, user: User) -> str:
    """Sign in."""
    key: str = (await sign_in(cloud))["keys"][0]["token"]
    return key


async def test_product_with_a_device(
    cloud: LocalCloud, client: CloudClient, user_key: str
) -> None:
    """What is made is listed afterwards, and its key is the master key."""
    assert await client.list_products(user_key) == []
    product = await client.create_product(user_key, "Home Assistant", LIGHT)
    assert (product.name, product.ptype) == ("Home Assistant", LIGHT)
    assert await client.list_products(user_key) == [product]
    assert cloud.store.products[product.id].is_private == 1

    assert await client.list_product_devices(user_key, product.id) == []
    made = await client.create_product_device(user_key, product.id, "Hall")
    assert await client.list_product_devices(user_key, product.id) == [made]
    assert made.device.name == "Hall"
    assert made.unused
    assert (await client.owner.get_device(made.master_key)).id == made.device.id


async def test_rename(
    cloud: LocalCloud, client: CloudClient, user: User, device: Device
) -> None:
    """With the master key or the owner's."""
    for key in (cloud.master_key(device), cloud.owner_key(device) or ""):
        await client.owner.rename(key, f"Hall {key[:1]}")
        assert device.name == f"Hall {key[:1]}"
    with pytest.raises(AuthenticationError):
        await client.owner.rename("0" * 40, "Nobody's")


async def test_products_need_a_user_key(client: CloudClient, device: Device) -> None:
    """A key of another kind or none is refused."""
    with pytest.raises(AuthenticationError):
        await client.list_products(USER_KEY)
    with pytest.raises(AuthenticationError):
        await client.create_product(USER_KEY, "Home Assistant", LIGHT)


async def test_product_that_is_not_there(client: CloudClient, user_key: str) -> None:
    """It may have been removed meanwhile."""
    with pytest.raises(UnexpectedAnswerError):
        await client.list_product_devices(user_key, 99)
    with pytest.raises(UnexpectedAnswerError):
        await client.create_product_device(user_key, 99, "Hall")


@pytest.mark.parametrize(
    ("members", "unused"),
    [
        ({"activate_status": 0, "last_active": 1_700_000_000}, True),
        ({"activate_status": 1, "last_active": ZERO_TIME}, True),
        ({"activate_status": 1, "last_active": 1_700_000_000}, False),
        # Whoever cannot tell must not take the place of something that works.
        ({"activate_status": 1, "last_active": "2026-11-24 12:00:00"}, False),
        ({"activate_status": 1}, False),
    ],
)
def test_unused(members: dict[str, Any], unused: bool) -> None:
    """A device that was never on-line is nobody's place."""
    record = {name: MADE[name] for name in MADE if name != "last_active"} | members
    (made,) = ProductDevice.list_from_answer({"devices": [record]})
    assert made.unused is unused


@pytest.mark.parametrize(
    "odd",
    [
        None,
        {},
        {**MADE, "id": "1"},
        {**MADE, "key": None},
        {**MADE, "key": {"token": "x" * 40}},
        {**MADE, "key": {}},
    ],
)
def test_odd_device_is_left_out(odd: Any) -> None:
    """It does not hide the rest."""
    (made,) = ProductDevice.list_from_answer({"devices": [odd, MADE]})
    assert made.master_key == MASTER_KEY


def test_odd_product_is_left_out() -> None:
    """It does not hide the rest."""
    products = [None, {"name": "no id"}, *PRODUCTS["products"]]
    assert Product.list_from_answer({"products": products}) == [
        Product(3, "Lamp", 45772)
    ]


@pytest.mark.parametrize("answer", [{}, {"products": 1, "devices": {}}])
def test_no_list(answer: dict[str, Any]) -> None:
    """That is another server."""
    with pytest.raises(UnexpectedAnswerError):
        Product.list_from_answer(answer)
    with pytest.raises(UnexpectedAnswerError):
        ProductDevice.list_from_answer(answer)


def test_key_is_not_shown() -> None:
    """A master key is a secret."""
    (made,) = ProductDevice.list_from_answer(DEVICES)
    assert MASTER_KEY not in repr(made)


@anything
@given(answer=altered(PRODUCTS) | altered(DEVICES) | json_values)
def test_anything(answer: Any) -> None:
    """Whatever the cloud answers, it is a list or not this protocol."""
    if not isinstance(answer, dict):
        return
    for record in (Product, ProductDevice):
        try:
            found = record.list_from_answer(answer)
        except UnexpectedAnswerError:
            continue
        assert isinstance(found, list)
