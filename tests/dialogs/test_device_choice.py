"""A device for which nobody types a key: made for Home Assistant, or chosen from a list."""

from typing import Any

from aiohttp import web
import pytest

from custom_components.espcloud.account_products import MAX_PRODUCTS
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from custom_components.espcloud.local_cloud.times import ZERO_TIME
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import area_registry as ar, device_registry as dr
from tests.common import account_entry, account_input, send_command, wait_for_state

from .conftest import Front
from .steps import (
    ACTIONS,
    add_account,
    choose,
    fields,
    open_device_dialog,
    sign_in,
    submit,
    submit_device,
)

LIGHT = 45772


def product_device(cloud: LocalCloud, user: User, name: str) -> Device:
    """Make a device of a product of the account."""
    product = cloud.store.add_product(user, "My lamps", LIGHT, 1)
    return cloud.store.add_device(name, LIGHT, product=product)


async def create_form(hass: HomeAssistant, data: dict[str, Any]) -> Any:
    """Submit the account and go on to the form for a new device."""
    form = await choose(hass, await sign_in(hass, data), "create_device")
    assert form["step_id"] == "create_device"
    assert form["errors"] == {}
    return form


def options(form: Any) -> list[dict[str, str]]:
    """Return what the list of devices offers."""
    selector = form["data_schema"].schema["device"]
    offered: list[dict[str, str]] = selector.config["options"]
    return offered


