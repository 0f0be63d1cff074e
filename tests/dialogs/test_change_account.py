"""Changing an account: its e-mail, or where its server is."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, UnknownFlow
from tests.common import TITLE, account_entry, account_input, server_data
from tests.credentials import EMAIL, PASSWORD

from .steps import OTHER_EMAIL, sign_in, submit, suggested


async def submit_change(
    hass: HomeAssistant, entry: MockConfigEntry, data: dict[str, Any]
) -> Any:
    """Open the account's reconfigure dialog and submit the form."""
    form = await entry.start_reconfigure_flow(hass)
    # As a browser does that opens a dialog by its id.
    form = await hass.config_entries.flow.async_configure(form["flow_id"])
    assert form["step_id"] == "reconfigure"
    assert suggested(form)["email"] == entry.data["email"]
    assert entry.data["user_key"] not in str(suggested(form))
    result = await submit(hass, form, data)
    # A success reloads the account behind the dialog's back.
    await hass.async_block_till_done()
    return result


async def moved_entry(
    hass: HomeAssistant, cloud: LocalCloud, user: User, *devices: Device
) -> MockConfigEntry:
    """Return an account whose server has moved to where the cloud is now."""
    entry = await account_entry(hass, cloud, user.id, *devices)
    hass.config_entries.async_update_entry(
        entry,
        unique_id=f"cloud.example.org:443_{user.id}",
        data={**entry.data, "url": "https://cloud.example.org"},
    )
    return entry


