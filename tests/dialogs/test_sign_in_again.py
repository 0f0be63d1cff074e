"""Signing in again: the account's key was refused."""

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.common import account_entry
from tests.credentials import PASSWORD

from .steps import submit


@pytest.mark.usefixtures("first_refusal_counts")
async def test_reauthentication(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """A revoked key asks for the password alone; the right one sets up the account."""
    entry = await account_entry(hass, cloud, user.id, device)
    cloud.revoke_key(entry.data["user_key"])
    assert not await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_confirm"

    form = await submit(hass, flow, {"password": "not the password"})
    assert form["errors"] == {"password": "invalid_auth"}
    result = await submit(hass, form, {"password": PASSWORD})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    await cloud.wait_online(device)


async def test_reauthentication_of_another_account_is_refused(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """An e-mail that belongs to a new account by now is not the account."""
    entry = await account_entry(hass, cloud, user.id + 1, device)
    old_key = entry.data["user_key"]
    form = await entry.start_reauth_flow(hass)
    result = await submit(hass, form, {"password": PASSWORD})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "wrong_account"
    assert entry.data["user_key"] == old_key


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"url": "http://127.0.0.1:1"}, "cannot_connect"),
        ({"email": "gone@example.org"}, "unknown_account"),
    ],
)
async def test_what_is_not_on_the_form_is_said_above_it(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    change: dict[str, str],
    error: str,
) -> None:
    """The server and the e-mail are not asked for here."""
    entry = await account_entry(hass, cloud, user.id)
    right = dict(entry.data)
    hass.config_entries.async_update_entry(entry, data=right | change)
    form = await entry.start_reauth_flow(hass)
    form = await submit(hass, form, {"password": PASSWORD})
    assert form["errors"] == {"base": error}
    hass.config_entries.async_update_entry(entry, data=right)
    result = await submit(hass, form, {"password": PASSWORD})
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done()
