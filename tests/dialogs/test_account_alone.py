"""An account without a device that Home Assistant is, and devices that somebody shares."""

from typing import Any

from aiohttp import web
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.common import account_input, http

from .conftest import Front
from .steps import choose, open_device_dialog, sign_in, submit_device


async def test_no_key_is_needed(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """The account is there, with nothing in it that Home Assistant is."""
    menu = await sign_in(hass, account_input(cloud))
    result = await choose(hass, menu, "account_devices")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert not result["result"].subentries
    await hass.async_block_till_done()
    assert result["result"].state is ConfigEntryState.LOADED


async def test_same_account_again(
    hass: HomeAssistant, cloud: LocalCloud, entry: MockConfigEntry
) -> None:
    """There is nothing to add to it."""
    menu = await sign_in(hass, account_input(cloud))
    result = await choose(hass, menu, "account_devices")
    assert result["reason"] == "account_already_configured"


async def share(cloud: LocalCloud, device: Device) -> str:
    """Share a device as its owner does in the app, and return the token."""
    answer = await http(
        cloud,
        "POST",
        "/v1/key/share/",
        cloud.owner_key(device),
        body={"scope": "device"},
    )
    token: str = answer["token"]
    return token


async def token_form(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    """Open the form for a token."""
    menu = await open_device_dialog(hass, entry.entry_id)
    return await submit_device(hass, menu, {"next_step_id": "accept_device"})


@pytest.mark.parametrize("token", [" ", "unknown"])
async def test_token_that_is_none(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    entry: MockConfigEntry,
    token: str,
) -> None:
    """It is said beside the field, and the same dialog takes the right one."""
    form = await token_form(hass, entry)
    form = await submit_device(hass, form, {"token": token})
    error = "token_missing" if token == " " else "unknown_token"
    assert form["errors"] == {"token": error}
    result = await submit_device(hass, form, {"token": await share(cloud, device)})
    assert result["reason"] == "device_accepted"


async def test_account_key_that_is_refused(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """That is no fault of the token's."""
    token = await share(cloud, device)
    key = cloud.store.keyring.keys[entry.data["user_key"]]
    cloud.revoke_key(key.token)
    form = await token_form(hass, entry)
    form = await submit_device(hass, form, {"token": token})
    assert form["errors"] == {"base": "key_refused"}
    cloud.store.keyring.put(key)
    result = await submit_device(hass, form, {"token": token})
    assert result["reason"] == "device_accepted"


async def test_cloud_that_is_down_for_a_moment(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    entry: MockConfigEntry,
    front: Front,
) -> None:
    """Nor is that; the account may be unloaded meanwhile, too."""
    is_down = True

    async def check(request: web.Request) -> None:
        if is_down and request.path.startswith("/v1/key/authorize"):
            raise web.HTTPBadGateway

    await hass.config_entries.async_unload(entry.entry_id)
    url = await front(check)
    hass.config_entries.async_update_entry(entry, data={**entry.data, "url": url})
    form = await token_form(hass, entry)
    token = await share(cloud, device)
    form = await submit_device(hass, form, {"token": token})
    assert form["errors"] == {"base": "cannot_connect"}
    is_down = False
    result = await submit_device(hass, form, {"token": token})
    assert result["reason"] == "device_accepted"