async def test_server(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """An account follows its server to another address, and stays the same account."""
    entry = await moved_entry(hass, cloud, user, device)
    old_key = entry.data["user_key"]
    data: dict[str, Any] = {"email": EMAIL, "server": server_data(cloud)}
    # The old server's key is not the new one's to know.
    form = await submit_change(hass, entry, data)
    assert form["errors"] == {"password": "password_needed"}
    result = await submit(hass, form, data | {"password": PASSWORD})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert entry.unique_id == f"{cloud.http_url.removeprefix('http://')}_{user.id}"
    assert entry.data["url"] == cloud.http_url
    assert entry.data["user_key"] != old_key


async def test_another_cloud_gets_no_key(
    hass: HomeAssistant, cloud: LocalCloud, user: User, second_cloud: LocalCloud
) -> None:
    """A cloud with the same account, number and all, that lacks the devices is another."""
    device = cloud.add_device("Desk lamp", user)
    third = cloud.add_device("Reading lamp", user)
    its_user = await second_cloud.add_account(EMAIL, PASSWORD)
    its_device = second_cloud.add_device("Somebody's lamp", its_user)
    assert (its_user.id, its_device.id) == (user.id, device.id)
    for devices in ((device,), (third,)):
        entry = await account_entry(hass, cloud, user.id, *devices)
        before = dict(entry.data)
        data = {"email": EMAIL, "password": PASSWORD}
        form = await submit_change(
            hass, entry, {**data, "server": server_data(second_cloud)}
        )
        assert form["errors"] == {"server": "other_devices"}
        assert dict(entry.data) == before
        result = await submit(hass, form, {**data, "server": server_data(cloud)})
        assert result["reason"] == "reconfigure_successful"
        await hass.async_block_till_done()
        await hass.config_entries.async_remove(entry.entry_id)
    assert second_cloud.connection_count(its_device) == 0


async def test_email(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """A new e-mail needs the password, and changes the title that came of the old one."""
    entry = await account_entry(hass, cloud, user.id, device)
    hass.config_entries.async_update_entry(
        entry, title="o…@…", data={**entry.data, "email": "old@example.org"}
    )
    old_key = entry.data["user_key"]
    data = {"email": EMAIL, "server": server_data(cloud)}
    form = await submit_change(hass, entry, data)
    assert form["errors"] == {"password": "password_needed"}
    form = await submit(hass, form, data | {"password": "not the password"})
    assert form["errors"] == {"password": "invalid_auth"}
    assert "password" not in suggested(form)
    result = await submit(hass, form, data | {"password": PASSWORD})
    assert result["reason"] == "reconfigure_successful"
    assert entry.title == TITLE
    assert entry.data["email"] == EMAIL
    assert entry.data["user_key"] != old_key
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


async def test_title_of_ones_own_stays(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """Only a title that came of the e-mail follows the e-mail."""
    entry = await account_entry(hass, cloud, user.id, device)
    hass.config_entries.async_update_entry(entry, title="Home")
    await submit_change(
        hass,
        entry,
        {"email": EMAIL, "password": PASSWORD, "server": server_data(cloud)},
    )
    assert entry.title == "Home"


@pytest.mark.parametrize(
    ("wrong", "errors"),
    [
        ({"email": OTHER_EMAIL, "password": PASSWORD}, {"email": "wrong_account"}),
        (
            {"email": "nobody@example.org", "password": PASSWORD},
            {"email": "unknown_account"},
        ),
        ({"email": ""}, {"email": "email_missing"}),
        (
            {"server": {"url": "http://127.0.0.1:1"}, "password": PASSWORD},
            {"server": "cannot_connect"},
        ),
        ({"server": {"url": "http://127.0.0.1:1"}}, {"password": "password_needed"}),
        ({"server": {"url": "127.0.0.1"}}, {"server": "invalid_url"}),
        ({"server": {"url": "http://me@127.0.0.1"}}, {"server": "url_with_user"}),
        ({"server": {"url": "http://example.org"}}, {"clear_text": "clear_text"}),
        ({"server": {"port": 70000}}, {"server": "invalid_port"}),
        ({"server": {"port": 1}}, {"server": "cannot_connect_device_port"}),
    ],
)
async def test_errors(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    other_user: User,
    device: Device,
    wrong: dict[str, Any],
    errors: dict[str, str],
) -> None:
    """What is wrong is explained, nothing changes, and it can be put right."""
    entry = await account_entry(hass, cloud, user.id, device)
    before = dict(entry.data)
    right: dict[str, Any] = {"email": EMAIL, "server": server_data(cloud)}
    data = right | wrong
    data["server"] = right["server"] | data["server"]
    form = await submit_change(hass, entry, data)
    assert form["errors"] == errors
    assert dict(entry.data) == before
    result = await submit(hass, form, right)
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()


@pytest.mark.usefixtures("any_name")
async def test_clear_text_that_was_agreed_to_before(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """Whoever set the account up has answered that."""
    entry = await account_entry(hass, cloud, user.id)
    url = cloud.http_url.replace("127.0.0.1", "cloud.example.org")
    hass.config_entries.async_update_entry(entry, data={**entry.data, "url": url})
    data = {"email": EMAIL, "server": server_data(cloud) | {"url": url}}
    result = await submit_change(hass, entry, data)
    assert result["reason"] == "reconfigure_successful"


async def test_revoked_key(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """Where the stored key is not known, the password is."""
    entry = await account_entry(hass, cloud, user.id, device)
    cloud.revoke_key(entry.data["user_key"])
    data = {"email": EMAIL, "server": server_data(cloud)}
    form = await submit_change(hass, entry, data)
    assert form["errors"] == {"password": "password_needed"}
    result = await submit(hass, form, data | {"password": PASSWORD})
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()


async def test_cloud_that_is_away(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """The stored key cannot be tried."""
    entry = await account_entry(hass, cloud, user.id)
    await cloud._http_server.close()
    data = {"email": EMAIL, "server": server_data(cloud)}
    form = await submit_change(hass, entry, data)
    assert form["errors"] == {"server": "cannot_connect"}


async def test_account_that_is_there(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """Two entries must not become one account."""
    moved = await moved_entry(hass, cloud, user, device)
    await account_entry(hass, cloud, user.id)
    unique_id = moved.unique_id
    result = await submit_change(
        hass,
        moved,
        {"email": EMAIL, "password": PASSWORD, "server": server_data(cloud)},
    )
    assert result["reason"] == "account_already_configured"
    assert moved.unique_id == unique_id


async def test_dialog_that_adds_the_account_was_left_open(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """It does not keep the account from being changed."""
    assert (await sign_in(hass, account_input(cloud)))["step_id"] == "device"
    entry = await account_entry(hass, cloud, user.id, device)
    data = {"email": EMAIL, "server": server_data(cloud)}
    result = await submit_change(hass, entry, data)
    assert result["reason"] == "reconfigure_successful"


async def test_dialog_that_changes_the_account_was_left_open(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """The new one ends it, and only it; afterwards nothing keeps a sign-in from being asked for."""
    entry = await account_entry(hass, cloud, user.id)
    adding = await sign_in(hass, account_input(cloud))
    left = await entry.start_reconfigure_flow(hass)
    data = {"email": EMAIL, "server": server_data(cloud)}
    result = await submit_change(hass, entry, data)
    assert result["reason"] == "reconfigure_successful"
    with pytest.raises(UnknownFlow):
        await submit(hass, left, data)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["flow_id"] == adding["flow_id"]

    entry.async_start_reauth(hass)
    await hass.async_block_till_done()
    steps = [flow["step_id"] for flow in hass.config_entries.flow.async_progress()]
    assert sorted(steps) == ["device", "reauth_confirm"]
