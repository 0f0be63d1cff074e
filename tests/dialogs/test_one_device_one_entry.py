"""One device belongs to one entry, and one entry to one server."""

from typing import Any

from aiohttp import web
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.espcloud.const import DOMAIN
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.config_entries import SOURCE_IGNORE
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.common import account_entry, account_input, server_data, wait_for_state
from tests.credentials import EMAIL, PASSWORD

from .conftest import Front
from .steps import (
    ACTIONS,
    OTHER_EMAIL,
    add_account,
    choose,
    device_key_form,
    key_form,
    sign_in,
    submit,
    submit_device,
)


def at_localhost(cloud: LocalCloud) -> str:
    """Return the cloud's other name."""
    return cloud.http_url.replace("127.0.0.1", "localhost")


async def test_same_device_again(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, other_user: User
) -> None:
    """One device is one connection, whichever account it is added with."""
    await add_account(hass, cloud, cloud.master_key(device))
    for email in (EMAIL, OTHER_EMAIL):
        result = await add_account(hass, cloud, cloud.master_key(device), email=email)
        assert result["type"] is FlowResultType.ABORT
        assert result["reason"] == "already_configured"


async def test_further_device_that_is_there_already(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """A device is added once."""
    entry = await account_entry(hass, cloud, user.id, device)
    form = await device_key_form(hass, entry.entry_id)
    result = await submit_device(
        hass, form, {"device_key": cloud.master_key(device), **ACTIONS}
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


@pytest.mark.usefixtures("any_name")
@pytest.mark.parametrize("what_tells", ["serial", "key", "number"])
async def test_same_device_by_another_name_of_the_server(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    other_user: User,
    what_tells: str,
) -> None:
    """Its serial number tells, or its key; by the same name its number does, too."""
    await add_account(hass, cloud, cloud.master_key(device))
    await hass.async_block_till_done()
    key, url = cloud.master_key(device), at_localhost(cloud)
    match what_tells:
        case "serial":
            key = cloud.regenerate_master_key(device)
        case "key":
            device.serial = ""
        case "number":
            key, url = cloud.regenerate_master_key(device), cloud.http_url
            device.serial = ""
    result = await add_account(hass, cloud, key, server={"url": url}, email=OTHER_EMAIL)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert len(hass.config_entries.async_entries(DOMAIN)) == 1


async def test_two_clouds_on_one_host(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    second_cloud: LocalCloud,
) -> None:
    """The same numbers at both, and each keeps its own account, devices and keys."""
    its_user = await second_cloud.add_account(EMAIL, PASSWORD)
    its_device = second_cloud.add_device("Second lamp", its_user)
    its_other = second_cloud.add_device("Third lamp", its_user)
    assert (its_user.id, its_device.id) == (user.id, device.id)

    first = await add_account(hass, cloud, cloud.master_key(device))
    second = await add_account(hass, second_cloud, second_cloud.master_key(its_device))
    assert second["type"] is FlowResultType.CREATE_ENTRY
    joined = await add_account(hass, second_cloud, second_cloud.master_key(its_other))
    assert joined["reason"] == "device_added"
    assert len(first["result"].subentries) == 1
    assert {each.title for each in second["result"].subentries.values()} == {
        "Second lamp",
        "Third lamp",
    }
    for name in ("desk_lamp", "second_lamp", "third_lamp"):
        await wait_for_state(hass, f"light.{name}", "unknown")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"verify_ssl": False}, "other_server_settings"),
        # The device port of the other cloud, with the HTTP API of this one.
        ({"port": None}, "other_server_settings"),
    ],
)
async def test_device_joins_no_account_with_other_settings(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    second_cloud: LocalCloud,
    changes: dict[str, Any],
    error: str,
) -> None:
    """Its key would go where the form does not say."""
    await account_entry(hass, cloud, user.id)
    if "port" in changes:
        changes = {"port": second_cloud.device_port}
    form = await sign_in(hass, account_input(cloud, server=changes))
    assert form["errors"] == {"server": error}
    right = account_input(cloud)
    del right["password"]
    menu = await submit(hass, form, right)
    form = await choose(hass, menu, "device_key")
    result = await submit(hass, form, {"device_key": cloud.master_key(device)})
    assert result["reason"] == "device_added"


async def test_account_that_moves_while_a_dialog_is_open(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    second_cloud: LocalCloud,
) -> None:
    """The key that was typed is for the server that the dialog began with."""
    entry = await account_entry(hass, cloud, user.id)
    form = await key_form(hass, account_input(cloud))
    device_form = await device_key_form(hass, entry.entry_id)
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, **server_data(second_cloud)}
    )
    key = cloud.master_key(device)
    result = await submit(hass, form, {"device_key": key})
    assert result["reason"] == "account_changed"
    result = await submit_device(hass, device_form, {"device_key": key, **ACTIONS})
    assert result["reason"] == "account_changed"
    assert not entry.subentries


async def test_ignored_entry_is_none(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """It has no data, and nothing can join it."""
    server = cloud.http_url.removeprefix("http://")
    for unique_id in (f"{server}_{user.id}", "something that was discovered"):
        MockConfigEntry(
            domain=DOMAIN, source=SOURCE_IGNORE, unique_id=unique_id, data={}
        ).add_to_hass(hass)
    result = await add_account(hass, cloud, cloud.master_key(device))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await wait_for_state(hass, "light.desk_lamp", "unknown")


async def test_dialog_that_was_left_open(
    hass: HomeAssistant, cloud: LocalCloud, device: Device
) -> None:
    """A new one wins, and ends the old one."""
    await key_form(hass, account_input(cloud))
    result = await add_account(hass, cloud, cloud.master_key(device))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert not hass.config_entries.flow.async_progress()
    await hass.async_block_till_done()


async def test_two_dialogs_at_once(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device, front: Front
) -> None:
    """Both look before the other is done; the later one finds out at the end."""
    entry = await account_entry(hass, cloud, user.id)
    quicker = await device_key_form(hass, entry.entry_id)
    data = {"device_key": cloud.master_key(device)}
    results: list[Any] = []

    async def let_the_other_go_first(request: web.Request) -> None:
        if request.path == "/v1/user/devices/":
            results.append(await submit_device(hass, quicker, data | ACTIONS))

    url = await front(let_the_other_go_first)
    form = await key_form(hass, account_input(cloud, server={"url": url}))
    result = await submit(hass, form, data)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert [each["type"] for each in results] == [FlowResultType.CREATE_ENTRY]