async def test_made_for_home_assistant(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """With a name alone there is a lamp, and nothing was made before that was submitted."""
    form = await create_form(hass, account_input(cloud))
    assert fields(form) == {"name"}
    form = await submit(hass, form, {"name": "  "})
    assert form["errors"] == {"name": "name_missing"}
    assert not cloud.store.products
    assert not cloud.store.devices

    result = await submit(hass, form, {"name": " Hall lamp "})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    (device,) = cloud.store.devices.values()
    (product,) = cloud.store.products.values()
    assert (product.name, product.ptype, product.is_private) == (
        "Home Assistant",
        LIGHT,
        1,
    )
    (subentry,) = result["result"].subentries.values()
    assert subentry.title == device.name == "Hall lamp"
    assert subentry.data["device_key"] == cloud.master_key(device)
    await wait_for_state(hass, "light.hall_lamp", "unknown")
    await send_command(cloud, device, "LED_ON")
    await wait_for_state(hass, "light.hall_lamp", "on")


async def test_further_device_is_made_of_the_same_product(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """The one that is in use stays what it is."""
    form = await create_form(hass, account_input(cloud))
    first = await submit(hass, form, {"name": "Hall lamp"})
    entry = first["result"]
    await wait_for_state(hass, "light.hall_lamp", "unknown")
    menu = await open_device_dialog(hass, entry.entry_id)
    assert menu["menu_options"] == ["create_device", "device_key", "accept_device"]
    form = await submit_device(hass, menu, {"next_step_id": "create_device"})
    form = await submit_device(
        hass, form, {"name": "Desk lamp", **ACTIONS, "turn_off_action": "LED_ON"}
    )
    assert form["errors"] == {"turn_off_action": "same_action"}
    assert len(cloud.store.devices) == 1
    result = await submit_device(hass, form, {"name": "Desk lamp", **ACTIONS})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert len(cloud.store.products) == 1
    assert [each.name for each in cloud.store.devices.values()] == [
        "Hall lamp",
        "Desk lamp",
    ]
    await wait_for_state(hass, "light.desk_lamp", "unknown")


@pytest.mark.parametrize("refused", ["/v1/device/activate/", "/v1/key/authorize/"])
async def test_left_over_from_an_earlier_dialog(
    hass: HomeAssistant, cloud: LocalCloud, user: User, front: Front, refused: str
) -> None:
    """What failed after the device was made is used again, under the new name."""

    async def fail(request: web.Request) -> None:
        if request.path == refused:
            raise web.HTTPBadGateway

    url = await front(fail)
    form = await create_form(hass, account_input(cloud, server={"url": url}))
    for _ in range(2):
        form = await submit(hass, form, {"name": "First try"})
        assert form["errors"] == {"base": "cannot_connect"}
    (device,) = cloud.store.devices.values()
    # A device that has never been on-line since has no such time.
    device.last_active = ZERO_TIME

    form = await create_form(hass, account_input(cloud))
    result = await submit(hass, form, {"name": "Hall lamp"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert list(cloud.store.devices.values()) == [device]
    assert device.name == "Hall lamp"
    await wait_for_state(hass, "light.hall_lamp", "unknown")


async def test_device_that_another_home_assistant_uses(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """It is of the same product, but it is not left over."""
    product_device(cloud, user, "Somebody's")
    product = cloud.store.add_product(user, "Home Assistant", LIGHT, 1)
    theirs = cloud.store.add_device("Theirs", LIGHT, product=product)
    theirs.activate_status = 1
    theirs.last_active = cloud.store.context.now()
    form = await create_form(hass, account_input(cloud))
    result = await submit(hass, form, {"name": "Ours"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert [each.name for each in cloud.store.devices.values()] == [
        "Somebody's",
        "Theirs",
        "Ours",
    ]
    assert cloud.connection_count(theirs) == 0


async def test_device_of_home_assistant_that_was_never_connected(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """It is set up here already, so it is not left over either."""
    product = cloud.store.add_product(user, "Home Assistant", LIGHT, 1)
    device = cloud.store.add_device("Desk lamp", LIGHT, product=product)
    entry = await account_entry(hass, cloud, user.id, device)
    menu = await open_device_dialog(hass, entry.entry_id)
    form = await submit_device(hass, menu, {"next_step_id": "create_device"})
    result = await submit_device(hass, form, {"name": "Hall lamp", **ACTIONS})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["unique_id"] != str(device.id)


async def test_name_that_the_server_does_not_take(
    hass: HomeAssistant, cloud: LocalCloud, user: User, front: Front
) -> None:
    """The device is called so in Home Assistant, and works."""
    product = cloud.store.add_product(user, "Home Assistant", LIGHT, 1)
    cloud.store.add_device("", LIGHT, product=product)

    async def refuse(request: web.Request) -> None:
        if request.path == "/v1/device/" and request.method == "POST":
            raise web.HTTPMethodNotAllowed("POST", ["GET"])

    url = await front(refuse)
    form = await create_form(hass, account_input(cloud, server={"url": url}))
    result = await submit(hass, form, {"name": "Hall lamp"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    (subentry,) = result["result"].subentries.values()
    assert subentry.title == "Hall lamp"
    await hass.async_block_till_done()


async def test_server_without_products(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, front: Front
) -> None:
    """There is nothing to choose from but the key, and no device at all."""

    async def refuse(request: web.Request) -> None:
        if request.path.startswith("/v1/products/"):
            raise web.HTTPNotFound

    url = await front(refuse)
    form = await sign_in(hass, account_input(cloud, server={"url": url}))
    assert form["menu_options"] == ["device_key", "account_devices"]
    form = await choose(hass, form, "device_key")
    assert form["errors"] == {}
    result = await submit(hass, form, {"device_key": cloud.master_key(device)})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_server_that_lists_products_and_makes_none(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, front: Front
) -> None:
    """It is said, and the dialog goes on with the key."""

    async def refuse(request: web.Request) -> None:
        if request.path.startswith("/v1/products/") and request.method == "POST":
            raise web.HTTPForbidden

    url = await front(refuse)
    form = await create_form(hass, account_input(cloud, server={"url": url}))
    form = await submit(hass, form, {"name": "Hall lamp"})
    assert form["step_id"] == "device_key"
    assert form["errors"] == {"base": "cannot_create_device"}
    result = await submit(hass, form, {"device_key": cloud.master_key(device)})
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (web.HTTPBadGateway, "cannot_connect"),
        (web.HTTPTooManyRequests, "rate_limited"),
    ],
)
async def test_making_that_fails_for_now(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    front: Front,
    failure: type[web.HTTPException],
    error: str,
) -> None:
    """The same form succeeds later."""
    failures = iter([failure()])

    async def fail_once(request: web.Request) -> None:
        is_making = request.method == "POST" and request.path.endswith("/devices/")
        if is_making and (err := next(failures, None)):
            raise err

    url = await front(fail_once)
    form = await create_form(hass, account_input(cloud, server={"url": url}))
    form = await submit(hass, form, {"name": "Hall lamp"})
    assert form["errors"] == {"base": error}
    result = await submit(hass, form, {"name": "Hall lamp"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert len(cloud.store.products) == len(cloud.store.devices) == 1


async def test_key_of_a_made_device_that_is_gone(
    hass: HomeAssistant, cloud: LocalCloud, user: User, front: Front
) -> None:
    """A text about a key has no field on this form."""

    async def forget(request: web.Request) -> None:
        if request.path == "/v1/device/":
            (device,) = cloud.store.devices.values()
            cloud.revoke_key(cloud.master_key(device))

    url = await front(forget)
    form = await create_form(hass, account_input(cloud, server={"url": url}))
    form = await submit(hass, form, {"name": "Hall lamp"})
    assert form["errors"] == {"base": "unknown_device_key"}


async def test_choose_from_the_account(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """The devices of the account's products are offered by their names."""
    device = product_device(cloud, user, "Desk lamp")
    twins = [product_device(cloud, user, "Twin") for _ in range(2)]
    menu = await sign_in(hass, account_input(cloud))
    assert menu["menu_options"] == [
        "create_device",
        "pick_device",
        "device_key",
        "account_devices",
    ]
    form = await choose(hass, menu, "pick_device")
    assert options(form) == [
        {"value": str(device.id), "label": "Desk lamp"},
        *({"value": str(twin.id), "label": f"Twin ({twin.id})"} for twin in twins),
    ]
    result = await submit(hass, form, {"device": str(device.id)})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    (subentry,) = result["result"].subentries.values()
    assert subentry.data["device_key"] == cloud.master_key(device)
    await wait_for_state(hass, "light.desk_lamp", "unknown")

    menu = await open_device_dialog(hass, result["result"].entry_id)
    form = await submit_device(hass, menu, {"next_step_id": "pick_device"})
    assert [each["value"] for each in options(form)] == [str(each.id) for each in twins]
    result = await submit_device(hass, form, {"device": str(twins[1].id), **ACTIONS})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["unique_id"] == str(twins[1].id)


async def test_chosen_device_of_another_account(
    hass: HomeAssistant, cloud: LocalCloud, user: User, other_user: User
) -> None:
    """Somebody has it now; it is taken away only when the person says so."""
    device = product_device(cloud, user, "Desk lamp")
    device.activate_status = 1
    cloud.store.keyring.set_owner(device, other_user)
    menu = await sign_in(hass, account_input(cloud))
    form = await choose(hass, menu, "pick_device")
    form = await submit(hass, form, {"device": str(device.id)})
    assert form["errors"] == {"device": "device_of_another_account"}
    result = await submit(hass, form, {"device": str(device.id), "take_over": True})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_chosen_device_that_another_dialog_took(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """The list is from before."""
    device = product_device(cloud, user, "Desk lamp")
    menu = await sign_in(hass, account_input(cloud))
    form = await choose(hass, menu, "pick_device")
    await account_entry(hass, cloud, user.id, device)
    result = await submit(hass, form, {"device": str(device.id)})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_products_without_end(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """A person waits for the lists: no more are read than that takes seconds."""
    for number in range(MAX_PRODUCTS + 1):
        product_device(cloud, user, f"Lamp {number}")
    menu = await sign_in(hass, account_input(cloud))
    form = await choose(hass, menu, "pick_device")
    assert len(options(form)) == MAX_PRODUCTS


async def test_list_that_breaks_off(
    hass: HomeAssistant, cloud: LocalCloud, user: User, front: Front
) -> None:
    """What was read is offered."""
    device = product_device(cloud, user, "Desk lamp")
    product_device(cloud, user, "Hall lamp")

    async def fail(request: web.Request) -> None:
        if request.path == "/v1/products/2/devices/":
            raise web.HTTPBadGateway

    url = await front(fail)
    menu = await sign_in(hass, account_input(cloud, server={"url": url}))
    form = await choose(hass, menu, "pick_device")
    assert [each["value"] for each in options(form)] == [str(device.id)]


@pytest.mark.parametrize("is_loaded", [True, False])
async def test_area_where_the_dialog_ends_without_home_assistants_last_page(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    is_loaded: bool,
) -> None:
    """A device that joins a known account is put where the person says."""
    first = await add_account(hass, cloud, cloud.master_key(device))
    entry = first["result"]
    await hass.async_block_till_done()
    if not is_loaded:
        await hass.config_entries.async_unload(entry.entry_id)
    area = ar.async_get(hass).async_create("Hall")
    form = await create_form(hass, account_input(cloud))
    assert fields(form) == {"name", "area"}
    result = await submit(hass, form, {"name": "Hall lamp", "area": area.id})
    assert result["reason"] == "device_added"
    if not is_loaded:
        await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    # Home Assistant puts an area that is known before an entity into the entity's id.
    light = "light.hall_lamp" if is_loaded else "light.hall_hall_lamp"
    await wait_for_state(hass, light, "unknown")
    registered = {
        each.name: each.area_id
        for each in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
    }
    assert registered == {"Desk lamp": None, "Hall lamp": area.id}
